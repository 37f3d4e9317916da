"""The distribution of a datum drawn feature by feature from mixtures of discretised logistics."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpyro.distributions import constraints

from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.nn import MLP, Linear, activate

from ..levels.enumerated import moments_of_cdf
from ..levels.logistic_mixture import log_logistic_mixture, logistic_mixture_cdf
from ..parts.constants import Constants
from ..parts.density import AbstractDensity
from .window import Window

# Smallest scale in levels: a cell contains all but e^{-25} of a logistic there.
_LEAST_SCALE = 0.02


class CausalMixture(AbstractDensity):
    """P(y) = ∏_i P(y_i | neighbours drawn before i); event shape (d,).

    Parameters
    ----------
    outputs : array of shape (d, r), the decoder's outputs for each feature
    network : from a feature's neighbours and outputs, (neighbours + r,), to its mixture, (3m,)
    window : Window
    levels : L
    constants : features that never vary, or None
    centre, spread : numbers; neighbours enter as (y − centre)/spread
    """

    support: Any = constraints.nonnegative_integer
    pytree_data_fields = ("outputs", "network", "constants", "centre", "spread")
    pytree_aux_fields = ("window", "levels")

    def __init__(
        self,
        outputs: Float[Array, "d r"],
        network: MLP,
        window: Window,
        levels: int,
        constants: Constants | None,
        centre: Scalar,
        spread: Scalar,
    ):
        self.outputs, self.network, self.window, self.levels = outputs, network, window, levels
        self.constants, self.centre, self.spread = constants, centre, spread
        super().__init__(batch_shape=(), event_shape=outputs.shape[:1])

    def log_prob(self, value: Point, intermediates: Any = None) -> Scalar:
        del intermediates
        near = self.window.neighbours(self._context(value))
        log_weights, locations, scales = self._mixture(near, self._from_outputs())
        each = log_logistic_mixture(value, log_weights, locations, scales, self.levels)
        if self.constants is not None:
            exceptional = self.constants.whole(self.levels).density.log_prob(value)
            each = jnp.where(self.constants.varies, each, exceptional)
        return each.sum()

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        if sample_shape:
            keys = jax.random.split(key, int(np.prod(sample_shape)))
            return jax.vmap(self.sample)(keys).reshape(*sample_shape, -1)
        component_key, logistic_key, exception_key = jax.random.split(key, 3)
        d, m = self.event_shape[0], self._n_components
        gumbel = jax.random.gumbel(component_key, (d, m))
        logistic = jax.random.logistic(logistic_key, (d,))

        def draw(i: Array, mixture: tuple[Point, Point, Point]) -> Scalar:
            log_weights, locations, scales = mixture
            chosen = jax.nn.one_hot(jnp.argmax(log_weights + gumbel[i]), m)
            value = chosen @ locations + (chosen @ scales) * logistic[i]
            return jnp.clip(jnp.round(value), 0, self.levels - 1)

        drawn = self._raster(draw)
        if self.constants is None:
            return drawn
        exceptional = self.constants.whole(self.levels).density.sample(exception_key)
        return jnp.where(self.constants.varies, drawn, exceptional)

    @property
    def mean(self) -> Point:
        """Expectation of each feature, its neighbours at theirs (the mean-field one)."""
        return self._raster(lambda i, mixture: self._expectation(*mixture))

    @property
    def variance(self) -> Point:
        """Variance of each feature given its neighbours at their expectation, shape (d,)."""
        near = self.window.neighbours(self._context(self.mean))
        mixture = self._mixture(near, self._from_outputs())
        like = mixture[1][0]
        _, within = moments_of_cdf(
            lambda v: logistic_mixture_cdf(v, *mixture, levels=self.levels), self.levels, like
        )
        if self.constants is None:
            return within
        exceptional = self.constants.whole(self.levels).density.variance
        return jnp.where(self.constants.varies, within, exceptional)

    def coupled(self, alpha: Scalar) -> Point:
        """Every feature at the quantile Φ(α) given its neighbours at theirs, shape (d,)."""
        q = jax.scipy.special.ndtr(alpha)

        def at(i: Array, mixture: tuple[Point, Point, Point]) -> Scalar:
            del i
            return self._quantile(q, *(part[:, None] for part in mixture))[0]

        return self._raster(at)

    def _quantile(self, q: Scalar, *mixture: Array) -> Point:
        """Smallest level whose distribution function reaches q, by bisection."""
        low = jnp.full(mixture[0].shape[1:], -1.0)
        high = jnp.full_like(low, self.levels - 1.0)
        for _ in range(math.ceil(math.log2(self.levels + 1))):
            middle = jnp.floor(0.5 * (low + high))
            reached = logistic_mixture_cdf(middle, *mixture, levels=self.levels) >= q
            low, high = jnp.where(reached, low, middle), jnp.where(reached, middle, high)
        return high

    def _expectation(self, log_weights: Point, locations: Point, scales: Point) -> Scalar:
        """Mean of the mixture, each logistic clipped to the first level and the last.

        E clip(X, 0, b) = s [softplus(μ/s) − softplus((μ − b)/s)], which differs from the mean of
        the level by less than half a level.
        """
        last = self.levels - 1
        clipped = scales * (
            jax.nn.softplus(locations / scales) - jax.nn.softplus((locations - last) / scales)
        )
        return jnp.sum(jax.nn.softmax(log_weights, axis=0) * clipped, axis=0)

    @property
    def _n_components(self) -> int:
        return self.network.layers[-1].bias.shape[0] // 3

    def _context(self, value: Point) -> Point:
        """Values as neighbours, standardised; those of constant features are the constant."""
        if self.constants is not None:
            value = jnp.where(self.constants.varies, value, self.constants.value)
        return (value - self.centre) / self.spread

    def _from_outputs(self) -> Float[Array, "d h"]:
        """The first layer's share that comes from the decoder: the same for any neighbours."""
        first, n_near = self.network.layers[0], self.window.n_neighbours
        return self.outputs @ first.weight[n_near:] + first.bias

    def _mixture(
        self, near: Float[Array, "d neighbours"], own: Float[Array, "d h"]
    ) -> tuple[Array, Array, Array]:
        """Log weights, locations and scales, each (m, d), in levels."""
        first, *rest = self.network.layers
        x = near @ first.weight[: self.window.n_neighbours] + own
        for layer in rest:
            x = _rows(activate(self.network.activation, x), layer)
        log_weights, locations, log_scales = jnp.moveaxis(x, -1, 0).reshape(
            3, self._n_components, -1
        )
        # Raw zeros spread the components over the levels, wide enough to overlap.
        last, m = self.levels - 1, self._n_components
        places = (np.arange(m) + 0.5) / m
        locations = last * (places[:, None] + locations)
        scales = _LEAST_SCALE + (last / (4 * m)) * jnp.exp(jnp.minimum(log_scales, 10.0))
        return log_weights, locations, scales

    def _raster(self, value_of: Any) -> Point:
        """Run down the raster; ``value_of(index, mixture)`` gives a feature's value."""
        own = self._from_outputs()

        def draw(i: Array, near: Array) -> tuple[Scalar, Scalar]:
            mixture = self._mixture(near[None], own[i][None])
            value = value_of(i, tuple(part[:, 0] for part in mixture))
            if self.constants is not None:
                value = jnp.where(self.constants.varies[i], value, self.constants.value[i])
            return value, (value - self.centre) / self.spread

        return self.window.raster(draw)


def _rows(x: Float[Array, "d n"], layer: Linear) -> Float[Array, "d m"]:
    return x @ layer.weight + layer.bias
