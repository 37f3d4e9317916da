"""Ratio of the noise variance and the mean squared residual, which is its best value."""

import dataclasses
from typing import Any

import numpy as np

from wellposed.models import VAEModel
from wellposed.noise import Gaussian, Rescaled

from .._estimate import Estimate, standard_error


@dataclasses.dataclass(frozen=True, eq=False)
class NoiseRatio:
    """Noise variance over the mean squared residual, for the fields of a variance split.

    Parameters
    ----------
    value : shape (d,), ``noise_ratio`` of the split
    standard_error : shape (d,), of ``value``
    total : ratio of the sums over features, ``total_ratio`` of the split
    gain : of the ELBO at the best noise variance, nats a datum; None if it is not defined
    """

    value: np.ndarray
    standard_error: np.ndarray
    total: Estimate
    gain: Estimate | None


def noise_ratio(
    model: VAEModel,
    kept: np.ndarray,
    residual: np.ndarray,
    squares: np.ndarray,
    varies: np.ndarray,
) -> NoiseRatio:
    """Compare the noise variance with the squared residuals.

    Parameters
    ----------
    model : VAEModel
    kept, residual : arrays of shape (n, d), Var[x|z] and (x − E[x|z])² of each row, in squared
        units in which features can be added up
    squares : array of shape (n, d), (y − μ(z))² in squared model units, for Gaussian noise
    varies : bool array of shape (d,), whether each feature varies

    Returns
    -------
    NoiseRatio
    """
    whole = model.noise.whole
    base = whole.noise if isinstance(whole, Rescaled) else whole
    known = model.noise.variance() if isinstance(base, Gaussian) else None
    if not isinstance(base, Gaussian) or known is None:
        return NoiseRatio(*_ratio(kept, residual, varies, varies), None)
    squares = np.asarray(squares, np.float64)
    variance = np.broadcast_to(np.asarray(known, np.float64), varies.shape)
    one = base is whole and base.kind in ("given", "shared")
    # A σ² that all features share includes the constant ones, whose residual is zero.
    counted = np.ones_like(varies) if one else varies
    ratio = _ratio(np.broadcast_to(variance, squares.shape), squares, varies, counted)
    floor = 0.0 if base.kind == "given" else base.scale.least(len(varies))
    return NoiseRatio(*ratio, _gain(variance, squares[:, counted], counted, floor**2, one=one))


def total(values: np.ndarray, influence: np.ndarray) -> Estimate:
    """Sum values over features, with the standard error of the sum.

    Parameters
    ----------
    values : array of shape (d,)
    influence : array of shape (n, d), influence of each row on each value, in the same unit
    """
    return Estimate(float(values.sum()), float(standard_error(influence.sum(axis=1))))


def _ratio(
    kept: np.ndarray, residual: np.ndarray, varies: np.ndarray, counted: np.ndarray
) -> tuple[np.ndarray, np.ndarray, Estimate]:
    """Ratio of each feature, its standard error, and the ratio of the sums over ``counted``."""
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
    """½ Σ [r/σ² + log σ²] less its value at the best σ² above the floor.

    By the envelope theorem, the estimation of the best σ² does not change the standard error at
    first order.
    """
    variance = variance[counted]
    mean = squares.mean(axis=0)
    best = np.full_like(mean, mean.mean()) if one else mean
    best = np.maximum(best, np.broadcast_to(floor, counted.shape)[counted])
    rows = 0.5 * (squares * (1 / variance - 1 / best) + np.log(variance / best)).sum(axis=1)
    return Estimate.of(rows)
