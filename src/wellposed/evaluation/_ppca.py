"""Probabilistic PCA by maximum likelihood: the exact model that a VAE must beat."""

import dataclasses

import numpy as np

from wellposed._errors import SettingError
from wellposed.numerics import LOG_2PI


@dataclasses.dataclass(frozen=True)
class PPCADensity:
    r"""p(x) = N(m, W Wᵀ + σ² I), in data units.

    Kept as the covariance's eigenvalues and eigenvectors; ``noise_variance`` is σ².
    """

    mean: np.ndarray  # (d,)
    eigenvalues: np.ndarray  # (d,), ascending
    eigenvectors: np.ndarray  # (d, d), one a column
    noise_variance: float

    def log_density(self, rows: np.ndarray) -> np.ndarray:
        """log p(x) of rows of shape (n, d): shape (n,), nats."""
        scores = (rows - self.mean) @ self.eigenvectors
        quadratic = (scores**2 / self.eigenvalues).sum(axis=1)
        d = len(self.mean)
        return -0.5 * (d * LOG_2PI + np.log(self.eigenvalues).sum() + quadratic)


def fit_ppca(rows: np.ndarray, n_components: int) -> PPCADensity:
    r"""Fit the pPCA that is most likely for rows of shape (n, d).

    With the eigenvalues λ of the rows' covariance in falling order,

    .. math:: \sigma^2 = \frac{1}{d - k} \sum_{j > k} \lambda_j

    and the first k eigenvalues are kept as they are.

    Raises
    ------
    SettingError
        If no variance is left for the noise: then the likelihood has no maximum.

    References: Tipping & Bishop (1999), eqs 3, 8.
    """
    d = rows.shape[1]
    mean = rows.mean(axis=0, dtype=np.float64)
    centred = rows - mean
    values, vectors = np.linalg.eigh(centred.T @ centred / len(rows))
    discarded = values[: max(d - n_components, 0)]
    variance = float(discarded.mean()) if discarded.size else 0.0
    if variance <= 1e-12 * values[-1]:
        raise SettingError(
            f"pPCA needs variance left over for its noise; {n_components} components leave "
            f"{variance:.3g}. Use fewer components."
        )
    kept = values[discarded.size :]
    spectrum = np.concatenate([np.full(discarded.size, variance), kept])
    return PPCADensity(mean, spectrum, vectors, variance)
