"""Sums over the shards of a batch by a tree that does not depend on the number of devices.

Sums in floating point depend on their order. The sums of shards are added by pairs of neighbours,
pairs of pairs, and so on: a device adds the subtree of its own shards, and all devices add what is
above.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

AXIS = "data"  # of the mesh


def own_total(
    sum_of: Callable[[Array], Float[Array, " numbers"]],
    zeros: Float[Array, " numbers"],
    each: Int[Array, ""],
    most: int,
) -> Float[Array, " numbers"]:
    """Return the sum of the shards of one device.

    The number of shards is data, so that devices with few and with many run one program: what a
    compiler rounds depends on the program.

    Parameters
    ----------
    sum_of : function of the number of a shard, from 0
    zeros : of the shape of its sums
    each : number of shards, a power of two
    most : largest number of shards, a power of two
    """

    def add_shard(i: Array, kept: Array) -> Array:
        def has_neighbour(at: tuple[Array, Array]) -> Array:
            return (i >> at[0]) % 2 == 1

        def add(at: tuple[Array, Array]) -> tuple[Array, Array]:
            return at[0] + 1, kept[at[0]] + at[1]

        # Sums of 1, 2, 4, … shards wait for a neighbour, as the digits of a binary counter do.
        level, total = jax.lax.while_loop(has_neighbour, add, (jnp.zeros((), jnp.int32), sum_of(i)))
        return kept.at[level].set(total)

    kept = jnp.zeros((most.bit_length(), *zeros.shape), zeros.dtype)
    return jax.lax.fori_loop(0, each, add_shard, kept)[31 - jax.lax.clz(each)]


def pairwise(sums: Float[Array, "devices numbers"]) -> Float[Array, " numbers"]:
    """Add neighbours until one sum is left; the number of devices is a power of two."""
    while len(sums) > 1:
        sums = sums[::2] + sums[1::2]
    return sums[0]
