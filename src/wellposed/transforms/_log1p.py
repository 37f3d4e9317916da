"""Model units that are standardised logarithms of one plus an amount."""

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._typing import Fitted, Point, PRNGKey
from wellposed.numerics import bounded_exp, on_device

from ._abstract import Transformed
from ._logarithm import AbstractLogarithm, check_low, logarithm_units
from ._summary import Summary
from ._support import AMOUNTS, Support


class Log1p(AbstractLogarithm):
    r"""Take the logarithm of one plus each feature, then its centre and its scale.

    .. math:: y_j = (\log(1 + x_j) - m_j)/s_j, \qquad
       \log|\det J| = -\sum_j \log(1 + x_j) - \sum_j \log s_j

    with m and s the mean and the standard deviation of log(1 + x_j) over the data. For numbers
    from zero upwards, in a unit in which one is small: unlike the logarithm it depends on the
    unit. What the noise puts below zero is drawn as zero, and its mass is missing from the
    density. Where zeros are frequent, :class:`wellposed.noise.ZeroInflated` gives them a
    probability.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, numpy as np
    >>> from wellposed.transforms import summarise
    >>> log1p = Log1p().fit(summarise(np.array([[0.0], [1.0], [7.0]])))
    >>> y = log1p.forward(jnp.array([3.0]), key=jax.random.key(0)).value
    >>> round(float(log1p.inverse(y)[0]), 4)
    3.0
    """

    offset: ClassVar[float] = 1.0
    mean: Fitted = None  # (d,), m
    scale: Fitted = None  # (d,), s
    varies: Fitted = None  # (d,), bool

    @property
    def domain(self) -> Support:
        return AMOUNTS

    def fit(self, summary: Summary) -> "Log1p":
        check_low(
            summary,
            summary.low < 0,
            "The log1p transform needs numbers from 0 upwards",
            'Use transform="standardize", or "robust".',
        )
        mean, scale = logarithm_units(summary, np.log1p)
        return Log1p(on_device(mean), on_device(scale), jax.device_put(summary.varies))

    def forward(self, x: Point, *, key: PRNGKey) -> Transformed:
        del key
        logs = jnp.log1p(x)
        return Transformed((logs - self.mean) / self.scale, -(logs + jnp.log(self.scale)).sum())

    def inverse(self, y: Point) -> Point:
        logs = self.logarithms(y)
        # expm1 keeps the digits of small amounts; it overflows where exp does.
        return jnp.where(logs < 1.0, jnp.expm1(jnp.clip(logs, 0.0, 1.0)), bounded_exp(logs) - 1.0)

    def log_det_bound(self, d: int) -> float:
        del d
        return -float(np.log(np.asarray(self.scale, np.float64)).sum())
