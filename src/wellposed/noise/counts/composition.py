"""The density of a row of counts as that of its total times that of its shares."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array
from numpyro.distributions import constraints

from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.numerics import finite_count

from ..parts.constants import ConstantDensity
from ..parts.density import AbstractDensity
from ..parts.features import Features
from .laws import StableNegativeBinomial, StablePoisson
from .log_probability import log_negative_binomial, log_poisson


class Composition(AbstractDensity):
    r"""p(x | z) = p(T) p(x | T, z), T = Σ_j x_j over the features that vary; event shape (d,).

    .. math:: p(T) = N(T; M, r), \qquad
       p(x \mid T) = \mathrm{Multinomial}(T, π) \text{ or Dirichlet-multinomial}(T, a)

    Independent Poissons given their sum are multinomial, and negative binomials of one success
    probability given theirs are Dirichlet-multinomial:

    .. math:: p(x \mid T) = \prod_j P(x_j; T π_j) / P(T; T) \quad\text{or}\quad
       \prod_j N(x_j; T π_j, a_j) / N(T; T, Σ a), \; π = a/Σ a

    with Poisson P and negative binomial N of those means, so that no large numbers cancel.
    Features that never vary have a density of their own, outside the total.

    Parameters
    ----------
    size : negative binomial of batch shape (1,), of the totals
    log_shares : shape (d,), log π; any finite number where a feature never varies
    concentration : shape (d,), a; None for the multinomial
    constants : features that never vary, or None
    """

    support: Any = constraints.independent(constraints.nonnegative_integer, 1)
    pytree_data_fields = ("size", "log_shares", "concentration", "constants")

    def __init__(
        self,
        size: StableNegativeBinomial,
        log_shares: Point,
        concentration: Point | None,
        constants: ConstantDensity | None,
    ):
        self.size: Any = size
        self.log_shares, self.concentration = log_shares, concentration
        self.constants = constants
        super().__init__(batch_shape=(), event_shape=log_shares.shape)

    def log_prob(self, value: Point, intermediates: Any = None) -> Scalar:
        del intermediates
        value = finite_count(jnp.asarray(value, self.log_shares.dtype))
        total = self._varying(value).sum()
        log_total = jnp.log(jnp.maximum(total, 1.0))  # an empty row has zeros for sure
        each = self._varying(self._given(log_total).log_prob(value)).sum()
        if self.concentration is None:
            shared = log_poisson(total, log_total)
        else:
            whole = self._varying(self.concentration).sum()
            shared = log_negative_binomial(total, log_total, whole)
        log_prob = self.size.log_prob(total[None])[0] + jnp.minimum(each - shared, 0.0)
        if self.constants is None:
            return log_prob
        apart = self.constants.density.log_prob(value)
        return log_prob + jnp.where(self.constants.varies, 0.0, apart).sum()

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        keys = jax.random.split(key, sample_shape)
        draw = self._draw
        for _ in sample_shape:
            draw = jax.vmap(draw)
        return draw(keys)

    def _draw(self, key: PRNGKey) -> Point:
        """Draw the total, then the shares, then the features one after another."""
        size_key, share_key, split_key, constant_key = jax.random.split(key, 4)
        total = self.size.sample(size_key)[0]
        log_shares = self.log_shares
        if self.concentration is not None:
            # In logs: concentrations of a thousandth give gammas below float32's smallest.
            log_shares = jax.random.loggamma(share_key, self.concentration)
        if self.constants is None:
            return _multinomial(total, log_shares, key=split_key)
        log_weights = jnp.where(self.constants.varies, log_shares, -jnp.inf)
        counts = _multinomial(total, log_weights, key=split_key)
        return self.constants.replace(counts, lambda p: p.sample(constant_key))

    @property
    def mean(self) -> Point:
        """E[T] π: a row of average size."""
        own = self.size.mean[0] * jnp.exp(self.log_shares)
        return self._with_constants(own, lambda p: p.mean)

    @property
    def variance(self) -> Point:
        """E Var[x | T] + Var E[x | T]."""
        shares, size, spread = jnp.exp(self.log_shares), self.size.mean[0], self.size.variance[0]
        within = size
        if self.concentration is not None:
            whole = self._varying(self.concentration).sum()
            # (E T² + Σa E T)/(1 + Σa), its parts divided first: squares overflow.
            within = (size * size + spread) / (1.0 + whole) + size * (whole / (1.0 + whole))
        own = shares * (1.0 - shares) * within + shares**2 * spread
        return self._with_constants(own, lambda p: p.variance)

    def coupled(self, alpha: Scalar) -> Point:
        """Every feature at the quantile Φ(α) of its count in a row of average size, (d,).

        A feature's count given the total is taken as Poisson, or negative binomial, of mean T π.
        """
        each = Features(self._given(self.size.log_mean[0]), self.constants)
        return each.icdf(jnp.full(self.event_shape, jax.scipy.special.ndtr(alpha)))

    def _given(self, log_total: Scalar) -> StablePoisson | StableNegativeBinomial:
        """The laws of which p(x | T) is the product, up to that of the total."""
        log_mean = log_total + self.log_shares
        if self.concentration is None:
            return StablePoisson(log_mean)
        return StableNegativeBinomial(log_mean, self.concentration)

    def _varying(self, each: Point) -> Point:
        return each if self.constants is None else jnp.where(self.constants.varies, each, 0.0)

    def _with_constants(self, each: Point, of: Callable[[Any], Array]) -> Point:
        return each if self.constants is None else self.constants.replace(each, of)


def _multinomial(total: Scalar, log_weights: Point, *, key: PRNGKey) -> Point:
    """Counts of a total by weights: each feature's a binomial of what the earlier ones left.

    A scan, so that the total may be traced.
    """
    log_left = jax.lax.cumlogsumexp(log_weights, reverse=True)

    def draw(left: Scalar, inputs: tuple) -> tuple[Scalar, Scalar]:
        log_share, draw_key = inputs
        share = jnp.where(jnp.isneginf(log_share), 0.0, jnp.minimum(jnp.exp(log_share), 1.0))
        drawn = jax.random.binomial(draw_key, left, share, dtype=left.dtype)
        drawn = jnp.where(share >= 1.0, left, drawn)
        return left - drawn, drawn

    finite = jnp.where(jnp.isneginf(log_weights), -jnp.inf, log_weights - log_left)
    keys = jax.random.split(key, log_weights.shape[0])
    return jax.lax.scan(draw, total, (finite, keys))[1]
