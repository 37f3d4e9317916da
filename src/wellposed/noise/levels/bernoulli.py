"""Bernoulli noise for binary data."""

from typing import Any, Self

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpyro.distributions import BernoulliLogits, Distribution, constraints

from wellposed._fill import fill
from wellposed._typing import Density, Point, PRNGKey, Raw
from wellposed.numerics import on_device
from wellposed.transforms import BINARY, Moments, Support

from ..parts.abstract import require
from ..parts.constants import Constants
from ..parts.features import Features
from ..parts.whole import AbstractWhole, LevelUnits


class Bernoulli(AbstractWhole):
    r"""Independent zeros and ones.

    .. math:: P(y \mid z) = \prod_j \pi_j^{y_j} (1 - \pi_j)^{1 - y_j}, \qquad
       \pi_j = σ(c_j + r_j)

    with r the decoder's output and c the log odds of the feature's mean, with half a count added
    to each side. Grey values are refused: the formula sums to one over zeros and ones, and its
    integral over [0, 1] depends on π (see :class:`ContinuousBernoulli`).

    Examples
    --------
    >>> import jax
    >>> import wellposed as wp
    >>> summary = wp.transforms.summarise(np.array([[0, 1], [1, 1], [0, 0], [0, 1]]))
    >>> moments = wp.transforms.Identity().moments(summary, key=jax.random.key(0))
    >>> density = Bernoulli().initialise(moments)(np.zeros(2, np.float32))
    >>> [round(float(v), 4) for v in density.mean]  # (ones + ½)/(n + 1)
    [0.3, 0.7]
    """

    start: Array | None  # (d,), log odds at raw zero
    constants: Constants | None
    shown: LevelUnits | None

    def __init__(self):
        self.start = self.constants = self.shown = None

    @property
    def n_raw(self) -> int:
        return 1

    @property
    def support(self) -> Support:
        return BINARY

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        del key
        ones = np.asarray(moments.mean, np.float64) * moments.n
        odds = (ones + 0.5) / (moments.n - ones + 0.5)
        return fill(
            self,
            start=on_device(np.log(odds)),
            constants=Constants.of(moments),
            shown=LevelUnits.of(moments),
        )

    def __call__(self, raw: Raw) -> Density:
        start = require(self, self.start)
        return Features(Binary(start + raw), self.constants and self.constants.whole(2))


class Binary(Distribution):
    """numpyro's Bernoulli with a cdf and quantiles, in floats; batch shape (d,)."""

    support: Any = constraints.boolean
    pytree_data_fields = ("of",)

    def __init__(self, logits: Point):
        self.of: Any = BernoulliLogits(logits)
        super().__init__(batch_shape=logits.shape)

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        return self.of.log_prob(value)

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        return self.of.sample(key, sample_shape).astype(self.of.logits.dtype)

    @property
    def mean(self) -> Point:
        return self.of.mean

    @property
    def variance(self) -> Point:
        return self.of.variance

    def cdf(self, value: Point) -> Point:
        return jnp.where(value >= 1, 1.0, jnp.where(value < 0, 0.0, 1.0 - self.of.probs))

    def icdf(self, q: Point) -> Point:
        return jnp.where(q > 1.0 - self.of.probs, 1.0, 0.0).astype(self.of.logits.dtype)
