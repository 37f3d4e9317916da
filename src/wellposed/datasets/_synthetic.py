"""Synthetic tables of known log density, as references for estimates."""

import math
from dataclasses import dataclass

import numpy as np

from wellposed._checks import check_count, check_number


@dataclass(frozen=True, eq=False)
class LinearGaussian:
    """Draws of a linear-Gaussian model, with its parameters and log densities.

    Parameters
    ----------
    values : array of shape (n, d)
        The data, float64.
    log_density : array of shape (n,)
        log p(x) of every row, in nats, exact.
    latents : array of shape (n, k)
        The z of each row.
    mean : array of shape (d,)
        The mean of x.
    loadings : array of shape (d, k)
        W; its columns are orthogonal, of squared lengths k, k − 1, …, 1.
    noise_variance : float
        σ², in squared data units.

    Examples
    --------
    >>> from wellposed.datasets import linear_gaussian
    >>> drawn = linear_gaussian(5, n_features=4, n_latents=2, noise_variance=1.0, seed=0)
    >>> drawn.loadings.shape, drawn.log_density.shape
    ((4, 2), (5,))
    """

    values: np.ndarray
    log_density: np.ndarray
    latents: np.ndarray
    mean: np.ndarray
    loadings: np.ndarray
    noise_variance: float


def linear_gaussian(
    n: int,
    *,
    n_features: int,
    n_latents: int,
    noise_variance: float,
    seed: int | np.random.Generator,
) -> LinearGaussian:
    r"""Draw x = m + W z + σ ε with z, ε standard normal, and compute log p(x).

    With orthogonal columns of W = Q diag(s), c = x − m and t = Qᵀ c,

    .. math::
        \log p(x) = -\tfrac12 \Bigl( d \log 2\pi + (d - k) \log \sigma^2
        + \sum_j \log (s_j^2 + \sigma^2) + \frac{\|c - Q t\|^2}{\sigma^2}
        + \sum_j \frac{t_j^2}{s_j^2 + \sigma^2} \Bigr)

    The eigenvalues of the covariance are s_j² + σ² and σ².

    Parameters
    ----------
    n : int
        Rows.
    n_features, n_latents : int
        d and k, with 0 ≤ k ≤ d.
    noise_variance : float
        σ² > 0, in squared data units.
    seed : int or Generator
        Seed of the draws; there is no default.

    Raises
    ------
    SettingError
        If a size or the noise variance is out of range.

    References: Tipping & Bishop (1999), eqs 3–5.

    Examples
    --------
    >>> from wellposed.datasets import linear_gaussian
    >>> data = linear_gaussian(5, n_features=3, n_latents=1, noise_variance=0.1, seed=0)
    >>> data.values.shape, data.log_density.shape
    ((5, 3), (5,))
    """
    _check(n, n_features, n_latents, noise_variance)
    generator = np.random.default_rng(seed)
    directions, _ = np.linalg.qr(generator.standard_normal((n_features, n_latents)))
    signal = np.arange(n_latents, 0, -1, dtype=float)  # s²: distinct, so that directions are unique
    loadings = directions * np.sqrt(signal)
    mean = generator.standard_normal(n_features)
    latents = generator.standard_normal((n, n_latents))
    noise = math.sqrt(noise_variance) * generator.standard_normal((n, n_features))
    centred = latents @ loadings.T + noise
    log_density = _log_density(centred, directions, signal, noise_variance)
    return LinearGaussian(
        centred + mean, log_density, latents, mean, loadings, float(noise_variance)
    )


def _log_density(
    centred: np.ndarray, directions: np.ndarray, signal: np.ndarray, noise_variance: float
) -> np.ndarray:
    n_features, n_latents = directions.shape
    along = centred @ directions
    # The residual itself, not ‖c‖² − ‖t‖²: for small σ² the difference cancels.
    across = centred - along @ directions.T
    log_det = (n_features - n_latents) * math.log(noise_variance)
    log_det += np.sum(np.log(signal + noise_variance))
    distance = np.sum(across**2, axis=1) / noise_variance
    distance += np.sum(along**2 / (signal + noise_variance), axis=1)
    return -0.5 * (n_features * math.log(math.tau) + log_det + distance)


def _check(n: int, n_features: int, n_latents: int, noise_variance: float) -> None:
    check_count("n", n, most=10**9)
    check_count("n_features", n_features)
    remedy = "There are at most as many as features."
    check_count("n_latents", n_latents, remedy, low=0, most=n_features)
    check_number("noise_variance", noise_variance, "Without noise there is no density.", above=0)
