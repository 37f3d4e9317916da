"""Factor analysis: the linear Gaussian latent variable model with a noise variance a feature."""

import dataclasses
from functools import cached_property
from typing import Any

import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.sparse.linalg
from threadpoolctl import threadpool_limits

from wellposed._errors import UnboundedLikelihoodError, named_features
from wellposed.numerics import LOG_2PI

from ._linear_gaussian import AbstractLinearGaussian
from ._marginal import has_gaps
from ._ppca import PPCAModel
from ._spectrum import Covariance, constant_error, orient

_ARPACK: Any = scipy.sparse.linalg  # its functions have incomplete types
_OPTIMIZE: Any = scipy.optimize
_LEAST = 1e-14  # share of a feature's variance, the smallest noise variance without a floor
# Directions up to which all are computed; on one thread, since the threads of products this small
# wait longer than they compute where other processes are busy.
_DENSE = 400
_ROUNDING = 50 * np.finfo(np.float64).eps  # of singular values
_NEAR = 1e-6  # distance from the floor, of log Ψ
_FEW = 8  # share of directions, 1/8, up to which an iterative solver finds them faster
_OPTIONS = {"maxcor": 20, "gtol": 1e-9, "maxls": 40}


@dataclasses.dataclass(frozen=True)
class FactorAnalysisModel(AbstractLinearGaussian):
    r"""z ~ N(0, I_k), x | z ~ N(Wz + μ, Ψ) with diagonal Ψ, in model units and float64.

    .. math:: p(x) = N(\mu, WW^T + \Psi), \qquad
       p(z \mid x) = N(M^{-1}W^T\Psi^{-1}(x - \mu), M^{-1}), \quad M = I + W^T\Psi^{-1}W

    In units of √Ψ it is a probabilistic PCA with σ² = 1, by which everything is computed.

    Parameters
    ----------
    mean : μ, shape (d,)
    weight : W, shape (d, k)
    noise_variance : diagonal of Ψ, shape (d,), model units²

    References: Rubin & Thayer (1982), EM algorithms for ML factor analysis.

    Examples
    --------
    >>> model = FactorAnalysisModel(np.zeros(2), np.array([[2.0], [0.0]]), np.array([4.0, 1.0]))
    >>> model.posterior_means(np.array([[2.0, 5.0]])).tolist(), model.posterior_covariance.tolist()
    ([[0.5]], [[0.5]])
    """

    mean: np.ndarray
    weight: np.ndarray
    noise_variance: np.ndarray

    def log_density(self, rows: np.ndarray) -> np.ndarray:
        """log p(x) of rows of shape (n, d), of their observed entries: shape (n,), nats."""
        if has_gaps(rows):
            return self._given_observed(rows)[0]
        return self._whitened.log_density(self._whiten(rows)) - np.log(self.noise_scale).sum()

    def posterior_means(self, rows: np.ndarray) -> np.ndarray:
        """E[z | x] of rows of shape (n, d), given their observed entries: shape (n, k)."""
        if has_gaps(rows):
            return self._given_observed(rows)[1]
        return self._whitened.posterior_means(self._whiten(rows))

    @property
    def posterior_covariance(self) -> np.ndarray:
        """Cov[z | x], shape (k, k): the same for every x."""
        return self._whitened.posterior_covariance

    @property
    def noise_scale(self) -> np.ndarray:
        """√Ψ, shape (d,)."""
        return np.sqrt(self.noise_variance)

    def _whiten(self, rows: np.ndarray) -> np.ndarray:
        return (rows - self.mean) / self.noise_scale

    @cached_property
    def _whitened(self) -> PPCAModel:
        weight = self.weight / self.noise_scale[:, None]
        return PPCAModel(np.zeros(len(self.mean)), weight, 1.0)


@dataclasses.dataclass(frozen=True)
class FactorAnalysis:
    """A maximum of the likelihood of factor analysis.

    Parameters
    ----------
    model : the factor analysis, in model units. The columns of Ψ^{−1/2}W are orthogonal, the
        longest first, so that a posterior with independent latents is exact; the columns of
        latents that the data do not need are zero
    log_likelihood : mean log p(x), nats in data units
    objective : shape (iterations,), the same after each iteration
    converged : whether the iterations ended before ``max_iter``
    on_floor : shape (d,), which noise variances are at their floor

    Examples
    --------
    >>> matrix = np.array([[2.0, 1.0, 1.0], [1.0, 3.0, 1.0], [1.0, 1.0, 4.0]])
    >>> factor_analysis(Covariance(np.zeros(3), matrix, 9), 1).converged
    True
    """

    model: FactorAnalysisModel
    log_likelihood: float
    objective: np.ndarray
    converged: bool
    on_floor: np.ndarray


