"""Initial weights of a network, in one compiled draw."""

import functools
import itertools
import math
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from wellposed._typing import PRNGKey

# Shape and standard deviation of each array, in order.
Plan: TypeAlias = tuple[tuple[tuple[int, ...], float], ...]

# The last layer's standard deviation over that of the others. A fresh decoder then starts near
# a constant and a fresh posterior near the prior: the first ELBO is that of a constant decoder, and
# no step is spent on unlearning a random one.
LAST = 0.1


def plan_layer(
    shape: tuple[int, ...], *, n_in: int, n_out: int, gain: float, last: bool = False
) -> Plan:
    """Plan the weights and biases of one layer with ``n_in`` inputs for each output.

    A bias is the weight of an input that is always one, so that all have variance
    gain/(n_in + 1). From zero biases a network of relus is homogeneous: all its kinks pass through
    the origin, and a decoder of two latents depends on the angle of z only, up to scale. The last
    layer has none.
    """
    if last:
        return (shape, LAST * (gain / n_in) ** 0.5), ((n_out,), 0.0)
    std = (gain / (n_in + 1)) ** 0.5
    return (shape, std), ((n_out,), std)


# Normals are drawn in vectors of this length, doubled until it suffices.
_LEAST_DRAWN = 1 << 17


def draw(key: PRNGKey, plan: Plan) -> tuple[Array, ...]:
    """Draw one centred normal array for each entry of ``plan``.

    One vector, whose length is one of a few, is split on the host: all small networks share one
    program. Under a trace it is split there, with the same numbers.
    """
    sizes = [math.prod(shape) if std else 0 for shape, std in plan]
    flat = _normals(key, max(_LEAST_DRAWN, 1 << max(sum(sizes) - 1, 0).bit_length()))
    xp: Any = jnp
    if not isinstance(flat, Tracer):
        flat, xp = np.asarray(flat), np
    starts = itertools.accumulate(sizes, initial=0)
    arrays = tuple(
        flat[start : start + size].reshape(shape) * flat.dtype.type(std)
        if std
        else xp.zeros(shape, flat.dtype)
        for (shape, std), start, size in zip(plan, starts, sizes, strict=False)
    )
    return arrays if xp is jnp else jax.device_put(arrays)


@functools.partial(jax.jit, static_argnames="n")
def _normals(key: PRNGKey, n: int) -> Array:
    """n standard normals; a smaller n gives the first of them."""
    return jax.random.normal(key, (n,))
