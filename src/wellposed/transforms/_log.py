"""Model units that are standardised logarithms of amounts."""

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._typing import Fitted, Point, PRNGKey
from wellposed.numerics import bounded_exp, log_from, on_device

from ._abstract import Transformed
from ._logarithm import AbstractLogarithm, check_low, logarithm_units
from ._summary import Summary
from ._support import POSITIVE, Support


class Log(AbstractLogarithm):
    r"""Take the logarithm of each feature, then its centre and its scale.

    .. math:: y_j = (\log x_j - m_j)/s_j, \qquad \log|\det J| = -\sum_j \log x_j - \sum_j \log s_j

    with m and s the mean and the standard deviation of log x_j over the data. For numbers above
    zero. No draw is zero or negative; the decoder's mean, taken back, is the median of x.

    Below ℓ_j, the smaller of the resolution and the smallest amount of the data, the logarithm's
    tangent at ℓ_j takes its place in ``forward``: the Jacobian is bounded by −Σ_j log ℓ_j s_j, and
    an amount smaller than was ever measured has a finite score. The density then integrates to
    one but for the mass that the noise puts below ℓ_j/e.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, numpy as np
    >>> from wellposed.transforms import summarise
    >>> amounts = np.exp(np.random.default_rng(0).normal(size=(50, 1)))
    >>> log = Log().fit(summarise(amounts))
    >>> y = log.forward(jnp.array([2.5]), key=jax.random.key(0)).value
    >>> round(float(log.inverse(y)[0]), 4)
    2.5
    """

    offset: ClassVar[float] = 0.0
    mean: Fitted = None  # (d,), m
    scale: Fitted = None  # (d,), s
    least: Fitted = None  # (d,), ℓ
    varies: Fitted = None  # (d,), bool

    @property
    def domain(self) -> Support:
        return POSITIVE

    def fit(self, summary: Summary) -> "Log":
        check_low(
            summary,
            summary.low <= 0,
            "The log transform needs numbers above 0",
            'Zeros fit transform="log1p" or noise=wp.noise.ZeroInflated(); transform those columns '
            "alone that are above 0 with wp.noise.Columns, each with its noise.",
        )
        mean, scale = logarithm_units(summary, np.log)
        step = np.where(summary.resolution > 0, summary.resolution, np.inf)
        least = np.maximum(np.minimum(summary.low, step), np.finfo(jnp.result_type(float)).tiny)
        varies = jax.device_put(summary.varies)
        return Log(on_device(mean), on_device(scale), on_device(least), varies)

    def forward(self, x: Point, *, key: PRNGKey) -> Transformed:
        del key
        log_slope = -jnp.log(jnp.maximum(x, self.least)) - jnp.log(self.scale)
        return Transformed((log_from(x, self.least) - self.mean) / self.scale, log_slope.sum())

    def inverse(self, y: Point) -> Point:
        return bounded_exp(self.logarithms(y))

    def log_det_bound(self, d: int) -> float:
        del d
        log_least = np.log(np.asarray(self.least, np.float64))
        return -float((log_least + np.log(np.asarray(self.scale, np.float64))).sum())
