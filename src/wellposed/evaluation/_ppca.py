"""Probabilistic PCA by maximum likelihood: the exact model that a VAE must beat."""

import numpy as np

from wellposed._errors import SettingError
from wellposed.numerics import LOG_2PI


def ppca_log_likelihood(training: np.ndarray, rows: np.ndarray, n_components: int) -> np.ndarray:
    r"""log p(x) of each row under the pPCA that is most likely for the training data.

    With the covariance's eigenvalues λ and eigenvectors u,

    .. math:: p(x) = N(\bar x, W W^\top + \sigma^2 I), \quad
       \sigma^2 = \frac{1}{d - k} \sum_{j > k} \lambda_j

    Parameters
    ----------
    training : array of shape (n, d)
    rows : array of shape (m, d)
    n_components : k < d

    Returns
    -------
    array of shape (m,), nats in the units of the data

    Raises
    ------
    SettingError
        If no variance is left for the noise: then the likelihood has no maximum.

    References: Tipping & Bishop (1999), eqs 3, 8.
    """
    d = training.shape[1]
    mean = training.mean(axis=0, dtype=np.float64)
    centred = training - mean
    values, vectors = np.linalg.eigh(centred.T @ centred / len(training))
    discarded = values[: max(d - n_components, 0)]
    variance = float(discarded.mean()) if discarded.size else 0.0
    if variance <= 1e-12 * values[-1]:
        raise SettingError(
            f"pPCA needs variance left over for its noise; {n_components} components leave "
            f"{variance:.3g}. Use fewer components."
        )
    spectrum = np.maximum(values, variance)
    spectrum[: discarded.size] = variance
    scores = (rows - mean) @ vectors
    return -0.5 * (d * LOG_2PI + np.log(spectrum).sum() + (scores**2 / spectrum).sum(axis=1))
