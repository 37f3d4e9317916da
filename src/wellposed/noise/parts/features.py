"""The density of a datum whose features are independent given z."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpyro.distributions import Distribution, Normal

from wellposed._typing import Point, PRNGKey, Scalar

from .constants import ConstantDensity
from .density import AbstractDensity, standardised


@runtime_checkable
class HasLikeliest(Protocol):
    """A distribution on levels without an order, whose mean means nothing."""

    @property
    def likeliest(self) -> Point:
        """The likeliest level of each feature, (d,)."""
        ...

    def pearson_residuals(self, value: Point, /) -> Array:
        """([y_j = v] − P(v))/√P(v) of each feature and level, (d, L)."""
        ...


@runtime_checkable
class HasTails(Protocol):
    """A distribution of real numbers whose logarithmic tails are exact."""

    def log_cdf(self, value: Point, /) -> Point:
        """log P(Y_j ≤ y_j)."""
        ...

    def log_sf(self, value: Point, /) -> Point:
        """log P(Y_j ≥ y_j)."""
        ...


class Features(AbstractDensity):
    r"""p(y | z) = ∏_j p(y_j | z), event shape (d,).

    Parameters
    ----------
    each : numpyro distribution of batch shape (d,)
        With ``log_prob``, ``sample``, ``mean``, ``variance``, ``cdf`` and ``icdf``.
    constants : ConstantDensity or None
        The density of features that never vary, which replaces theirs in ``each``.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from numpyro.distributions import Normal
    >>> density = Features(Normal(jnp.zeros(3), 2.0 * jnp.ones(3)))
    >>> density.independent, density.variance.tolist()
    (True, [4.0, 4.0, 4.0])
    >>> density.feature_log_prob(jnp.zeros(3)).shape, density.log_prob(jnp.zeros(3)).shape
    ((3,), ())
    """

    pytree_data_fields = ("each", "constants")

    def __init__(self, each: Any, constants: ConstantDensity | None = None):
        self.each: Any = each
        self.constants = constants
        super().__init__(batch_shape=(), event_shape=each.batch_shape)

    @property
    def independent(self) -> bool:
        return True

    def log_prob(self, value: Point, intermediates: Any = None) -> Scalar:
        del intermediates
        return self.feature_log_prob(value).sum()

    def feature_log_prob(self, value: Point) -> Point:
        """log p(y_j | z) of each feature, shape (d,), in nats."""
        return self._either(lambda p: p.log_prob(value))

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        if self.constants is None:
            return self.each.sample(key, sample_shape)
        varying_key, constant_key = jax.random.split(key)
        drawn = self.each.sample(varying_key, sample_shape)
        return self.constants.replace(drawn, lambda p: p.sample(constant_key, sample_shape))

    @property
    def mean(self) -> Point:
        return self._either(lambda p: p.mean)

    @property
    def central(self) -> Point:
        """The mean of each feature, or its likeliest level where levels have no order, (d,)."""
        return self._either(lambda p: p.likeliest if isinstance(p, HasLikeliest) else p.mean)

    @property
    def variance(self) -> Point:
        return self._either(lambda p: p.variance)

    def pearson_residuals(self, value: Point) -> Point:
        """Those of each feature; of levels without an order one each, shape (d · L,)."""
        if not isinstance(self.each, HasLikeliest):
            return standardised(self, value)
        of_levels = self.each.pearson_residuals(value)
        if self.constants is not None:
            of_levels = jnp.where(self.constants.varies[:, None], of_levels, 0.0)
        return of_levels.reshape(-1)

    def cdf(self, value: Point) -> Point:
        """P(Y_j ≤ y_j | z) of each feature, shape (d,)."""
        return self._either(lambda p: p.cdf(value))

    @property
    def has_tails(self) -> np.ndarray:
        inner = getattr(self.each, "of", self.each)  # of a mixture with zero
        known = isinstance(self.each, HasTails) and isinstance(inner, HasTails)
        return np.full(self.event_shape, known)

    def log_cdf(self, value: Point) -> Point:
        """log P(Y_j ≤ y_j | z) of each feature, shape (d,), in nats, exact in the tails."""
        return self._either(lambda p: p.log_cdf(value))

    def log_sf(self, value: Point) -> Point:
        """log P(Y_j ≥ y_j | z) of each feature, shape (d,), in nats, exact in the tails."""
        return self._either(lambda p: p.log_sf(value))

    def icdf(self, q: Point | Scalar) -> Point:
        """Quantile of each feature at probabilities q in (0, 1), shape (d,)."""
        each = jnp.broadcast_to(q, self.event_shape)
        return self._either(lambda p: p.icdf(each))

    def coupled(self, alpha: Scalar) -> Point:
        """Every feature at the quantile Φ(α) of its noise, shape (d,); μ + ασ for a Gaussian.

        Other noise is constant in α beyond ±5.3 in float32, where Φ rounds to 0 and 1.
        """
        return self._either(lambda p: at_quantile(p, alpha))

    def _either(self, of: Callable[[Any], Array]) -> Array:
        own = of(self.each)
        return own if self.constants is None else self.constants.replace(own, of)


def at_quantile(each: Distribution, alpha: Scalar | Point) -> Point:
    """Every feature of a distribution of batch shape (d,) at its quantile Φ(α)."""
    if isinstance(each, Normal):  # as written: Φ(α) rounds to 0 or 1 from α = 5.3
        return each.mean + alpha * jnp.sqrt(each.variance)
    q = jax.scipy.special.ndtr(alpha)
    step = jnp.finfo(q.dtype).epsneg  # nearer to 0 or 1, quantiles of unbounded noise are infinite
    return each.icdf(jnp.full(each.batch_shape, jnp.clip(q, step, 1 - step)))
