"""Factor analysis and probabilistic PCA of rows with gaps, by expectation maximisation."""

import dataclasses
from typing import Any

import numpy as np
import scipy.optimize
from threadpoolctl import threadpool_limits

from wellposed._errors import UnboundedLikelihoodError, named_features

from .._factor_analysis import FactorAnalysis, FactorAnalysisModel
from .._factor_analysis import factor_analysis as complete_factor_analysis
from .._marginal import GappyRows, latent_posteriors
from .._spectrum import eigendecompose, orient
from .._spectrum import varies as varies_beyond_rounding
from .._stationary import optimum
from ._moments import complete_covariance, observed_moments, pairwise_covariance
from ._sums import LatentSums

Parameters = tuple[np.ndarray, np.ndarray]  # W̃ = (W, μ) of shape (d, k + 1), log Ψ (d,)

_OPTIMIZE: Any = scipy.optimize
_OPTIONS = {"maxcor": 20, "gtol": 1e-9, "maxls": 40}
_EM_STEPS = 10  # before the coordinates of L-BFGS are chosen
_LEAST = 1e-10  # share of a feature's variance, the smallest noise variance without a floor
_START_FLOOR = 0.05  # share of a feature's variance, the smallest noise variance of the start
_NEAR = 1e-6  # distance from the floor, of log Ψ
_SMALL = 400  # features up to which one thread is faster than several that wait for each other
_FADED = 1e-3  # λ − 1 of a direction in units of the noise that may be collapsed
_SLACK = 1e-9  # share of the log likelihood that may be lost by that


def factor_analysis(
    rows: np.ndarray,
    n_components: int,
    *,
    floor: np.ndarray | float = 0.0,
    one_variance: bool = False,
    noise_variance: float | None = None,
    max_iter: int = 2_000,
    tol: float = 1e-10,
) -> FactorAnalysis:
    r"""Maximise the likelihood of factor analysis of rows with gaps.

    The gaps are ignorable: whether an entry is missing depends on observed entries only. With o
    the observed entries of a row, the mean of log N(x_o | μ_o, W_oW_oᵀ + Ψ_o) is maximised by
    expectation maximisation over the latents and by L-BFGS in coordinates in which EM is steepest
    ascent, from the complete-data solution for the pairwise covariance. Where nothing is missing
    that solution is returned; see :func:`wellposed.models.factor_analysis`.

    Parameters
    ----------
    rows : shape (n, d), model units, float64; NaN is a gap
    n_components : number of latents, k ≥ 1
    floor : smallest noise standard deviations, scalar or shape (d,), model units
    one_variance : whether all features have the same noise variance: probabilistic PCA
    noise_variance : σ² of probabilistic PCA, where it is given; None learns it
    max_iter : iterations at most
    tol : stop when an iteration changes the mean log likelihood by less than this share

    Raises
    ------
    DataError
        If a feature has no observed entry, or no feature varies.
    UnboundedLikelihoodError
        If the noise shrinks to zero and has no floor.

    References: Rubin & Thayer (1982); Little & Rubin (2019), Statistical analysis with missing
    data, §11.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = rng.normal(size=(500, 1)) + rng.normal(size=(500, 4)) * [1.0, 1.0, 2.0, 3.0]
    >>> rows[rng.random(rows.shape) < 0.2] = np.nan
    >>> factor_analysis(rows, 1).model.noise_scale.round(0).tolist()
    [1.0, 1.0, 2.0, 3.0]
    """
    shared = one_variance or noise_variance is not None
    floors = np.broadcast_to(np.asarray(floor, np.float64), rows.shape[1:])
    if shared:
        floors = np.full(rows.shape[1], floors.min())
    elif not np.isnan(rows).any():
        return complete_factor_analysis(
            complete_covariance(rows), n_components, floor=floors, max_iter=max_iter
        )
    return _maximise(rows, n_components, floors, shared, noise_variance, max_iter, tol)


