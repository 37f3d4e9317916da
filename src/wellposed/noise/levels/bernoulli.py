"""Bernoulli noise for binary data."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpyro.distributions import BernoulliLogits, Distribution, constraints

from wellposed._typing import Density, Fitted, Point, PRNGKey, Raw
from wellposed.numerics import on_device
from wellposed.transforms import BINARY, Moments, Support

from ..parts.constants import Constants, pinned
from ..parts.features import Features
from ..parts.whole import AbstractWhole, Shown


class Bernoulli(AbstractWhole):
    r"""Independent zeros and ones.

    .. math:: P(y \mid z) = \prod_j \pi_j^{y_j} (1 - \pi_j)^{1 - y_j}, \qquad
       \pi_j = σ(c_j + r_j)

    with r the decoder's output and c the log odds of the feature's mean, half a count added to
    each side. Grey values are refused: the formula sums to one over zeros and ones, and its
    integral over [0, 1] is no constant (see ``ContinuousBernoulli``).
    """

    start: Fitted  # (d,), log odds at raw zero
    constants: Constants | None
    shown: Shown | None

    def __init__(self):
        self.start = self.constants = self.shown = None

    @property
    def n_raw(self) -> int:
        return 1

    @property
    def support(self) -> Support:
        return BINARY

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> "Bernoulli":
        del key
        ones = np.asarray(moments.mean, np.float64) * moments.n
        odds = (ones + 0.5) / (moments.n - ones + 0.5)
        return eqx.tree_at(
            lambda b: (b.start, b.constants, b.shown),
            self,
            (
                on_device(np.log(odds)),
                Constants.of(moments),
                Shown.of(moments),
            ),
            is_leaf=lambda leaf: leaf is None,
        )

    def __call__(self, raw: Raw) -> Density:
        constants = self.constants and self.constants.whole(2)
        return Features(pinned(Binary(self.start + raw), constants))


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
