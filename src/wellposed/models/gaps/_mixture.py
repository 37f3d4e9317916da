"""The mixture of probabilistic PCAs of rows with gaps, by expectation maximisation."""

import dataclasses

import numpy as np
from threadpoolctl import threadpool_limits

from wellposed._errors import UnboundedLikelihoodError

from .._marginal import GappyRows, latent_posteriors
from .._mixture_ppca import MixturePPCAModel
from .._spectrum import orient
from ._climb import Climb, climb
from ._moments import observed_moments
from ._sums import LatentSums

_LEAST = 1e-10  # share of the mean variance, the smallest noise variance without a floor
_FARTHEST = 1e6  # of parameters in standardised units that an acceleration may reach
_SMALL = 400  # features up to which one thread is faster than several that wait for each other


@dataclasses.dataclass(frozen=True)
class MixtureFit:
    """A maximum of the likelihood of a mixture of probabilistic PCAs.

    Parameters
    ----------
    model : :class:`wellposed.models.MixturePPCAModel`, the components by falling weight
    objective : shape (iterations,), mean log p of the observed entries, nats
    converged : whether the iterations ended before ``max_iter``
    """

    model: MixturePPCAModel
    objective: np.ndarray
    converged: bool


class _DepletedError(Exception):
    """Components with fewer rows than their directions need."""

    def __init__(self, parameters: np.ndarray, kept: np.ndarray):
        super().__init__()
        self.parameters, self.kept = parameters, kept


def mixture(
    rows: np.ndarray,
    start: MixturePPCAModel,
    *,
    floor: float = 0.0,
    fewest: float = 1.0,
    max_iter: int = 1_000,
    tol: float = 1e-8,
) -> MixtureFit:
    """Raise the likelihood of a mixture of probabilistic PCAs for rows with ignorable gaps.

    Both the component of a row and its latents are integrated out, each given the observed entries.
    A component with fewer rows than ``fewest`` is removed, which can lower the likelihood.

    Parameters
    ----------
    rows : shape (n, d), model units, float64; NaN is a gap
    start : the mixture before the first iteration
    floor : smallest noise standard deviation, model units
    fewest : rows that a component has at least
    max_iter : iterations at most
    tol : stop when three iterations in a row change the objective by less than this share

    Raises
    ------
    DataError
        If a feature has no observed entry, or no feature varies.
    UnboundedLikelihoodError
        If the noise of a component shrinks to zero and there is no floor.

    References: Tipping & Bishop (1999), Mixtures of probabilistic principal component analysers;
    Ghahramani & Jordan (1994), Supervised learning from incomplete data via an EM approach.

    Examples
    --------
    >>> rows = np.array([[0.0, 1.0], [2.0, np.nan], [1.0, 1.5], [90.0, 2.0], [91.0, 1.0]])
    >>> start = MixturePPCAModel(
    ...     np.log([0.5, 0.5]), np.array([[1.0, 1.0], [90.0, 1.0]]), np.zeros((2, 2, 1)), np.ones(2)
    ... )
    >>> mixture(rows, start, floor=0.1).model.mean[:, 0].round(1).tolist()
    [1.0, 90.5]
    """
    mean, variance = observed_moments(rows)
    spread = np.sqrt(variance.mean())
    ordered = GappyRows.of((rows - mean) / spread)
    em = _EM(ordered, start.weight.shape[2], np.log(max((floor / spread) ** 2, _LEAST)), fewest)
    parameters = em.pack(
        start.log_weights,
        np.concatenate([start.weight / spread, (start.mean - mean)[:, :, None] / spread], axis=2),
        np.log(start.noise_variance / spread**2),
    )
    with threadpool_limits(limits=1 if len(mean) <= _SMALL else None):
        end, objective = _climb(em, parameters, max_iter, tol)
    log_weights, loadings, log_noise = em.unpack(end.parameters)
    if floor == 0:
        _check_bounded(log_noise <= em.lowest)
    location, weight = mean + spread * loadings[:, :, -1], spread * loadings[:, :, :-1]
    model = MixturePPCAModel(log_weights, location, weight, spread**2 * np.exp(log_noise))
    constant = (~np.isnan(rows)).sum() / len(rows) * np.log(spread)
    return MixtureFit(_in_order(model), objective - constant, end.converged)


def _climb(
    em: "_EM", parameters: np.ndarray, max_iter: int, tol: float
) -> tuple[Climb, np.ndarray]:
    """Iterate, again after each removal of components; return the objectives of all iterations."""
    trace: list[float] = []
    while True:
        try:
            end = climb(em.step, parameters, max_iter=max_iter, tol=tol, trace=trace)
            return end, np.array(trace)
        except _DepletedError as depleted:
            parameters = em.without(depleted.parameters, depleted.kept)


