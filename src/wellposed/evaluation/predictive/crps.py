r"""The continuous ranked probability score of draws, in data units.

.. math:: CRPS(p, x) = E|X - x| - \tfrac12 E|X - X'|, \qquad X, X' \sim p

which for a point forecast is the absolute error, and is least in expectation for the law that x
comes from. From s draws the fair estimate has Σ_{i≠k} |x_i − x_k| over s(s − 1) for E|X − X'|,
and so the expectation of an infinite number of them.

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
    """CRPS of each feature, averaged over rows, in data units: smaller is better.

    ``reference`` is that of climatology: each row foretold by the other rows, whatever z. NaN
    where a feature never varies, or was never judged.
    """

    value: np.ndarray  # (d,)
    standard_error: np.ndarray  # (d,), over rows
    reference: np.ndarray  # (d,)
    reference_error: np.ndarray  # (d,)
    mean: Estimate  # over the features that vary: of use where they share a unit
    mean_reference: Estimate
    skill: Estimate  # 1 − Σ value/Σ reference, in model units: 1 perfect, 0 climatology's

    def __str__(self) -> str:
        return (
            f"CRPS {self.mean} in data units, averaged over features; climatology "
            f"{self.mean_reference}; skill {self.skill}"
        )


def fair_crps(x: Point, draws: Float[Array, "s d"]) -> Point:
    """CRPS of each feature of one datum, estimated from s ≥ 2 draws: shape (d,).

    In order, x_(1) ≤ … ≤ x_(s), the sum of all |x_i − x_k| is 2 Σ_i (2i − s − 1) x_(i).
    """
    s = draws.shape[0]
    weights = (2 * jnp.arange(1, s + 1) - s - 1) / (s * (s - 1))
    # From x, so that the digits of a large offset do not count.
    apart = draws - x
    spread = weights.astype(apart.dtype) @ jnp.sort(apart, axis=0)
    return jnp.abs(apart).mean(axis=0) - spread


def crps_of(rows: np.ndarray, scores: np.ndarray, judged: np.ndarray, unit: np.ndarray) -> CRPS:
    """Average scores over rows, beside climatology's.

    Parameters
    ----------
    rows : array of shape (n, d), data units
    scores : array of shape (n, d), of :func:`fair_crps`
    judged : bool array of shape (n, d): which entries count
    unit : array of shape (d,), to divide features by before they are added up; zero leaves out
    """
    climate, deviations = _climatology(np.asarray(rows, np.float64))
    counted = judged.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(judged, scores, 0.0).sum(axis=0, dtype=np.float64) / counted
        value[counted == 0] = np.nan
        # Influence of each row on a feature's mean: its deviation, in the share that counts.
        influence = np.where(judged, scores - value, 0.0) * (len(rows) / counted)
    climate = np.where(np.isnan(value), np.nan, climate)
    told = ~np.isnan(value) & (climate > 0) & (unit > 0)
    weight = 1 / unit[told]
    ratio = (weight @ value[told]) / (weight @ climate[told])
    of_skill = (ratio * deviations - influence)[:, told] @ weight / (weight @ climate[told])
    return CRPS(
        value=value,
        standard_error=_error(influence),
        reference=climate,
        reference_error=_error(deviations),
        mean=_mean(value[told], influence[:, told]),
        mean_reference=_mean(climate[told], deviations[:, told]),
        skill=Estimate(float(1 - ratio), float(_error(of_skill))),
    )


def _climatology(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """½ E|x − x'| over pairs of different rows, (d,), and each row's influence on it, (n, d).

    Foretold by the others, fairly, a row has E|X − x| less half their own spread: on average
    over rows one spread less a half.
    """
    n, d = rows.shape
    if n < 2:
        return np.full(d, np.nan), np.full((n, d), np.nan)
    order = np.argsort(rows, axis=0)
    ordered = np.take_along_axis(rows, order, axis=0) - rows.mean(axis=0)
    i = np.arange(1, n + 1)[:, None]
    below = np.cumsum(ordered, axis=0)
    # Mean distance of a row from the others: those below it, those above it.
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
