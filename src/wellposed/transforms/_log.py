"""Model units that are standardised logarithms of amounts."""

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._errors import DataError, named_features
from wellposed._typing import Fitted, Point, PRNGKey
from wellposed.numerics import bounded_exp, log_from, on_device

from ._abstract import AbstractTransform, Transformed
from ._summary import Moments, Summary, as_moments
from ._support import POSITIVE, REALS, Support


class Log(AbstractTransform):
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

    mean: Fitted = None  # (d,), m
    scale: Fitted = None  # (d,), s
    least: Fitted = None  # (d,), ℓ
    varies: Fitted = None  # (d,), bool

    @property
    def domain(self) -> Support:
        return POSITIVE

    @property
    def range(self) -> Support:
        return REALS

    def fit(self, summary: Summary) -> "Log":
        lacking = np.flatnonzero(summary.low <= 0)
        if lacking.size:
            worst = int(lacking[0])
            raise DataError(
                f"The log transform needs numbers above 0; features {named_features(lacking)} are "
                f"not: feature {worst} goes down to {summary.low[worst]:.6g}. Zeros fit "
                'transform="log1p" or noise=wp.noise.ZeroInflated(); transform those columns alone '
                "that are above 0 with wp.noise.Columns, each with its noise."
            )
        mean, scale = of_logarithms(np.log(summary.sample.astype(np.float64)), summary, np.log)
        step = np.where(summary.resolution > 0, summary.resolution, np.inf)
        least = np.maximum(np.minimum(summary.low, step), np.finfo(jnp.result_type(float)).tiny)
        varies = jax.device_put(summary.varies)
        return Log(on_device(mean), on_device(scale), on_device(least), varies)

    def forward(self, x: Point, *, key: PRNGKey) -> Transformed:
        del key
        log_slope = -jnp.log(jnp.maximum(x, self.least)) - jnp.log(self.scale)
        return Transformed((log_from(x, self.least) - self.mean) / self.scale, log_slope.sum())

    def inverse(self, y: Point) -> Point:
        return bounded_exp(jnp.where(self.varies, self.mean + self.scale * y, self.mean))

    def moments(self, summary: Summary, *, key: PRNGKey) -> Moments:
        del key
        scale = np.asarray(self.scale, np.float64)
        share = np.minimum(summary.resolution / summary.high, 0.5)  # of the largest value: a step
        return as_moments(
            summary,
            np.zeros_like(scale),
            np.where(summary.varies, 1.0, 0.0),
            -np.log1p(-share) / scale,
            summary.varies,
        )

    def log_det_bound(self, d: int) -> float:
        del d
        log_least = np.log(np.asarray(self.least, np.float64))
        return -float((log_least + np.log(np.asarray(self.scale, np.float64))).sum())


def of_logarithms(
    logs: np.ndarray, summary: Summary, logarithm: np.ufunc
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and scale of logarithms of the sample, (d,): of a constant, its own logarithm and one.

    The scale is no smaller than what the extremes of all rows make of it, which the sample may
    not hold.
    """
    width = logarithm(summary.high) - logarithm(summary.low)
    scale = np.maximum(logs.std(axis=0), width / np.sqrt(2.0 * summary.n))
    mean = np.where(summary.varies, logs.mean(axis=0), logarithm(summary.low))
    return mean, np.where(summary.varies & (scale > 0), scale, 1.0)
