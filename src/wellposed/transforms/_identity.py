"""Model units that are data units."""

import dataclasses

import jax.numpy as jnp
import numpy as np

from wellposed._typing import Point, PRNGKey

from ._abstract import AbstractTransform, Transformed
from ._summary import Moments, Summary, as_moments
from ._support import REALS, Support


class Identity(AbstractTransform):
    """y = x, log |det J| = 0.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> Identity().forward(jnp.ones(3), key=jax.random.key(0)).value.tolist()
    [1.0, 1.0, 1.0]
    """

    @property
    def domain(self) -> Support:
        return REALS

    @property
    def range(self) -> None:
        return None

    def fit(self, summary: Summary) -> "Identity":
        del summary
        return self

    def forward(self, x: Point, *, key: PRNGKey) -> Transformed:
        del key
        return Transformed(x, jnp.zeros((), x.dtype))

    def inverse(self, y: Point) -> Point:
        return y

    def moments(self, summary: Summary, *, key: PRNGKey) -> Moments:
        del key
        moments = as_moments(
            summary,
            summary.mean,
            summary.variance,
            summary.resolution,
            summary.varies,
            summary.high,
        )
        lows = np.asarray(summary.low, jnp.result_type(float))
        return dataclasses.replace(moments, lows=lows, sample=np.asarray(summary.sample))

    def log_det_bound(self, d: int) -> float:
        del d
        return 0.0
