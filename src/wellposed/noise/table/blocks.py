"""The density of a row whose groups of columns have densities of their own."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from wellposed._typing import Density, Point, PRNGKey, Scalar
from wellposed.numerics import clip_finite

from ..parts.density import AbstractDensity, pearson_residuals


class Blocks(AbstractDensity):
    r"""p(y) = ∏_g p_g((y_g − c_g)/s_g)/∏_j s_j over disjoint groups g of columns, event (d,).

    Parameters
    ----------
    parts : densities of event shape (d_g,)
    center, scale : shape (d,), c and s
    columns : positions of each group's columns
    """

    pytree_data_fields = ("parts", "center", "scale")
    pytree_aux_fields = ("columns",)

    def __init__(
        self,
        parts: tuple[Density, ...],
        center: Point,
        scale: Point,
        columns: tuple[tuple[int, ...], ...],
    ):
        self.parts, self.center, self.scale, self.columns = parts, center, scale, columns
        super().__init__(batch_shape=(), event_shape=center.shape)

    def log_prob(self, value: Point, intermediates: Any = None) -> Scalar:
        del intermediates
        y = clip_finite((value - self.center) / self.scale)
        terms = [
            part.log_prob(y[jnp.array(columns)])
            for part, columns in zip(self.parts, self.columns, strict=True)
        ]
        return sum(terms) - jnp.log(self.scale).sum()

    @property
    def independent(self) -> bool:
        return all(part.independent for part in self.parts)

    def feature_log_prob(self, value: Point) -> Point:
        y = clip_finite((value - self.center) / self.scale)
        each = self._gather(lambda part, columns: part.feature_log_prob(y[jnp.array(columns)]))
        return each - jnp.log(self.scale)

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        keys = dict(zip(self.columns, jax.random.split(key, len(self.parts)), strict=True))
        y = self._gather(
            lambda part, columns: part.sample(keys[columns], sample_shape), sample_shape
        )
        return self.center + self.scale * y

    @property
    def mean(self) -> Point:
        return self.center + self.scale * self._gather(lambda part, _: part.mean)

    @property
    def central(self) -> Point:
        """The mean of each column, or its likeliest level where levels have no order, (d,)."""
        of_part = self._gather(
            lambda part, _: part.central if isinstance(part, AbstractDensity) else part.mean
        )
        return self.center + self.scale * of_part

    @property
    def variance(self) -> Point:
        return self.scale**2 * self._gather(lambda part, _: part.variance)

    def pearson_residuals(self, value: Point) -> Point:
        """Those of each group after one another; of levels without an order one each."""
        y = (value - self.center) / self.scale
        of_parts = [
            pearson_residuals(part, y[jnp.array(columns)])
            for part, columns in zip(self.parts, self.columns, strict=True)
        ]
        return jnp.concatenate(of_parts)

    def coupled(self, alpha: Scalar) -> Point:
        """Every column at the quantile Φ(α) of its noise, shape (d,)."""
        return self.center + self.scale * self._gather(lambda part, _: part.coupled(alpha))

    def cdf(self, value: Point) -> Point:
        """P(Y_j ≤ y_j | z) of each column, shape (d,)."""
        y = (value - self.center) / self.scale
        return self._gather(lambda part, columns: part.cdf(y[jnp.array(columns)]))

    @property
    def has_tails(self) -> np.ndarray:
        known = np.zeros(self.event_shape, bool)
        for part, columns in zip(self.parts, self.columns, strict=True):
            known[list(columns)] = _tails_of(part)
        return known

    def log_cdf(self, value: Point) -> Point:
        """log P(Y_j ≤ y_j | z) of each column, shape (d,); zero where it is not known."""
        y = (value - self.center) / self.scale
        return self._gather(lambda part, columns: _log_tail(part, "log_cdf", y, columns))

    def log_sf(self, value: Point) -> Point:
        """log P(Y_j ≥ y_j | z) of each column, shape (d,); zero where it is not known."""
        y = (value - self.center) / self.scale
        return self._gather(lambda part, columns: _log_tail(part, "log_sf", y, columns))

    def icdf(self, q: Point | Scalar) -> Point:
        """Quantile of each column at probabilities q in (0, 1), shape (d,)."""
        each = jnp.broadcast_to(q, self.event_shape)
        y = self._gather(lambda part, columns: part.icdf(each[jnp.array(columns)]))
        return self.center + self.scale * y

    def _gather(
        self, of: Callable[[Density, tuple[int, ...]], Array], sample_shape: tuple[int, ...] = ()
    ) -> Array:
        values = jnp.zeros((*sample_shape, *self.event_shape), self.center.dtype)
        for part, columns in zip(self.parts, self.columns, strict=True):
            values = values.at[..., jnp.array(columns)].set(of(part, columns))
        return values


def _tails_of(part: Density) -> np.ndarray:
    return part.has_tails if isinstance(part, AbstractDensity) else np.zeros(part.event_shape, bool)


def _log_tail(part: Any, name: str, y: Point, columns: tuple[int, ...]) -> Point:
    inside = y[jnp.array(columns)]
    return getattr(part, name)(inside) if _tails_of(part).all() else jnp.zeros_like(inside)
