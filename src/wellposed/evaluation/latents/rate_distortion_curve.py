"""The curve that models trained at several prices of the rate trace out."""

import dataclasses
from typing import Any

import numpy as np

from .rate_distortion import RateDistortion


@dataclasses.dataclass(frozen=True)
class RatePoint:
    """One fitted model: the value that it was trained at, the model, where it stands."""

    value: float  # of β, or of σ² in model units
    estimator: Any
    found: RateDistortion


@dataclasses.dataclass(frozen=True)
class RateDistortionCurve:
    """Points of one model family, in the order of their training; ``print`` it for a table.

    ``varied`` is "beta" or "noise_variance". ``complete`` is false after an interruption.
    """

    varied: str
    points: tuple[RatePoint, ...]
    complete: bool = True

    @property
    def values(self) -> np.ndarray:
        """β, or σ² in model units, of each point."""
        return np.array([point.value for point in self.points])

    @property
    def rate(self) -> np.ndarray:
        """R of each point, nats a datum."""
        return np.array([point.found.rate.value for point in self.points])

    @property
    def distortion(self) -> np.ndarray:
        """D of each point, nats a datum."""
        return np.array([point.found.distortion.value for point in self.points])

    @property
    def slopes(self) -> np.ndarray:
        r"""−ΔD/ΔR between each point and the next, shape (points − 1,).

        Along β, two optima on the rows that they were trained on satisfy

        .. math:: \beta_1 \le -\frac{D_2 - D_1}{R_2 - R_1} \le \beta_2

        since each minimises its own D + βR; in the limit β = −∂D/∂R. A slope outside tells of a
        training that stopped short, or of rows it was not trained on. Along σ² the distortion is
        measured in another unit at each point, and its slope says nothing of this kind.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return -np.diff(self.distortion) / np.diff(self.rate)

    @property
    def best(self) -> RatePoint:
        """The point with the highest ELBO, β = 1."""
        return max(self.points, key=lambda point: point.found.elbo.value)

    def rows(self) -> list[dict[str, float]]:
        """A row a point: R, D, ELBO and the ends of I and of the mismatch, each with its error."""
        return [{self.varied: point.value, **_row(point.found)} for point in self.points]

    def frame(self) -> Any:
        """:meth:`rows` as a ``pandas.DataFrame``; pandas must be installed."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def __str__(self) -> str:
        head = f"{self.varied:>14} {'R':>16} {'D':>18} {'ELBO':>18} {'I':>16} {'−ΔD/ΔR':>8}"
        slopes = [f"{slope:8.3g}" for slope in self.slopes]
        lines = [
            f"{point.value:14.4g} {point.found.rate!s:>16} {point.found.distortion!s:>18} "
            f"{point.found.elbo!s:>18} {_ends(point.found):>16} {slope:>8}"
            for point, slope in zip(self.points, [*slopes, ""], strict=False)
        ]
        note = [] if self.complete else ["interrupted: these are the points so far"]
        return "\n".join([head, *lines, *note])


def _row(found: RateDistortion) -> dict[str, float]:
    named = {
        "rate": found.rate,
        "distortion": found.distortion,
        "elbo": found.elbo,
        "information_low": found.information[0],
        "information_high": found.information[1],
        "mismatch_low": found.mismatch[0],
        "mismatch_high": found.mismatch[1],
    }
    row = {}
    for name, each in named.items():
        row[name], row[f"{name}_error"] = each.value, each.standard_error
    return row


def _ends(found: RateDistortion) -> str:
    low, high = found.information_range
    return f"{low:.4g} to {high:.4g}"