def _check_bounded(vanishing: np.ndarray) -> None:
    if vanishing.any():
        raise UnboundedLikelihoodError(
            "The noise of each component must have a floor or variance of its own; that of "
            f"{vanishing.sum()} of {len(vanishing)} components shrinks to zero, so the likelihood "
            "is infinite. Give a positive `resolution`, or use fewer components."
        )


class _EM:
    """Expectation maximisation of log π, W̃ = (W, μ) and log σ², in one vector of parameters."""

    def __init__(self, rows: GappyRows, n_components: int, lowest: float, fewest: float):
        self.rows, self.k, self.d = rows, n_components, rows.values.shape[1]
        self.lowest, self.fewest = lowest, fewest

    def step(self, parameters: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the parameters after one iteration, and the mean log likelihood before it."""
        if not np.isfinite(parameters).all() or np.abs(parameters).max() > _FARTHEST:
            return parameters, -np.inf
        log_weights, loadings, log_noise = self.unpack(parameters)
        m, n, noise = len(log_weights), len(self.rows.values), np.exp(log_noise)
        sums = [LatentSums(self.d, self.k) for _ in range(m)]
        totals, log_p = np.zeros(m), 0.0
        posteriors = [
            latent_posteriors(
                self.rows, loadings[i, :, -1], loadings[i, :, :-1], np.full(self.d, noise[i])
            )
            for i in range(m)
        ]
        for parts in zip(*posteriors, strict=True):
            joint = np.stack([part.log_density for part in parts], axis=1) + log_weights
            together = np.logaddexp.reduce(joint, axis=1)
            shares = np.exp(joint - together[:, None])
            log_p, totals = log_p + float(together.sum()), totals + shares.sum(axis=0)
            at = parts[0].rows
            for part, share, of in zip(parts, shares.T, sums, strict=True):
                of.add(part, self.rows.seen[at], self.rows.values[at], share)
                of.add_squares(self.rows.values[at], share)
        self._check_rows(parameters, totals)
        return self._maximised(sums, totals), log_p / n

    def _check_rows(self, parameters: np.ndarray, totals: np.ndarray) -> None:
        kept = totals >= self.fewest
        kept[totals.argmax()] = True
        if not kept.all():
            raise _DepletedError(parameters, kept)

    def _maximised(self, sums: list[LatentSums], totals: np.ndarray) -> np.ndarray:
        loadings = np.stack([of.regress() for of in sums])
        first, squares = np.stack([of.first for of in sums]), np.stack([of.squares for of in sums])
        rest = np.maximum(squares - np.einsum("mdk,mdk->md", first, loadings), 0.0).sum(axis=1)
        with np.errstate(divide="ignore"):
            log_noise = np.log(rest / np.array([of.counts.sum() for of in sums]))
        return self.pack(np.log(totals / totals.sum()), loadings, log_noise)

    def without(self, parameters: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """Return the parameters of some components, given by a mask."""
        return self.pack(*(part[kept] for part in self.unpack(parameters)))

    def pack(
        self, log_weights: np.ndarray, loadings: np.ndarray, log_noise: np.ndarray
    ) -> np.ndarray:
        """Return one vector of log π (m,), W̃ (m, d, k + 1) and log σ² (m,)."""
        low = np.maximum(log_noise, self.lowest)
        return np.concatenate([log_weights, loadings.ravel(), low])

    def unpack(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Undo :meth:`pack`; weights have the sum one, and σ² is at least the floor."""
        m = len(parameters) // (2 + self.d * (self.k + 1))
        log_weights, log_noise = parameters[:m], parameters[-m:]
        loadings = parameters[m:-m].reshape(m, self.d, self.k + 1)
        log_weights = log_weights - np.logaddexp.reduce(log_weights)
        return log_weights, loadings, np.maximum(log_noise, self.lowest)


def _in_order(model: MixturePPCAModel) -> MixturePPCAModel:
    """Rotate the latents so that columns of each W are orthogonal; components by falling weight."""
    weight = np.zeros_like(model.weight)
    for i, loadings in enumerate(model.weight):
        axes, lengths, _ = np.linalg.svd(loadings, full_matrices=False)
        weight[i, :, : len(lengths)] = orient(axes * lengths)
    order = np.argsort(-model.log_weights, kind="stable")
    return MixturePPCAModel(
        model.log_weights[order], model.mean[order], weight[order], model.noise_variance[order]
    )
