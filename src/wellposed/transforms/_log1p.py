"""Model units that are standardised logarithms of one plus an amount."""

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._errors import DataError, named_features
from wellposed._typing import Fitted, Point, PRNGKey
from wellposed.numerics import bounded_exp, on_device

from ._abstract import AbstractTransform, Transformed
from ._log import of_logarithms
from ._summary import Moments, Summary, as_moments
from ._support import AMOUNTS, REALS, Support


class Log1p(AbstractTransform):
    r"""Take the logarithm of one plus each feature, then its centre and its scale.

    .. math:: y_j = (\log(1 + x_j) - m_j)/s_j, \qquad
       \log|\det J| = -\sum_j \log(1 + x_j) - \sum_j \log s_j

    with m and s the mean and the standard deviation of log(1 + x_j) over the data. For numbers
    from zero upwards, in a unit in which one is small: unlike the logarithm it depends on the
    unit. What the noise puts below zero is drawn as zero, and its mass is missing from the
    density. Where zeros are frequent, :class:`wellposed.noise.ZeroInflated` gives them a
    probability.
    """

    mean: Fitted = None  # (d,), m
    scale: Fitted = None  # (d,), s
    varies: Fitted = None  # (d,), bool

    @property
    def domain(self) -> Support:
        return AMOUNTS

    @property
    def range(self) -> Support:
        return REALS

    def fit(self, summary: Summary) -> "Log1p":
        lacking = np.flatnonzero(summary.low < 0)
        if lacking.size:
            worst = int(lacking[0])
            raise DataError(
                "The log1p transform needs numbers from 0 upwards; features "
                f"{named_features(lacking)} are not: feature {worst} goes down to "
                f'{summary.low[worst]:.6g}. Use transform="standardize", or "robust".'
            )
        mean, scale = of_logarithms(np.log1p(summary.sample.astype(np.float64)), summary, np.log1p)
        return Log1p(on_device(mean), on_device(scale), jax.device_put(summary.varies))

    def forward(self, x: Point, *, key: PRNGKey) -> Transformed:
        del key
        logs = jnp.log1p(x)
        return Transformed((logs - self.mean) / self.scale, -(logs + jnp.log(self.scale)).sum())

    def inverse(self, y: Point) -> Point:
        logs = jnp.where(self.varies, self.mean + self.scale * y, self.mean)
        # expm1 keeps the digits of small amounts; it overflows where exp does.
        return jnp.where(logs < 1.0, jnp.expm1(jnp.clip(logs, 0.0, 1.0)), bounded_exp(logs) - 1.0)

    def moments(self, summary: Summary, *, key: PRNGKey) -> Moments:
        del key
        scale = np.asarray(self.scale, np.float64)
        share = np.minimum(summary.resolution / (1.0 + summary.high), 0.5)
        return as_moments(
            summary,
            np.zeros_like(scale),
            np.where(summary.varies, 1.0, 0.0),
            -np.log1p(-share) / scale,
            summary.varies,
        )

    def log_det_bound(self, d: int) -> float:
        del d
        return -float(np.log(np.asarray(self.scale, np.float64)).sum())
