"""Whole numbers taken to the unit interval."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from wellposed._checks import check, optional, or_word, whole
from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.numerics import scalar

from ._abstract import AbstractTransform, Transformed
from ._summary import Moments, Summary, as_moments
from ._support import UNIT, Support, levels


class Unit(AbstractTransform):
    r"""Dequantise levels 0, …, L − 1 and divide them by L; leave numbers on [0, 1] alone.

    .. math:: y_j = (x_j + u_j)/L, \qquad \log|\det J| = -d \log L

    with u ~ U[0, 1), so that E_u log p(x + u) ≤ log P(x): the density bounds the probability of
    the level. Numbers on [0, 1] have L = 1 and u = 0.

    Parameters
    ----------
    levels : int, None or "auto"
        L for whole numbers 0, …, L − 1; None for numbers on [0, 1]; "auto" decides by the data.

    Raises
    ------
    SettingError
        If ``levels`` is neither None, "auto" nor a whole number ≥ 2.

    References: Theis, van den Oord & Bethge (2016), §3.1.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> Unit(levels=256).inverse(jnp.array([0.5, 0.999])).tolist()
    [128.0, 255.0]
    """

    n_levels: Scalar | None
    levels: int | str | None = eqx.field(static=True)

    def __init__(self, levels: int | str | None = "auto"):
        rule = optional(or_word("auto", whole(2, 2**24)))
        levels = check("levels", levels, rule, "8-bit images have 256 levels.")
        self.levels = levels
        self.n_levels = scalar(levels) if isinstance(levels, int) else None

    @property
    def domain(self) -> Support:
        return levels(self.levels) if isinstance(self.levels, int) else UNIT

    @property
    def range(self) -> Support:
        return UNIT

    def fit(self, summary: Summary) -> "Unit":
        if self.levels != "auto":
            return self
        low, high = float(summary.low.min()), float(summary.high.max())
        fractional = low >= 0 and high <= 1 and not summary.whole
        return Unit(None if fractional else max(int(high) + 1, 2))

    def forward(self, x: Point, *, key: PRNGKey) -> Transformed:
        if self.n_levels is None:
            return Transformed(x, jnp.zeros((), x.dtype))
        size = self.n_levels.astype(x.dtype)
        # Below one, or float32 rounds the top of the last cell onto the end of the interval.
        below = jnp.nextafter(jnp.ones((), x.dtype), jnp.zeros((), x.dtype))
        value = jnp.minimum((x + jax.random.uniform(key, x.shape, x.dtype)) / size, below)
        return Transformed(value, -x.shape[0] * jnp.log(size))

    def inverse(self, y: Point) -> Point:
        if self.n_levels is None:
            return jnp.clip(y, 0.0, 1.0)
        size = self.n_levels.astype(y.dtype)
        return jnp.clip(jnp.floor(y * size), 0.0, size - 1.0)

    def moments(self, summary: Summary, *, key: PRNGKey) -> Moments:
        del key
        mean, variance, resolution = summary.mean, summary.variance, summary.resolution
        if self.n_levels is None:
            return as_moments(summary, mean, variance, resolution, summary.varies)
        size = float(self.n_levels)
        filled = np.ones_like(summary.varies)  # a level's cell is filled evenly
        mean, variance = (mean + 0.5) / size, (variance + 1 / 12) / size**2
        return as_moments(summary, mean, variance, resolution / size, filled)

    def log_det_bound(self, d: int) -> float:
        return 0.0 if self.n_levels is None else -d * math.log(float(self.n_levels))
