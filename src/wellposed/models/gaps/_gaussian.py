"""The multivariate Gaussian of rows with gaps, by expectation maximisation with a ridge."""

import dataclasses

import numpy as np
from threadpoolctl import threadpool_limits

from .._gaussian import GaussianModel
from .._marginal import GappyRows
from .._spectrum import varies
from ._climb import climb
from ._moments import observed_moments, pairwise_covariance

_CONSTANT = 1e-6  # unit of a feature that never varies, as a share of its value
_FARTHEST = 1e6  # of parameters in standardised units that an acceleration may reach
_SMALL = 400  # features up to which one thread is faster than several that wait for each other


@dataclasses.dataclass(frozen=True)
class GaussianFit:
    """A maximum of the penalised likelihood of a Gaussian.

    Parameters
    ----------
    model : :class:`wellposed.models.GaussianModel`, in the units of the rows
    log_likelihood : mean log p of the observed entries, nats
    objective : shape (iterations,), the penalised mean log likelihood after each iteration
    converged : whether the iterations ended before ``max_iter``
    """

    model: GaussianModel
    log_likelihood: float
    objective: np.ndarray
    converged: bool


def gaussian(
    rows: np.ndarray,
    *,
    ridge: float,
    start: GaussianModel | None = None,
    max_iter: int = 500,
    tol: float = 1e-7,
) -> GaussianFit:
    r"""Fit a Gaussian with a full covariance to rows with ignorable gaps.

    With D the diagonal of the variances of observed entries and ρ the ridge, it maximises

    .. math:: \frac1n \sum_i \log N(x_{i,o} \mid \mu_o, \Sigma_o)
       - \frac\rho2 \left[\log\det\Sigma + \operatorname{tr}(\Sigma^{-1}D)\right],

    the posterior of an inverse Wishart distribution with ρn pseudo-rows of covariance D. In the
    maximisation Σ = (S + ρD)/(1 + ρ), with S the mean of E[(x − μ)(x − μ)ᵀ | x_o].

    Parameters
    ----------
    rows : shape (n, d), float64; NaN is a gap
    ridge : ρ > 0
    start : of the iterations; None is the pairwise covariance
    max_iter : iterations at most
    tol : stop when three iterations in a row change the objective by less than this share

    Raises
    ------
    DataError
        If a feature has no observed entry.

    References: Dempster, Laird & Rubin (1977); Schafer (1997), Analysis of incomplete multivariate
    data, §5.2.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(2_000, 2)) @ [[1.0, 0.9], [0.0, 0.6]]
    >>> rows[::2, 1] = np.nan
    >>> gaussian(rows, ridge=1e-6).model.covariance.round(1).tolist()
    [[1.0, 0.9], [0.9, 1.1]]
    """
    mean, variance = observed_moments(rows, constant=True)
    constant = _CONSTANT * np.where(mean == 0, 1.0, np.abs(mean))
    spread = np.where(varies(mean, variance), np.sqrt(variance), constant)
    em = _EM(GappyRows.of((rows - mean) / spread), ridge)
    with threadpool_limits(limits=1 if len(mean) <= _SMALL else None):
        begin = em.start() if start is None else em.standardised(start, mean, spread)
        end = climb(em.step, begin, max_iter=max_iter, tol=tol)
        standard = em.unpack(end.parameters)
        log_p = em.log_likelihood(standard) - (~np.isnan(rows)).mean(axis=0) @ np.log(spread)
    covariance = standard.covariance * np.outer(spread, spread)
    model = GaussianModel(mean + spread * standard.mean, covariance)
    return GaussianFit(model, float(log_p), end.objective, end.converged)


class _EM:
    """Expectation maximisation of μ and log Cholesky factor of Σ, in one vector of parameters."""

    def __init__(self, rows: GappyRows, ridge: float):
        self.rows, self.ridge, self.d = rows, ridge, rows.values.shape[1]
        self._lower = np.tril_indices(self.d)

    def start(self) -> np.ndarray:
        """Parameters of the pairwise covariance."""
        matrix = pairwise_covariance(self.rows.values, self.rows.seen).matrix
        return self._pack(np.zeros(len(matrix)), self._shrunk(matrix))

    def standardised(self, start: GaussianModel, mean: np.ndarray, unit: np.ndarray) -> np.ndarray:
        """Parameters of a Gaussian in the units of the rows."""
        return self._pack((start.mean - mean) / unit, start.covariance / np.outer(unit, unit))

    def step(self, parameters: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the parameters after one iteration, and the objective before it."""
        if not np.isfinite(parameters).all() or np.abs(parameters).max() > _FARTHEST:
            return parameters, -np.inf
        model = self.unpack(parameters)
        d, n = self.d, len(self.rows.values)
        first, second, spread, log_p = np.zeros(d), np.zeros((d, d)), np.zeros((d + 1) ** 2), 0.0
        for part in model.filled(self.rows):
            first += part.values.sum(axis=0)
            second += part.values.T @ part.values
            counts = np.bincount(part.pattern)
            places = part.at[:, :, None] * (d + 1) + part.at[:, None, :]
            weights = part.covariance * counts[:, None, None]
            spread += np.bincount(places.ravel(), weights.ravel(), (d + 1) ** 2)
            log_p += float(part.log_density.sum())
        shift = first / n
        second += spread.reshape(d + 1, d + 1)[:-1, :-1]
        reached = self._shrunk(second / n - np.outer(shift, shift))
        log_det = np.linalg.slogdet(model.covariance)[1]
        penalty = log_det + np.trace(model.precision)
        return self._pack(model.mean + shift, reached), log_p / n - 0.5 * self.ridge * penalty

    def _shrunk(self, matrix: np.ndarray) -> np.ndarray:
        return (matrix + self.ridge * np.eye(len(matrix))) / (1 + self.ridge)

    def _pack(self, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        root = np.linalg.cholesky(covariance)
        root[np.diag_indices_from(root)] = np.log(np.diag(root))
        return np.concatenate([mean, root[self._lower]])

    def unpack(self, parameters: np.ndarray) -> GaussianModel:
        """Return the Gaussian in standardised units."""
        d = self.d
        root = np.zeros((d, d))
        root[self._lower] = parameters[d:]
        root[np.diag_indices_from(root)] = np.exp(np.diag(root))
        return GaussianModel(parameters[:d], root @ root.T)

    def log_likelihood(self, model: GaussianModel) -> float:
        """Mean log p of the observed entries."""
        total = sum(float(part.log_density.sum()) for part in model.filled(self.rows))
        return total / len(self.rows.values)
