"""Which densities are products over features."""

from typing import Any

import jax.numpy as jnp

from wellposed._typing import Point
from wellposed.numerics import held

from .parts.features import Features
from .real.rescaled import Stretched
from .table.blocks import Blocks


def independent(density: Any) -> bool:
    """Tell whether p(y | z), as a noise returned it, is ∏_j p(y_j | z).

    Its mean and variance are then those of each feature, and exact.
    """
    if isinstance(density, Blocks):
        return all(independent(part) for part in density.parts)
    if isinstance(density, Stretched):
        return independent(density.of)
    return isinstance(density, Features)


def feature_log_prob(density: Any, y: Point) -> Point:
    """log p(y_j | z) of each feature, shape (d,), of a density that is their product; nats."""
    if isinstance(density, Blocks):
        found, seen = jnp.zeros_like(y), held((y - density.center) / density.scale)
        for part, columns in zip(density.parts, density.columns, strict=True):
            at = jnp.array(columns)
            found = found.at[at].set(feature_log_prob(part, seen[at]))
        return found - jnp.log(density.scale)
    if isinstance(density, Stretched):
        narrowed = held(density.of.mean + (y - density.of.mean) / density.scale)
        return feature_log_prob(density.of, narrowed) - jnp.log(density.scale)
    return density.each.log_prob(y)
