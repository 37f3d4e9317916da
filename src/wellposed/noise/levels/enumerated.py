"""Distributions on 0, …, L − 1 that have no closed moments or quantiles: one pass over levels.

A level at a time, never an array of L x d: 256 levels of an image would be 200,000 numbers.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array

from wellposed._typing import Point

# From a level, as a number, to P(V ≤ v), or P(v), of every feature.
ByLevel = Callable[[Array], Point]


def moments_of_cdf(cdf: ByLevel, levels: int, like: Point) -> tuple[Point, Point]:
    r"""Mean and variance of each feature, shape (d,).

    .. math:: E V = \sum_{v=0}^{L-2} (1 - F(v)), \qquad
       E V^2 = \sum_{v=0}^{L-2} (2v + 1) (1 - F(v))

    The variance is taken around a level near the mean, from E V and a second pass: far from zero
    E V² − (E V)² is a small difference of large numbers.
    """

    def add(total: Point, v: Array) -> tuple[Point, None]:
        return total + 1.0 - cdf(v), None

    each = jnp.arange(levels - 1, dtype=like.dtype)
    mean, _ = jax.lax.scan(add, jnp.zeros_like(like), each)
    around = jnp.round(mean)

    def add_square(total: Point, v: Array) -> tuple[Point, None]:
        # (v + 1 − c)² − (v − c)² = 2(v − c) + 1, on the tail to its right, or minus the left's.
        step = 2.0 * (v - around) + 1.0
        below = cdf(v)
        return total + jnp.where(v < around, -step * below, step * (1.0 - below)), None

    square, _ = jax.lax.scan(add_square, jnp.zeros_like(like), each)
    return mean, square - (mean - around) ** 2


def quantile_of_cdf(cdf: ByLevel, levels: int, q: Point) -> Point:
    """Smallest level whose cdf reaches q: the number of levels below the last that do not."""

    def count(level: Point, v: Array) -> tuple[Point, None]:
        return level + (cdf(v) < q), None

    level, _ = jax.lax.scan(count, jnp.zeros_like(q), jnp.arange(levels - 1, dtype=q.dtype))
    return level


def cdf_of_masses(mass: ByLevel, levels: int, value: Point) -> Point:
    """P(V ≤ v) as the sum of the probabilities up to v."""

    def add(total: Point, v: Array) -> tuple[Point, None]:
        return total + jnp.where(v <= value, mass(v), 0.0), None

    total, _ = jax.lax.scan(add, jnp.zeros_like(value), jnp.arange(levels, dtype=value.dtype))
    return jnp.where(value >= levels - 1, 1.0, jnp.minimum(total, 1.0))


def quantile_of_masses(mass: ByLevel, levels: int, q: Point) -> Point:
    """Smallest level at which the probabilities' running sum reaches q."""

    def count(carry: tuple[Point, Point], v: Array) -> tuple[tuple[Point, Point], None]:
        level, total = carry
        total = total + mass(v)
        return (level + (total < q), total), None

    start = (jnp.zeros_like(q), jnp.zeros_like(q))
    (level, _), _ = jax.lax.scan(count, start, jnp.arange(levels - 1, dtype=q.dtype))
    return level