def factor_analysis(
    covariance: Covariance,
    n_components: int,
    *,
    floor: np.ndarray | float = 0.0,
    max_iter: int = 1_000,
    tol: float = 1e-12,
) -> FactorAnalysis:
    r"""Maximise the likelihood of factor analysis from the covariance of the data.

    For a given Ψ the maximum over W has a closed form, pPCA in units of √Ψ. With the eigenvalues θ
    of Ψ^{−1/2}SΨ^{−1/2} and the set A of the k largest of those above one, the mean log likelihood

    .. math:: -\tfrac12 \left[d \log 2\pi + \log\det\Psi + \textstyle\sum_{j \in A}
       (\log\theta_j + 1) + \sum_{j \notin A} \theta_j\right]

    is maximised over log Ψ by L-BFGS, with the floors as bounds. There can be several maxima. The
    starts are pPCA, below whose likelihood the result therefore never falls, pPCA of the
    standardised features, and what regressions on the other features leave of each; the best end is
    returned. Above 400 features it starts once, at the more likely one of the first two. Where
    n < d, no matrix of shape (d, d) is decomposed.

    Parameters
    ----------
    covariance : Covariance of the data
    n_components : number of latents, k ≥ 1
    floor : smallest noise standard deviations, scalar or shape (d,), model units
    max_iter : iterations from each start at most
    tol : stop when an iteration changes the mean log likelihood by less than this share

    Raises
    ------
    DataError
        If no feature varies.
    UnboundedLikelihoodError
        If a feature without a floor never varies or is a combination of others.

    References: Jöreskog (1967), Some contributions to maximum likelihood factor analysis.

    Examples
    --------
    >>> matrix = np.array([[2.0, 1.0, 1.0], [1.0, 3.0, 1.0], [1.0, 1.0, 4.0]])
    >>> factor_analysis(Covariance(np.zeros(3), matrix, 9), 1).model.noise_variance.round(4)
    array([1., 2., 3.])
    """
    floors, varies, d = _floors(covariance, floor), covariance.varies, len(covariance.mean)
    with threadpool_limits(limits=1 if d <= _DENSE else None):
        profile = _Profile(covariance.factor[:, varies], n_components, floors[varies])
        ends = [_climb(profile, start, max_iter, tol) for start in profile.starts()]
    log_noise, objective, converged = max(ends, key=lambda end: end[1][-1])
    profile.check_bounded(log_noise, np.flatnonzero(varies), d)
    # A feature that never varies has a zero row in W, and its noise at the floor.
    noise, weight, on_floor = floors**2, np.zeros((d, n_components)), ~varies
    noise[varies], weight[varies] = np.exp(log_noise), profile.weight(log_noise)
    on_floor[varies] = profile.is_on_floor(log_noise)
    objective = objective - 0.5 * (LOG_2PI + np.log(noise[~varies])).sum() + covariance.log_det
    model = FactorAnalysisModel(covariance.mean, weight, noise)
    return FactorAnalysis(model, float(objective[-1]), objective, converged, on_floor)


def _floors(covariance: Covariance, floor: np.ndarray | float) -> np.ndarray:
    """Return the floors, shape (d,); refuse data and floors for which there is no maximum."""
    varies, d = covariance.varies, len(covariance.mean)
    if not varies.any():
        raise constant_error(d, covariance.n_rows)
    floors = np.broadcast_to(np.asarray(floor, np.float64), (d,))
    if (floors[~varies] == 0).any():
        raise _unbounded_error(~varies & (floors == 0))
    return floors