def linear_vae(
    rows: np.ndarray,
    n_components: int,
    *,
    floor: float = 0.0,
    noise_variance: float | None = None,
    max_iter: int = 2_000,
    tol: float = 1e-10,
) -> FactorAnalysis:
    r"""Maximise the ELBO of probabilistic PCA of rows with gaps under independent latents.

    With A the precision of z given the observed entries of a row, the best q(z) with independent
    latents has the posterior's mean and variances 1/A_ii, and

    .. math:: L = \log p(x_o) - \tfrac12 \left[\textstyle\sum_i \log A_{ii} - \log\det A\right].

    Where nothing is missing, the maximum is that of the likelihood.

    Parameters
    ----------
    rows, n_components, floor, noise_variance, max_iter, tol : see :func:`factor_analysis`

    Returns
    -------
    FactorAnalysis, whose ``log_likelihood`` and ``objective`` are the mean ELBO

    Raises
    ------
    DataError
        If a feature has no observed entry, or no feature varies.
    UnboundedLikelihoodError
        If the noise shrinks to zero and has no floor.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(500, 3)) * [3.0, 1.0, 1.0]
    >>> rows[::5, 1] = np.nan
    >>> bool(linear_vae(rows, 1).log_likelihood < factor_analysis(rows, 1).log_likelihood)
    True
    """
    floors = np.full(rows.shape[1], float(floor))
    return _maximise(rows, n_components, floors, True, noise_variance, max_iter, tol, True)


def _maximise(
    rows: np.ndarray,
    n_components: int,
    floors: np.ndarray,
    shared: bool,
    noise_variance: float | None,
    max_iter: int,
    tol: float,
    diagonal: bool = False,
) -> FactorAnalysis:
    mean, variance = observed_moments(rows)
    kept, spread = _units(mean, variance, floors, shared=shared)
    sorted_rows = GappyRows.of((rows[:, kept] - mean[kept]) / spread[kept])
    given = None if noise_variance is None else noise_variance / spread[0] ** 2
    likelihood = _Likelihood(
        sorted_rows,
        n_components,
        (floors / spread)[kept],
        shared=shared,
        given=given,
        diagonal=diagonal,
    )
    with threadpool_limits(limits=1 if len(mean) <= _SMALL else None):
        end = _climb(likelihood, max_iter, tol)
        on_floor = _placed(likelihood.is_on_floor(end.log_noise), kept, ~kept) > 0
        _check_bounded(on_floor & (floors == 0))
        model = FactorAnalysisModel(
            _placed(mean[kept] + spread[kept] * end.loadings[:, -1], kept, mean),
            _placed(spread[kept, None] * end.loadings[:, :-1], kept, np.zeros((len(mean), 1))),
            _placed(np.exp(end.log_noise) * spread[kept] ** 2, kept, floors**2),
        )
        if diagonal:
            constant = (~np.isnan(rows)).mean(axis=0) @ np.log(spread)
            order = np.argsort(-np.square(model.weight).sum(axis=0), kind="stable")
            model = dataclasses.replace(model, weight=orient(model.weight[:, order]))
            objective = end.objective - constant
            return FactorAnalysis(model, float(objective[-1]), objective, end.converged, on_floor)
        return _rotated(rows, model, end, on_floor)


