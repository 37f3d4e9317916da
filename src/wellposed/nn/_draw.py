"""Initial weights: all of a network's in one compiled draw."""

import functools
import itertools
import math
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


def plan_layer(
    shape: tuple[int, ...], *, n_in: int, n_out: int, gain: float, last: bool = False
) -> Plan:
    """Plan the weights and biases of one layer; ``n_in`` numbers meet in each output.

    A bias is the weight of an input that is always one, so that all have variance
    gain/(n_in + 1). From zero biases a network of relus is homogeneous: all its kinks run
    through the origin, and a decoder of two latents tells only the angle of z. The last layer
    has none.
    """
    if last:
        return (shape, LAST * (gain / n_in) ** 0.5), ((n_out,), 0.0)
    std = (gain / (n_in + 1)) ** 0.5
    return (shape, std), ((n_out,), std)


@functools.partial(jax.jit, static_argnames="plan")
def draw(key: PRNGKey, plan: Plan) -> tuple[Array, ...]:
    """Draw one centred normal array for each entry of ``plan``.

    One jitted call, cached by the plan: drawn array by array, a network costs a dispatch each.
    One vector, cut up: a generator for each array took XLA seconds to compile, and so does the
    one generator when it is fused anew into each cut, which the barrier forbids.
    """
    sizes = [math.prod(shape) if std else 0 for shape, std in plan]
    flat = jax.lax.optimization_barrier(jax.random.normal(key, (sum(sizes),)))
    starts = itertools.accumulate(sizes, initial=0)
    return tuple(
        std * flat[start : start + size].reshape(shape) if std else jnp.zeros(shape)
        for (shape, std), start, size in zip(plan, starts, sizes, strict=False)
    )
