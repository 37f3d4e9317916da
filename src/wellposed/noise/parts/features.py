"""The density of a datum whose features are independent given z."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array
from numpyro.distributions import Distribution, Normal, constraints

from wellposed._typing import Point, PRNGKey, Scalar

from .constants import Replaced


class Features(Distribution):
    r"""p(y | z) = ∏_j p(y_j | z), event shape (d,).

    Parameters
    ----------
    each : numpyro distribution of batch shape (d,)
    """

    support: Any = constraints.real_vector
    pytree_data_fields = ("each",)

    def __init__(self, each: Any):
        self.each: Any = each
        super().__init__(batch_shape=(), event_shape=each.batch_shape)

    def log_prob(self, value: Point, intermediates: Any = None) -> Scalar:
        del intermediates
        return self.each.log_prob(value).sum()

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        return self.each.sample(key, sample_shape)

    @property
    def mean(self) -> Point:
        return self.each.mean

    @property
    def variance(self) -> Point:
        return self.each.variance

    def cdf(self, value: Point) -> Point:
        """P(Y_j ≤ y_j | z) of each feature, shape (d,)."""
        return self.each.cdf(value)

    def icdf(self, q: Point | Scalar) -> Point:
        """Quantile of each feature at probabilities q in (0, 1), shape (d,)."""
        return self.each.icdf(jnp.broadcast_to(q, self.event_shape))

    def coupled(self, alpha: Scalar) -> Point:
        """Every feature at the quantile Φ(α) of its noise, shape (d,); μ + ασ for a Gaussian.

        Other noise stays where it is for α beyond ±5.3 in float32, where Φ rounds to 0 and 1.
        """
        return at_quantile(self.each, alpha)


def at_quantile(each: Any, alpha: Scalar) -> Point:
    """Every feature of a distribution of batch shape (d,) at its quantile Φ(α)."""
    if isinstance(each, Replaced):
        rest = at_quantile(each.constants.density, alpha)
        return jnp.where(each.constants.varies, at_quantile(each.each, alpha), rest)
    if isinstance(each, Normal):  # as written: Φ(α) rounds to 0 or 1 soon enough
        return each.mean + alpha * jnp.sqrt(each.variance)
    q = jax.scipy.special.ndtr(alpha)
    step = jnp.finfo(q.dtype).epsneg  # nearer to 0 or 1, quantiles of unbounded noise are infinite
    return each.icdf(jnp.full(each.batch_shape, jnp.clip(q, step, 1 - step)))
