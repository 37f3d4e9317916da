"""Squared residuals E_q‖x − μ(z)‖² of a VAE of any framework, by Monte Carlo in batches."""

import dataclasses

import numpy as np

from wellposed._checks import check_count

from .foreign_vae import ForeignVAE

_PROBED = 64  # rows on which the callables are checked first


@dataclasses.dataclass(frozen=True, eq=False)
class Residuals:
    """Posteriors and squared errors of each row.

    Parameters
    ----------
    means, deviations : shape (n, k), of q(z | x)
    error : shape (n,), squared units of X: ‖x − μ(z)‖² averaged over the draws of z
    error_variance : shape (n,), variance of that average over the draws; NaN for one draw
    n_samples : draws of z a row
    """

    means: np.ndarray
    deviations: np.ndarray
    error: np.ndarray
    error_variance: np.ndarray
    n_samples: int


def residuals(
    vae: ForeignVAE,
    rows: np.ndarray,
    *,
    n_samples: int,
    batch_size: int,
    draws: np.random.Generator,
) -> Residuals:
    """Compute the squared residuals of rows in batches.

    The draws are taken row by row, so that the batch size does not change them.

    Parameters
    ----------
    vae : the two callables
    rows : array of shape (n, ...), data units
    n_samples : draws of z ~ q(z | x) a row
    batch_size : rows in one call of a callable
    draws : generator of the draws of z

    Raises
    ------
    DataError
        See :class:`ForeignVAE`.
    SettingError
        If a count is not a whole number ≥ 1.
    """
    for name, value in (("n_samples", n_samples), ("batch_size", batch_size)):
        check_count(name, value)
    vae.check(rows[: min(len(rows), batch_size, _PROBED)])
    parts = []
    for start in range(0, len(rows), batch_size):
        batch = rows[start : start + batch_size]
        mean, deviation = vae.posterior(batch)
        normal = draws.standard_normal((len(batch), n_samples, mean.shape[1]))
        error = _errors(vae, batch, mean, deviation, normal)
        parts.append((mean.astype(np.float64), deviation, error))
    means, deviations, errors = (np.concatenate(part) for part in zip(*parts, strict=True))
    spread = errors.var(axis=1, ddof=1) if n_samples > 1 else np.full(len(rows), np.nan)
    return Residuals(means, deviations, errors.mean(axis=1), spread / n_samples, n_samples)


def _errors(
    vae: ForeignVAE,
    batch: np.ndarray,
    mean: np.ndarray,
    deviation: np.ndarray,
    normal: np.ndarray,
) -> np.ndarray:
    """‖x − μ(z)‖² of each row and draw, by decoding one draw at a time to limit the memory."""
    target = batch.reshape(len(batch), -1).astype(np.float64)
    errors = np.empty(normal.shape[:2])
    for s in range(normal.shape[1]):
        # In the encoder's number type: frameworks refuse to mix types.
        latents = (mean + deviation * normal[:, s]).astype(mean.dtype)
        errors[:, s] = ((target - vae.means(latents, batch.shape[1:])) ** 2).sum(axis=1)
    return errors
