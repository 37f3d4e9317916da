r"""The continuous ranked probability score of draws, in data units.

.. math:: CRPS(p, x) = E|X - x| - \tfrac12 E|X - X'|, \qquad X, X' \sim p

The score of a point forecast is the absolute error. Its expectation is least for the true
distribution of x. The fair estimate from s draws replaces E|X − X'| by Σ_{i≠k} |x_i − x_k| /
(s(s − 1)), and is therefore unbiased for any s.

References: Gneiting & Raftery (2007), eq. 21; Ferro (2014), on fairness.
"""

import dataclasses

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from wellposed._typing import Point

from .._estimate import Estimate


@dataclasses.dataclass(frozen=True, eq=False)
class CRPS:
    """CRPS of each feature, averaged over rows, in data units; smaller is better.

    ``reference`` is the CRPS of climatology, which predicts each row by the empirical distribution
    of the other rows. A feature that never varies, or is never judged, has NaN.

    Examples
    --------
    >>> from wellposed.evaluation import calibration
    >>> calibration(model, X, key=key).crps.value.shape
    (4,)
    """

    value: np.ndarray  # (d,)
    standard_error: np.ndarray  # (d,), over rows
    reference: np.ndarray  # (d,)
    reference_error: np.ndarray  # (d,)
    mean: Estimate  # over the varying features; meaningful if they share a unit
    mean_reference: Estimate
    skill: Estimate  # 1 − Σ value/Σ reference, model units; 1 is perfect, 0 climatology

    def __str__(self) -> str:
        return (
            f"CRPS {self.mean} in data units, averaged over features; climatology "
            f"{self.mean_reference}; skill {self.skill}"
        )


def fair_crps(x: Point, draws: Float[Array, "s d"]) -> Point:
    """Estimate the CRPS of each feature of one datum from s ≥ 2 draws; shape (d,).

    For sorted draws x_(1) ≤ … ≤ x_(s), the sum of all |x_i − x_k| is 2 Σ_i (2i − s − 1) x_(i).
    """
    s = draws.shape[0]
    weights = (2 * jnp.arange(1, s + 1) - s - 1) / (s * (s - 1))
    # Relative to x, so that a large offset costs no digits.
    apart = draws - x
    spread = weights.astype(apart.dtype) @ jnp.sort(apart, axis=0)
    return jnp.abs(apart).mean(axis=0) - spread


def crps_of(rows: np.ndarray, scores: np.ndarray, judged: np.ndarray, unit: np.ndarray) -> CRPS:
    """Average scores over rows, and compute those of climatology.

    Parameters
    ----------
    rows : array of shape (n, d), data units
    scores : array of shape (n, d), from :func:`fair_crps`, data units
    judged : bool array of shape (n, d): which entries count
    unit : array of shape (d,), data units; divides each feature before the sum over features, and
        leaves out a feature if zero
    """
    climate, deviations = _climatology(np.asarray(rows, np.float64))
    counted = judged.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(judged, scores, 0.0).sum(axis=0, dtype=np.float64) / counted
        value[counted == 0] = np.nan
        # Influence of each row on a feature's mean: its deviation over the share of judged rows.
        influence = np.where(judged, scores - value, 0.0) * (len(rows) / counted)
    climate = np.where(np.isnan(value), np.nan, climate)
    scored = ~np.isnan(value) & (climate > 0) & (unit > 0)
    weight = 1 / unit[scored]
    ratio = (weight @ value[scored]) / (weight @ climate[scored])
    of_skill = (ratio * deviations - influence)[:, scored] @ weight / (weight @ climate[scored])
    return CRPS(
        value=value,
        standard_error=_error(influence),
        reference=climate,
        reference_error=_error(deviations),
        mean=_mean(value[scored], influence[:, scored]),
        mean_reference=_mean(climate[scored], deviations[:, scored]),
        skill=Estimate(float(1 - ratio), float(_error(of_skill))),
    )


def _climatology(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ½ E|x − x'| over pairs of different rows, (d,), and each row's influence, (n, d).

    The fair score of a row predicted by the others is E|X − x| minus half of their spread. Its
    average over rows is one spread minus half a spread.
    """
    n, d = rows.shape
    if n < 2:
        return np.full(d, np.nan), np.full((n, d), np.nan)
    order = np.argsort(rows, axis=0)
    ordered = np.take_along_axis(rows, order, axis=0) - rows.mean(axis=0)
    i = np.arange(1, n + 1)[:, None]
    below = np.cumsum(ordered, axis=0)
    # Sum of the distances of a row from the rows below it and above it.
    away = (2 * i - n) * ordered - 2 * below + below[-1]
    distance = np.empty_like(rows)
    np.put_along_axis(distance, order, away / (n - 1), axis=0)
    spread = distance.mean(axis=0)
    return spread / 2, distance - spread


def _error(influence: np.ndarray) -> np.ndarray:
    n = len(influence)
    if n < 2:
        return np.full(influence.shape[1:], np.nan)
    return np.sqrt((influence**2).sum(axis=0, dtype=np.float64) / (n * (n - 1)))


def _mean(values: np.ndarray, influence: np.ndarray) -> Estimate:
    if values.size == 0:
        return Estimate(float("nan"), float("nan"))
    return Estimate(float(values.mean()), float(_error(influence.mean(axis=1))))
