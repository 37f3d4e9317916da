"""The standardised logarithm of an amount, plus a constant."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from wellposed._errors import DataError, named_features
from wellposed._typing import Fitted, Point, PRNGKey

from ._abstract import AbstractTransform
from ._summary import Moments, Summary, as_moments
from ._support import REALS, Support


class AbstractLogarithm(AbstractTransform):
    """y_j = (log(c + x_j) − m_j)/s_j, with c zero or one."""

    offset: ClassVar[float]  # c
    mean: eqx.AbstractVar[Fitted]  # (d,), m
    scale: eqx.AbstractVar[Fitted]  # (d,), s
    varies: eqx.AbstractVar[Fitted]  # (d,), bool

    @property
    def range(self) -> Support:
        return REALS

    def logarithms(self, y: Point) -> Point:
        """Return log(c + x), shape (d,); of a constant feature, its own."""
        return jnp.where(self.varies, self.mean + self.scale * y, self.mean)

    def moments(self, summary: Summary, *, key: PRNGKey) -> Moments:
        del key
        scale = np.asarray(self.scale, np.float64)
        # Share of the largest value that one step of the resolution is.
        share = np.minimum(summary.resolution / (self.offset + summary.high), 0.5)
        return as_moments(
            summary,
            np.zeros_like(scale),
            np.where(summary.varies, 1.0, 0.0),
            -np.log1p(-share) / scale,
            summary.varies,
        )


def check_low(summary: Summary, outside: np.ndarray, rule: str, remedy: str) -> None:
    """Refuse data of which some features, a mask of shape (d,), go too low.

    Raises
    ------
    DataError
        With the features and the smallest number of the first.
    """
    lacking = np.flatnonzero(outside)
    if lacking.size:
        worst = int(lacking[0])
        raise DataError(
            f"{rule}; features {named_features(lacking)} are not: feature {worst} goes down to "
            f"{summary.low[worst]:.6g}. {remedy}"
        )


def logarithm_units(summary: Summary, logarithm: np.ufunc) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the logarithms of the sample, both of shape (d,).

    A constant has its own logarithm as its mean, and one as its scale. The scale is no smaller
    than what the extremes of all rows make of it, which the sample may not contain.
    """
    logs = logarithm(summary.sample.astype(np.float64))
    width = logarithm(summary.high) - logarithm(summary.low)
    scale = np.maximum(logs.std(axis=0), width / np.sqrt(2.0 * summary.n))
    mean = np.where(summary.varies, logs.mean(axis=0), logarithm(summary.low))
    return mean, np.where(summary.varies & (scale > 0), scale, 1.0)