class _Profile:
    """The likelihood as a function of log Ψ, with the best W for each, and its gradient."""

    def __init__(self, root: np.ndarray, n_components: int, floor: np.ndarray):
        self.root, self.k, self.floor = root, n_components, floor
        self.variances = np.einsum("rd,rd->d", root, root)
        self.lowest = np.log(np.maximum(floor**2, _LEAST * self.variances))
        self._spread = np.sqrt(self.variances)
        self._last: np.ndarray | None = None

    def is_on_floor(self, log_noise: np.ndarray) -> np.ndarray:
        """Shape (d,): which noise variances are at their lower bounds."""
        return log_noise <= self.lowest + _NEAR

    def check_bounded(self, log_noise: np.ndarray, features: np.ndarray, d: int) -> None:
        """Refuse noise that vanishes because a feature is a combination of others.

        ``features`` are the numbers of the features among all d.
        """
        vanishing = self.is_on_floor(log_noise) & (self.floor == 0)
        if vanishing.any() and self._is_singular(vanishing):
            raise _unbounded_error(np.isin(np.arange(d), features[vanishing]))

    def _is_singular(self, features: np.ndarray) -> bool:
        """Whether one of these features, a mask (d,), is a combination of the others of them."""
        standard = (self.root / self._spread)[:, features]
        sizes = np.linalg.svd(standard, compute_uv=False)
        return len(sizes) < features.sum() or bool(sizes[-1] <= _ROUNDING * sizes[0])

    def starts(self) -> list[np.ndarray]:
        """log Ψ of pPCA, of pPCA of the standardised features, and by Jöreskog's rule.

        Of many features, the more likely one of the first two.
        """
        starts = [self._by_ppca(scale) for scale in (np.ones_like(self._spread), self._spread)]
        if len(self.lowest) > _DENSE:
            return [max(starts, key=lambda start: self.value_and_slope(start)[0])]
        if not self._is_singular(np.ones(len(self.lowest), bool)):
            starts.append(self._by_regression())
        return starts

    def _by_ppca(self, scale: np.ndarray) -> np.ndarray:
        _, values, rest = self._directions(self.root / scale)
        d = len(scale)
        shared = rest.sum() / (d - self.k) if self.k < d else values[-1]
        with np.errstate(divide="ignore"):
            return np.maximum(np.log(shared * scale**2), self.lowest)

    def _by_regression(self) -> np.ndarray:
        """1 − k/2d of what the other features do not explain of each: 1/(S⁻¹)ᵢᵢ."""
        _, sizes, rows = np.linalg.svd(self.root / self._spread, full_matrices=False)
        unexplained = self._spread**2 / ((rows / sizes[:, None]) ** 2).sum(axis=0)
        share = max(1.0 - self.k / (2 * len(self.lowest)), 0.5)
        return np.maximum(np.log(share * unexplained), self.lowest)

    def value_and_slope(self, log_noise: np.ndarray) -> tuple[float, np.ndarray]:
        """Mean log likelihood in model units, and its gradient in log Ψ, shape (d,)."""
        value, axes, _, rest = self._best(log_noise)
        return value, -0.5 * (1.0 - np.einsum("dk,dk->d", axes, axes) - rest)

    def weight(self, log_noise: np.ndarray) -> np.ndarray:
        """The best W, shape (d, k)."""
        _, axes, values, _ = self._best(log_noise)
        weight = np.zeros((len(log_noise), self.k))
        scale = np.exp(0.5 * log_noise)[:, None]
        weight[:, : len(values)] = orient(scale * axes * np.sqrt(values - 1.0))
        return weight

    def _best(self, log_noise: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
        """Value, active directions (d, a), their θ (a,), and the rest of each feature (d,)."""
        axes, values, rest = self._directions(self.root * np.exp(-0.5 * log_noise))
        active = values > 1.0
        rest = rest + axes[:, ~active] ** 2 @ values[~active]
        axes, values = axes[:, active], values[active]
        log_det = log_noise.sum() + np.log(values).sum()
        total = len(log_noise) * LOG_2PI + log_det + len(values) + rest.sum()
        return float(-0.5 * total), axes, values, rest

    def _directions(self, whitened: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The k first right singular vectors (d, k), squared singular values (k,), and of each
        feature what they leave of its square, shape (d,)."""
        few = min(whitened.shape)
        if few > _DENSE and self.k <= few // _FEW:
            left = self._leading(whitened)
        else:
            left = scipy.linalg.svd(whitened, full_matrices=False)[0][:, : self.k]
        along = left.T @ whitened
        residual = whitened - left @ along
        values = np.einsum("kd,kd->k", along, along)
        axes = np.divide(along, np.sqrt(values)[:, None], where=values[:, None] > 0, out=along)
        return axes.T, values, np.einsum("rd,rd->d", residual, residual)

    def _leading(self, whitened: np.ndarray) -> np.ndarray:
        """The k first left singular vectors, from those of the last call."""
        r = len(whitened)
        operator = _ARPACK.LinearOperator(
            (r, r), matvec=lambda u: whitened @ (whitened.T @ u), dtype=np.float64
        )
        start = np.ones(r) if self._last is None else self._last
        values, vectors = _ARPACK.eigsh(operator, self.k, v0=start, tol=1e-10)
        self._last = vectors.sum(axis=1)
        return vectors[:, np.argsort(values)[::-1]]


def _climb(
    profile: _Profile, start: np.ndarray, max_iter: int, tol: float
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Maximise the profile likelihood: log Ψ, the values of all iterations, and convergence."""
    values = [profile.value_and_slope(start)[0]]

    def loss(log_noise: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = profile.value_and_slope(log_noise)
        return -value, -slope

    def after(intermediate_result: scipy.optimize.OptimizeResult) -> None:
        values.append(-float(intermediate_result.fun))

    with np.errstate(divide="ignore"):
        highest = np.maximum(np.log(profile.variances), start)  # of a maximum: (S)ᵢᵢ or the floor
    result = _OPTIMIZE.minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=_OPTIMIZE.Bounds(profile.lowest, highest),
        callback=after,
        options={**_OPTIONS, "maxiter": max_iter, "maxfun": 2 * max_iter, "ftol": tol},
    )
    return result.x, np.array(values), bool(result.status != 1)


def _unbounded_error(features: np.ndarray) -> UnboundedLikelihoodError:
    at = named_features(np.flatnonzero(features))
    return UnboundedLikelihoodError(
        "The noise of each feature must have a floor or variance of its own; that of "
        f"{features.sum()} of {len(features)} features ({at}) shrinks to zero, since they never "
        "vary or are combinations of others, so the likelihood is infinite. Give a positive "
        "`resolution`, or drop such features."
    )
