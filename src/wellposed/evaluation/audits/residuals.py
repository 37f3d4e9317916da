"""Squared residuals E_q‖x − μ(z)‖² of a foreign VAE, by Monte Carlo, memory bounded."""

import dataclasses

import numpy as np

from wellposed._checks import check_count

from .foreign_vae import ForeignVAE

_PROBED = 64  # rows on which the callables are tried before the work starts


@dataclasses.dataclass(frozen=True, eq=False)
class Residuals:
    """One pass over the rows; squared errors in squared units of X, summed over features."""

    means: np.ndarray  # (n, k), of q(z | x)
    deviations: np.ndarray  # (n, k), of q(z | x)
    error: np.ndarray  # (n,), averaged over the draws
    error_variance: np.ndarray  # (n,), of that average over new draws; NaN for one draw
    n_samples: int


def residuals(
    vae: ForeignVAE,
    rows: np.ndarray,
    *,
    n_samples: int,
    batch_size: int,
    draws: np.random.Generator,
) -> Residuals:
    """Visit rows of shape (n, ...) in batches, with ``n_samples`` draws of z ~ q(z | x) each.

    The draws are taken row by row, so that the batch size does not change them.

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
    """‖x − μ(z)‖² of each row and draw; decoded a draw at a time, which bounds the memory."""
    target = batch.reshape(len(batch), -1).astype(np.float64)
    errors = np.empty(normal.shape[:2])
    for s in range(normal.shape[1]):
        # Of the type that the encoder gave: frameworks refuse to mix types.
        latents = (mean + deviation * normal[:, s]).astype(mean.dtype)
        errors[:, s] = ((target - vae.means(latents, batch.shape[1:])) ** 2).sum(axis=1)
    return errors
