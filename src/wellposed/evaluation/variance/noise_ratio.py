"""The noise variance beside the mean squared residual, at which the ELBO is largest."""

import dataclasses
from typing import Any

import numpy as np

from wellposed.models import VAEModel
from wellposed.noise import Gaussian, Rescaled

from .._estimate import Estimate, standard_error


@dataclasses.dataclass(frozen=True, eq=False)
class NoiseRatio:
    """The fields ``noise_ratio``, its error, ``total_ratio`` and ``gain`` of a variance split."""

    value: np.ndarray  # (d,)
    standard_error: np.ndarray  # (d,)
    total: Estimate
    gain: Estimate | None


def noise_ratio(
    model: VAEModel,
    kept: np.ndarray,
    residual: np.ndarray,
    squares: np.ndarray,
    varies: np.ndarray,
) -> NoiseRatio:
    """Compare the noise with its residuals.

    Parameters
    ----------
    model : VAEModel
    kept, residual : arrays of shape (n, d), Var[x|z] and (x − E[x|z])² of each row, in units in
        which features can be added up
    squares : array of shape (n, d), (y − μ(z))² in model units, for Gaussian noise
    varies : bool array of shape (d,)
    """
    base = model.noise.noise if isinstance(model.noise, Rescaled) else model.noise
    known = model.noise.variance() if isinstance(base, Gaussian) else None
    if not isinstance(base, Gaussian) or known is None:
        return NoiseRatio(*_ratio(kept, residual, varies, varies), None)
    squares = np.asarray(squares, np.float64)
    variance = np.broadcast_to(np.asarray(known, np.float64), varies.shape)
    one = base is model.noise and base.kind in ("given", "shared")
    # One σ² for all features is that of the constants too, whose residual is zero.
    counted = np.ones_like(varies) if one else varies
    told = _ratio(np.broadcast_to(variance, squares.shape), squares, varies, counted)
    floor = 0.0 if base.kind == "given" else base.scale.least(len(varies))
    return NoiseRatio(*told, _gain(variance, squares[:, counted], counted, floor**2, one=one))


def total(values: np.ndarray, influence: np.ndarray) -> Estimate:
    """Sum over features of (d,), with each row's influences (n, d)."""
    return Estimate(float(values.sum()), float(standard_error(influence.sum(axis=1))))


def _ratio(
    kept: np.ndarray, residual: np.ndarray, varies: np.ndarray, counted: np.ndarray
) -> tuple[np.ndarray, np.ndarray, Estimate]:
    """Ratio of each feature, its error, and the ratio of the sums over those that count."""
    mean = residual.mean(axis=0, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(varies, kept.mean(axis=0, dtype=np.float64) / mean, np.nan)
        error = standard_error((kept - ratio * residual) / mean)
    whole, left = kept[:, counted].sum(axis=1), residual[:, counted].sum(axis=1)
    total = float(whole.mean() / left.mean())
    return (
        ratio,
        error,
        Estimate(total, float(standard_error((whole - total * left) / left.mean()))),
    )


def _gain(
    variance: np.ndarray, squares: np.ndarray, counted: np.ndarray, floor: Any, *, one: bool
) -> Estimate:
    """½ Σ [r/σ² + log σ²] less the same at the best σ² that the floor allows; mean and error.

    By the envelope, the best σ² adds nothing to the error at first order.
    """
    variance = variance[counted]
    mean = squares.mean(axis=0)
    best = np.full_like(mean, mean.mean()) if one else mean
    best = np.maximum(best, np.broadcast_to(floor, counted.shape)[counted])
    rows = 0.5 * (squares * (1 / variance - 1 / best) + np.log(variance / best)).sum(axis=1)
    return Estimate.of(rows)
