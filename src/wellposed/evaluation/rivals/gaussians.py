"""One Gaussian and a mixture of Gaussians, fitted to rows that are capped in number."""

import dataclasses
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.linalg
from threadpoolctl import threadpool_limits

from wellposed._typing import PRNGKey
from wellposed.numerics import LOG_2PI, host_generator

from .linear import leading

SIZES = (2, 3, 4, 6, 8, 12)  # components tried
REGULARISATIONS = (1e-6, 1e-4, 1e-2)  # added to variances, in units of the features' variances
_IN_VAIN = 2  # sizes tried beyond the best
_HELD_OUT = 0.2
_SEARCHED = 2_000  # rows at most, to choose size and regularisation
_ITERATIONS = 60


@dataclasses.dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of Gaussians with full covariances.

    Parameters
    ----------
    log_weights : shape (m,)
    means : shape (m, d)
    covariances : shape (m, d, d)

    Examples
    --------
    >>> one = Mixture(np.zeros(1), np.zeros((1, 2)), np.eye(2)[None])
    >>> one.log_density(np.zeros((1, 2))).round(4).tolist()
    [-1.8379]
    """

    log_weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    def log_density(self, rows: np.ndarray) -> np.ndarray:
        """log p of rows of shape (n, d): shape (n,), nats."""
        parts = zip(self.log_weights, self.means, self.covariances, strict=True)
        each = [weight + _log_normal(rows - mean, cov) for weight, mean, cov in parts]
        return np.logaddexp.reduce(each, axis=0)


def _log_normal(centred: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    factor = scipy.linalg.cholesky(covariance, lower=True)
    white = scipy.linalg.solve_triangular(factor, centred.T, lower=True)
    constant = np.log(np.diag(factor)).sum() + 0.5 * len(factor) * LOG_2PI
    return -0.5 * (white**2).sum(axis=0) - constant


@dataclasses.dataclass(frozen=True, eq=False)
class Standard:
    """Rows with mean zero and variance one in each feature.

    Parameters
    ----------
    mean, scale : shape (d,)
    floors : shape (d,), smallest standard deviations, in units of ``scale``
    """

    mean: np.ndarray
    scale: np.ndarray
    floors: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, floors: np.ndarray) -> "Standard":
        """Take mean and scale from rows of shape (n, d); floors are in units of the rows."""
        scale = np.maximum(rows.std(axis=0), np.maximum(floors, np.finfo(np.float64).tiny))
        return cls(rows.mean(axis=0), scale, floors / scale)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        return (rows - self.mean) / self.scale

    @property
    def log_det(self) -> float:
        """Log determinant of the map, nats."""
        return -float(np.log(self.scale).sum())


def fit_gaussian(rows: np.ndarray, floors: np.ndarray) -> tuple[Mixture, str]:
    """Fit one Gaussian to standardised rows, its covariance shrunk where it would be singular.

    Parameters
    ----------
    rows : shape (n, d)
    floors : shape (d,), standard deviation of the rounding, added to the covariance

    Returns
    -------
    The Gaussian, and a word on its covariance.

    References: Ledoit & Wolf (2004) for the shrinkage.
    """
    n, d = rows.shape
    mean = rows.mean(axis=0)
    covariance = np.cov(rows.T, bias=True).reshape(d, d)
    least, most = scipy.linalg.eigvalsh(covariance)[[0, -1]]
    kind = "covariance of the rows"
    if n <= d or least + (floors**2).min() <= d * np.finfo(np.float64).eps * most:
        from sklearn.covariance import ledoit_wolf  # its import takes longer than the fit

        covariance, kind = ledoit_wolf(rows)[0], "covariance shrunk (Ledoit-Wolf)"
    return Mixture(np.zeros(1), mean[None], (covariance + np.diag(floors**2))[None]), kind


def fit_mixture(rows: np.ndarray, floors: np.ndarray, *, key: PRNGKey) -> tuple[Mixture, str]:
    """Fit a mixture to standardised rows, its size and regularisation chosen by validation.

    A fifth of at most 2,000 rows validates the choice; the chosen mixture is then fitted to all
    rows.

    Parameters
    ----------
    rows : shape (n, d)
    floors : shape (d,), standard deviation of the rounding, added to each covariance
    key : PRNG key of the rows that validate

    Returns
    -------
    The mixture, and its choice in words.

    Raises
    ------
    ValueError
        If no candidate can be fitted.
    """
    order = host_generator(key).permutation(len(rows))[:_SEARCHED]
    held = max(1, round(_HELD_OUT * len(order)))
    training, validation = rows[order[held:]], rows[order[:held]]
    scores: dict[tuple[int, float], float] = {}
    for choice in _candidates(scores, len(training)):
        try:
            fitted = _fit(training, *choice, floors)
            scores[choice] = float(fitted.log_density(validation).mean())
        except (ValueError, np.linalg.LinAlgError):  # a component with too few rows
            scores[choice] = -np.inf
    for size, regularisation in sorted(scores, key=scores.__getitem__, reverse=True):
        try:
            fitted = _fit(rows, size, regularisation, floors)
        except (ValueError, np.linalg.LinAlgError):
            continue
        return fitted, f"{size} components, regularisation {regularisation:g}"
    raise ValueError(f"no mixture can be fitted to {len(rows)} rows")


@dataclasses.dataclass(frozen=True, eq=False)
class Projected:
    """A density of coordinates along directions, beside noise of one variance in all others.

    Parameters
    ----------
    mean : shape (d,)
    directions : shape (d, q), orthonormal columns
    within : density of the coordinates, standardised
    standard : of the coordinates
    variance : of the noise in the other directions
    """

    mean: np.ndarray
    directions: np.ndarray
    within: Mixture
    standard: Standard
    variance: float

    def log_density(self, rows: np.ndarray) -> np.ndarray:
        """log p of rows of shape (n, d): shape (n,), nats."""
        centred = rows - self.mean
        along = centred @ self.directions
        across = ((centred - along @ self.directions.T) ** 2).sum(axis=1)
        d, q = self.directions.shape
        log_rest = -0.5 * (across / self.variance + (d - q) * (LOG_2PI + np.log(self.variance)))
        within = self.within.log_density(self.standard(along)) + self.standard.log_det
        return within + log_rest


def fit_projected(
    rows: np.ndarray, floor: float, *, n_directions: int, key: PRNGKey
) -> tuple[Projected, str]:
    """Fit a mixture along the leading directions of wide rows, and one variance beside.

    Parameters
    ----------
    rows : shape (n, d)
    floor : smallest standard deviation of the noise
    n_directions : q < d
    key : PRNG key of the rows that validate

    Raises
    ------
    ValueError
        If no mixture can be fitted.
    """
    q = n_directions
    axes = leading(rows, q)
    variance = max(axes.left_over(q) / (len(axes.mean) - q), floor**2)
    directions = axes.eigenvectors[:, :q]
    along = (rows - axes.mean) @ directions
    standard = Standard.of(along, np.full(q, floor))
    within, chosen = fit_mixture(standard(along), standard.floors, key=key)
    chosen += f", along {q} directions"
    return Projected(axes.mean, directions, within, standard, variance), chosen


def _candidates(scores: dict[tuple[int, float], float], n_rows: int) -> Iterator[tuple[int, float]]:
    """Yield sizes and regularisations; the size rises until two in a row are no better."""
    for regularisation in REGULARISATIONS:
        best, in_vain = -np.inf, 0
        for size in SIZES:
            if 2 * size > n_rows or in_vain == _IN_VAIN:
                break
            yield size, regularisation
            reached = scores[size, regularisation]
            in_vain = 0 if reached > best else in_vain + 1
            best = max(best, reached)


def _fit(rows: np.ndarray, size: int, regularisation: float, floors: np.ndarray) -> Mixture:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture  # its import takes longer than a fit

    mixture: Any = GaussianMixture(
        size, reg_covar=regularisation, max_iter=_ITERATIONS, random_state=0
    )
    with warnings.catch_warnings(), threadpool_limits(limits=1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(rows)
    covariances = mixture.covariances_ + np.diag(floors**2)
    return Mixture(np.log(mixture.weights_), mixture.means_, covariances)
