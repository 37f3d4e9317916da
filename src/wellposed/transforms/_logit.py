"""Model units on the whole line for data on an interval, with uniform dequantisation."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy.special

from wellposed._checks import check, check_number, optional, or_word, whole
from wellposed._errors import DataError
from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.numerics import host_generator, scalar

from ._abstract import AbstractTransform, Transformed
from ._summary import Moments, Summary, as_moments
from ._support import REALS, UNIT, Support, levels


class Logit(AbstractTransform):
    r"""Spread an interval over the whole line.

    .. math:: y = \log\frac{p}{1-p}, \quad p = \alpha + (1 - 2\alpha)\frac{x + u}{L},
       \quad \log|\det J| = \sum_j \log\frac{1 - 2\alpha}{L\, p_j (1 - p_j)}

    with u ~ U[0, 1) where the data are levels 0, …, L − 1 (E_u log p(x + u) ≤ log P(x), so the
    density bounds the probability of the level), and u = 0, L = 1 for data on [0, 1].

    Parameters
    ----------
    levels : int, None or "auto"
        L for whole numbers 0, …, L − 1; None for numbers on [0, 1]; "auto" decides by the data.
    alpha : float in (0, ½)
        Keeps the ends finite. 1e-6 is the convention for MNIST.

    Raises
    ------
    SettingError
        If ``levels`` is neither None, "auto" nor a whole number ≥ 2, or ``alpha`` is not in (0, ½).

    References: Dinh, Sohl-Dickstein & Bengio (2017), §4.1; Theis, van den Oord & Bethge (2016).

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> Logit(levels=256).inverse(jnp.zeros(2)).tolist()
    [128.0, 128.0]
    """

    alpha: Scalar
    n_levels: Scalar | None
    levels: int | str | None = eqx.field(static=True)

    def __init__(self, levels: int | str | None = "auto", alpha: float = 1e-6):
        alpha = check_number("alpha", alpha, "1e-6 is usual.", above=0, below=0.5)
        rule = optional(or_word("auto", whole(2, 2**24)))
        levels = check("levels", levels, rule, "8-bit images have 256 levels.")
        self.alpha = scalar(alpha)
        self.levels = levels
        self.n_levels = scalar(levels) if isinstance(levels, int) else None

    @property
    def _has_levels(self) -> bool:
        return self.levels is not None

    @property
    def domain(self) -> Support:
        return levels(self.levels) if isinstance(self.levels, int) else UNIT

    @property
    def range(self) -> Support:
        return REALS

    def fit(self, summary: Summary) -> "Logit":
        low, high = summary.low.min(), summary.high.max()
        fitted = self
        if self.levels == "auto":
            unit = low >= 0 and high <= 1 and not summary.whole
            levels = None if unit else int(high) + 1
            fitted = Logit(levels, float(self.alpha))
        fitted._check(summary, float(low), float(high))
        return fitted

    def _check(self, summary: Summary, low: float, high: float) -> None:
        top = 1.0 if self.levels is None else float(self.levels - 1)  # type: ignore[operator]
        if low < 0 or high > top:
            raise DataError(
                f"The logit transform with levels={self.levels} needs data in [0, {top:g}]; got "
                f"[{low:g}, {high:g}]. Rescale the data, pass wp.transforms.Logit(levels=...), or "
                'use transform="standardize".'
            )
        if self._has_levels and not summary.whole:
            raise DataError(
                f"The logit transform with levels={self.levels} needs whole numbers; got fractions."
                " Pass the integers as stored, or wp.transforms.Logit(levels=None) for [0, 1]."
            )

    def forward(self, x: Point, *, key: PRNGKey) -> Transformed:
        alpha, size = self._constants(x)
        if self._has_levels:
            x = x + jax.random.uniform(key, x.shape, x.dtype)
        slope = (1 - 2 * alpha) / size
        # 1 − p is formed from the other end: near p = 1 float32 has too few digits left of it.
        log_p = jnp.log(alpha + slope * x)
        log_1mp = jnp.log(alpha + slope * (size - x))
        return Transformed(log_p - log_1mp, jnp.sum(jnp.log(slope) - log_p - log_1mp))

    def inverse(self, y: Point) -> Point:
        alpha, size = self._constants(y)
        x = size * (jax.nn.sigmoid(y) - alpha) / (1 - 2 * alpha)
        if self._has_levels:
            return jnp.clip(jnp.floor(x), 0.0, size - 1.0)
        return jnp.clip(x, 0.0, 1.0)

    def _constants(self, like: Point) -> tuple[Scalar, Scalar]:
        """α and L in the float type of the data."""
        size = jnp.ones(()) if self.n_levels is None else self.n_levels
        return self.alpha.astype(like.dtype), size.astype(like.dtype)

    def moments(self, summary: Summary, *, key: PRNGKey) -> Moments:
        size = 1.0 if self.n_levels is None else float(self.n_levels)
        rows = summary.sample.astype(np.float64)
        if self._has_levels:
            rows = rows + host_generator(key).uniform(size=rows.shape)
        # On the host, where a sample of another length is not another program.
        y = scipy.special.logit(float(self.alpha) + (1 - 2 * float(self.alpha)) / size * rows)
        variance = y.var(axis=0)
        # The finest gap in model units is where the logit is flattest, at p = ½.
        gap = 4 * (1 - 2 * float(self.alpha)) / size * summary.resolution
        return as_moments(summary, y.mean(axis=0), variance, gap, variance > 0)

    def log_det_bound(self, d: int) -> float:
        alpha = float(self.alpha)
        size = 1.0 if self.n_levels is None else float(self.n_levels)
        return d * (math.log((1 - 2 * alpha) / size) - math.log(alpha) - math.log1p(-alpha))
