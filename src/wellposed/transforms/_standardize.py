"""Model units in which every feature, or the whole datum, has unit variance."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from wellposed._fill import fill
from wellposed._typing import Fitted, Point, PRNGKey
from wellposed.numerics import clip_finite, on_device

from ._abstract import AbstractTransform, Transformed
from ._robust import median_and_spread
from ._summary import Moments, Summary, as_moments
from ._support import REALS, Support


class Standardize(AbstractTransform):
    r"""Centre each feature and divide it by its scale.

    .. math:: y_j = (x_j - m_j) / s_j, \qquad \log|\det J| = -\sum_j \log s_j

    The scale never falls below resolution/√12, the standard deviation of rounding: a pixel lit
    once in ten thousand images would otherwise lie a hundred standard deviations out.

    Parameters
    ----------
    shared : bool
        One scale for all features (the root mean variance), where they share a unit, as pixels
        do. Otherwise one each.
    robust : bool
        m is the median, and s the width of the middle half of the values over that of a standard
        normal, so that far values move neither. Where half of a feature's values are one, the
        middle 90 % stand in, then 98 %, then the standard deviation. Otherwise mean and standard
        deviation.

    Notes
    -----
    A feature that never varies is carried as its constant: y_j = 0 on the training data, and
    ``inverse`` returns the constant whatever y_j is.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, numpy as np
    >>> from wellposed.transforms import summarise
    >>> standardize = Standardize().fit(summarise(np.array([[1.0], [3.0]])))
    >>> standardize.forward(jnp.array([3.0]), key=jax.random.key(0)).value.tolist()
    [1.0]
    """

    mean: Fitted  # (d,)
    scale: Fitted  # (d,)
    varies: Fitted  # (d,), bool
    shared: bool = eqx.field(static=True)
    robust: bool = eqx.field(static=True, default=False)  # earlier files have none

    def __init__(self, shared: bool = False, *, robust: bool = False):
        self.shared, self.robust = bool(shared), bool(robust)
        self.mean = self.scale = self.varies = None

    @property
    def domain(self) -> Support:
        return REALS

    @property
    def range(self) -> Support:
        return REALS

    def fit(self, summary: Summary) -> "Standardize":
        center, scale = self._location_and_scale(summary)
        if self.shared:
            scale = np.full_like(scale, np.sqrt((scale**2).mean()))
        scale = np.maximum(scale, summary.resolution / np.sqrt(12.0))
        scale = np.where(scale > 0, scale, 1.0)
        varies = jax.device_put(summary.varies)
        return fill(self, mean=on_device(center), scale=on_device(scale), varies=varies)

    def _location_and_scale(self, summary: Summary) -> tuple[np.ndarray, np.ndarray]:
        """Location and scale of each feature in data units, shape (d,)."""
        deviation = np.sqrt(summary.variance)
        if not self.robust:
            return summary.mean, deviation
        median, spread = median_and_spread(summary.sample)
        center = np.where(summary.varies, median, summary.mean)
        return center, np.where(spread > 0, spread, deviation)

    def forward(self, x: Point, *, key: PRNGKey) -> Transformed:
        del key
        y = clip_finite((x - self.mean) / self.scale)
        return Transformed(y, -jnp.sum(jnp.log(self.scale)))

    def inverse(self, y: Point) -> Point:
        return jnp.where(self.varies, self.mean + self.scale * y, self.mean)

    def moments(self, summary: Summary, *, key: PRNGKey) -> Moments:
        del key
        scale = np.asarray(self.scale, np.float64)
        variance = (self._location_and_scale(summary)[1] / scale) ** 2
        return as_moments(
            summary, np.zeros_like(scale), variance, summary.resolution / scale, summary.varies
        )

    def log_det_bound(self, d: int) -> float:
        del d
        return float(-np.log(np.asarray(self.scale, np.float64)).sum())