def _units(
    mean: np.ndarray, variance: np.ndarray, floors: np.ndarray, *, shared: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Which features are fitted, and the unit of each: one unit if the noise is shared."""
    varies = varies_beyond_rounding(mean, variance)
    if shared:
        return np.ones_like(varies), np.full(len(mean), np.sqrt(variance.mean()))
    _check_bounded(~varies & (floors == 0))
    return varies, np.where(varies, np.sqrt(variance), 1.0)


class _Likelihood:
    """Mean log likelihood as a function of W̃ = (W, μ) and log Ψ, its slope, and the EM step.

    The slope is that of the expected complete-data log likelihood (Fisher's identity).
    """

    def __init__(
        self,
        rows: GappyRows,
        n_components: int,
        floor: np.ndarray,
        *,
        shared: bool,
        given: float | None,
        diagonal: bool = False,
    ):
        self.diagonal = diagonal
        self.rows, self.k, self.shared, self.given = rows, n_components, shared, given
        self.floor = floor
        self.lowest = np.log(np.maximum(floor**2, _LEAST))
        self.counts = rows.seen.sum(axis=0)
        self.squares = np.einsum("nd,nd->d", rows.values, rows.values)

    def start(self) -> Parameters:
        """W̃ and log Ψ of the complete-data solution for the pairwise covariance."""
        covariance = pairwise_covariance(self.rows.values, self.rows.seen)
        none = np.zeros((len(self.floor), 1))
        if self.shared:
            given, floor = self.given, float(self.floor[0])
            spectrum = eigendecompose(covariance)
            model = optimum(spectrum, self.k, noise_variance=given, floor=floor).model
            log_noise = np.full(len(self.floor), np.log(model.noise_variance))
            return np.concatenate([model.weight, none], axis=1), log_noise
        floor = np.maximum(self.floor, np.sqrt(_START_FLOOR * np.diag(covariance.matrix)))
        model = complete_factor_analysis(covariance, self.k, floor=floor).model
        return np.concatenate([model.weight, none], axis=1), np.log(model.noise_variance)

    def sums(self, loadings: np.ndarray, log_noise: np.ndarray) -> tuple[float, LatentSums]:
        """Mean log likelihood, and the sums of the posteriors of the latents."""
        sums, log_p, noise = LatentSums(len(loadings), self.k), 0.0, np.exp(log_noise)
        weight, mean = loadings[:, :-1], loadings[:, -1]
        for part in latent_posteriors(self.rows, mean, weight, noise, diagonal=self.diagonal):
            sums.add(part, self.rows.seen[part.rows], self.rows.values[part.rows])
            log_p += float(part.log_density.sum())
        return log_p / len(self.rows.values), sums

    def step(self, loadings: np.ndarray, log_noise: np.ndarray) -> Parameters:
        """One iteration of EM: regress each feature on (z, 1)."""
        _, sums = self.sums(loadings, log_noise)
        best = sums.regress()
        if self.given is not None:
            return best, log_noise
        rest = np.maximum(self.squares - np.einsum("dk,dk->d", sums.first, best), 0.0)
        if self.shared:
            rest, counts = np.full_like(rest, rest.sum()), self.counts.sum()
        else:
            counts = self.counts
        with np.errstate(divide="ignore"):
            return best, np.maximum(np.log(rest / counts), self.lowest)

    def value_and_slope(
        self, loadings: np.ndarray, log_noise: np.ndarray
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Mean log likelihood, and its derivatives by W̃ (d, k + 1) and log Ψ (d,)."""
        value, sums = self.sums(loadings, log_noise)
        noise, n = np.exp(log_noise), len(self.rows.values)
        mapped = np.einsum("dij,dj->di", sums.gram, loadings)
        by_loadings = (sums.first - mapped) / noise[:, None] / n
        rest = self.squares + np.einsum("di,di->d", mapped - 2 * sums.first, loadings)
        return value, by_loadings, 0.5 * (rest / noise - self.counts) / n

    def is_on_floor(self, log_noise: np.ndarray) -> np.ndarray:
        """Which noise variances are at their lower bounds, shape (d,)."""
        return (log_noise <= self.lowest + _NEAR) & (self.given is None)


class _Scaled:
    """The likelihood in coordinates u in which the complete-data one has a unit Hessian.

    W̃_j = W̃_j⁰ + L_j u_j with L_jL_jᵀ = nψ_j(Σ E[z̃z̃ᵀ])⁻¹, and log ψ_j = u √(2n/n_j), at the start.
    A step along the slope in u is then about one of EM, and L-BFGS learns what the gaps change.

    References: Jamshidian & Jennrich (1997), Acceleration of the EM algorithm by using
    quasi-Newton methods.
    """

    def __init__(self, likelihood: _Likelihood, start: Parameters):
        self.of, (self.origin, log_noise) = likelihood, start
        n, noise = len(likelihood.rows.values), np.exp(log_noise)
        gram = likelihood.sums(*start)[1].gram
        self.roots = np.linalg.cholesky(np.linalg.inv(gram / (n * noise[:, None, None])))
        counts = likelihood.counts
        if likelihood.shared:
            self.unit = np.sqrt([2 * n / counts.sum()])
        else:
            self.unit = np.sqrt(2 * n / counts)
        free = slice(0, 0 if likelihood.given is not None else len(self.unit))
        self.unit, self.given = self.unit[free], log_noise
        self.start = np.concatenate([np.zeros(self.origin.size), log_noise[free] / self.unit])
        none = np.full(self.origin.size, -np.inf)
        self.lowest = np.concatenate([none, likelihood.lowest[free] / self.unit])

    def parameters(self, u: np.ndarray) -> Parameters:
        """W̃ (d, k + 1) and log Ψ (d,)."""
        at = u[: self.origin.size].reshape(self.origin.shape)
        loadings = self.origin + np.einsum("dij,dj->di", self.roots, at)
        if not self.unit.size:
            return loadings, self.given
        log_noise = u[self.origin.size :] * self.unit
        return loadings, np.broadcast_to(log_noise, (len(loadings),))

    def loss(self, u: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the mean log likelihood, and its derivative by u."""
        value, by_loadings, by_noise = self.of.value_and_slope(*self.parameters(u))
        if self.unit.size < len(by_noise):
            by_noise = by_noise.sum(keepdims=True)[: self.unit.size]
        along = np.einsum("dij,di->dj", self.roots, by_loadings).ravel()
        return -value, -np.concatenate([along, by_noise * self.unit])


def _climb(likelihood: _Likelihood, max_iter: int, tol: float) -> "_End":
    """Maximise by a few iterations of EM, then by L-BFGS."""
    current, values = likelihood.start(), []
    for _ in range(min(_EM_STEPS, max_iter)):
        values.append(likelihood.sums(*current)[0])
        current = likelihood.step(*current)
    scaled = _Scaled(likelihood, current)

    def after(intermediate_result: scipy.optimize.OptimizeResult) -> None:
        values.append(-float(intermediate_result.fun))

    result = _OPTIMIZE.minimize(
        scaled.loss,
        scaled.start,
        jac=True,
        method="L-BFGS-B",
        bounds=_OPTIMIZE.Bounds(scaled.lowest, np.inf),
        callback=after,
        options={**_OPTIONS, "maxiter": max_iter, "maxfun": 2 * max_iter, "ftol": tol},
    )
    values.append(-float(result.fun))
    loadings, log_noise = scaled.parameters(result.x)
    return _End(loadings, log_noise, np.array(values), bool(result.status != 1))


@dataclasses.dataclass(frozen=True, eq=False)
class _End:
    loadings: np.ndarray
    log_noise: np.ndarray
    objective: np.ndarray
    converged: bool


def _placed(values: np.ndarray, at: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return ``others`` with ``values`` at the features of a mask."""
    result = np.array(np.broadcast_to(others, (len(at), *values.shape[1:])), np.float64)
    result[at] = values
    return result


def _rotated(
    rows: np.ndarray, model: FactorAnalysisModel, end: _End, on_floor: np.ndarray
) -> FactorAnalysis:
    """Rotate the latents so that the columns of Ψ^{−1/2}W are orthogonal, the longest first.

    Directions that the iterations shrink towards zero are set to zero if that costs no likelihood.
    """
    scale = model.noise_scale[:, None]
    axes, lengths, _ = np.linalg.svd(model.weight / scale, full_matrices=False)
    loadings = np.zeros_like(model.weight)
    loadings[:, : len(lengths)] = orient(scale * axes * lengths)
    model = dataclasses.replace(model, weight=loadings)
    reached = _mean_log_density(rows, model)
    faded = np.square(loadings / scale).sum(axis=0) < _FADED
    if faded.any():
        without = dataclasses.replace(model, weight=np.where(faded, 0.0, loadings))
        value = _mean_log_density(rows, without)
        if value >= reached - _SLACK * abs(reached):
            model, reached = without, value
    objective = end.objective + (reached - end.objective[-1])
    return FactorAnalysis(model, reached, objective, end.converged, on_floor)


def _mean_log_density(rows: np.ndarray, model: FactorAnalysisModel) -> float:
    parts = latent_posteriors(GappyRows.of(rows), model.mean, model.weight, model.noise_variance)
    return float(sum(part.log_density.sum() for part in parts) / len(rows))


def _check_bounded(vanishing: np.ndarray) -> None:
    if vanishing.any():
        at = named_features(np.flatnonzero(vanishing))
        raise UnboundedLikelihoodError(
            "The noise of each feature must have a floor or variance of its own; that of "
            f"{vanishing.sum()} of {len(vanishing)} features ({at}) shrinks to zero, since they "
            "never vary or are combinations of others, so the likelihood is infinite. Give a "
            "positive `resolution`, or drop such features."
        )
