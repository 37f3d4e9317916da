"""Initial weights: all of a network's in one compiled draw."""

import functools
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array

from wellposed._typing import PRNGKey

# Shape and standard deviation of each array, in order.
Plan: TypeAlias = tuple[tuple[tuple[int, ...], float], ...]

# The last layer's standard deviation over that of the others. A fresh decoder then starts near
# a constant and a fresh posterior near the prior: the first ELBO is that of no model at all,
# and no step is lost on unlearning a random one.
LAST = 0.1


@functools.partial(jax.jit, static_argnames="plan")
def draw(key: PRNGKey, plan: Plan) -> tuple[Array, ...]:
    """Draw one centred normal array for each entry of ``plan``.

    One jitted call, cached by the plan: drawn array by array, a network costs a dispatch and,
    for each new shape, a compilation.
    """
    keys = jax.random.split(key, len(plan))
    return tuple(
        std * jax.random.normal(k, shape) if std else jnp.zeros(shape)
        for k, (shape, std) in zip(keys, plan, strict=True)
    )
