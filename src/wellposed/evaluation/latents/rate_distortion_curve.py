"""The rate-distortion curve of models trained with several weights of the rate."""

import dataclasses
from typing import Any

import numpy as np

from .rate_distortion import RateDistortion


@dataclasses.dataclass(frozen=True)
class RatePoint:
    """One fitted model on a rate-distortion curve.

    Parameters
    ----------
    value : β, or σ² in model units², of the training
    estimator : the fitted model
    result : its rate and distortion

    Examples
    --------
    >>> from wellposed.evaluation import rate_distortion
    >>> RatePoint(1.0, vae, rate_distortion(model, X, key=key)).value
    1.0
    """

    value: float
    estimator: Any
    result: RateDistortion


@dataclasses.dataclass(frozen=True)
class RateDistortionCurve:
    """Points of one model family, in the order of their training; ``print`` it for a table.

    Parameters
    ----------
    varied : "beta" or "noise_variance"
    points : fitted models
    complete : false if an interruption ended the training early

    Examples
    --------
    >>> import wellposed as wp
    >>> from wellposed.evaluation import RatePoint, rate_distortion
    >>> point = RatePoint(1.0, vae, rate_distortion(model, X, key=key))
    >>> RateDistortionCurve("beta", (point,)).rate.shape
    (1,)
    """

    varied: str
    points: tuple[RatePoint, ...]
    complete: bool = True

    @property
    def values(self) -> np.ndarray:
        """β, or σ² in model units², of each point, shape (points,)."""
        return np.array([point.value for point in self.points])

    @property
    def rate(self) -> np.ndarray:
        """R of each point, shape (points,), nats a datum."""
        return np.array([point.result.rate.value for point in self.points])

    @property
    def distortion(self) -> np.ndarray:
        """D of each point, shape (points,), nats a datum."""
        return np.array([point.result.distortion.value for point in self.points])

    @property
    def slopes(self) -> np.ndarray:
        r"""−ΔD/ΔR between each point and the next, shape (points − 1,).

        Along β, two optima satisfy, on their training rows,

        .. math:: \beta_1 \le -\frac{D_2 - D_1}{R_2 - R_1} \le \beta_2

        since each minimises its own D + βR. In the limit β = −∂D/∂R. A slope outside these bounds
        means that a training ended too early, or that the rows are not the training rows. Along
        σ² the distortion has a different unit at each point, so that these bounds do not hold.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            return -np.diff(self.distortion) / np.diff(self.rate)

    @property
    def best(self) -> RatePoint:
        """The point with the highest ELBO, β = 1."""
        return max(self.points, key=lambda point: point.result.elbo.value)

    def rows(self) -> list[dict[str, float]]:
        """Return R, D, ELBO and the bounds of I and of the mismatch of each point, with errors."""
        return [{self.varied: point.value, **_row(point.result)} for point in self.points]

    def frame(self) -> Any:
        """Return :meth:`rows` as a ``pandas.DataFrame``; pandas must be installed."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def __str__(self) -> str:
        head = f"{self.varied:>14} {'R':>16} {'D':>18} {'ELBO':>18} {'I':>16} {'−ΔD/ΔR':>8}"
        slopes = [f"{slope:8.3g}" for slope in self.slopes]
        lines = [
            f"{point.value:14.4g} {point.result.rate!s:>16} {point.result.distortion!s:>18} "
            f"{point.result.elbo!s:>18} {_ends(point.result):>16} {slope:>8}"
            for point, slope in zip(self.points, [*slopes, ""], strict=False)
        ]
        note = [] if self.complete else ["interrupted: some points are missing"]
        return "\n".join([head, *lines, *note])


def _row(of_model: RateDistortion) -> dict[str, float]:
    named = {
        "rate": of_model.rate,
        "distortion": of_model.distortion,
        "elbo": of_model.elbo,
        "information_low": of_model.information[0],
        "information_high": of_model.information[1],
        "mismatch_low": of_model.mismatch[0],
        "mismatch_high": of_model.mismatch[1],
    }
    row = {}
    for name, each in named.items():
        row[name], row[f"{name}_error"] = each.value, each.standard_error
    return row


def _ends(of_model: RateDistortion) -> str:
    low, high = of_model.information_range
    return f"{low:.4g} to {high:.4g}"
