"""Strided convolutions as matrix products: the route of CPUs, where it pays by tenfold.

Two recipes, chosen by shape:

*Gathering.* Space to depth turns the image into cells of 2 x 2 pixels, (h+1) x (w+1) of them
with the padding; four shifted slices side by side are the patches, and one product does the rest.

*Minimal filtering* (:mod:`wellposed.nn._minimal`) needs 9/16 of the multiplications and of the
memory traffic, but transforms the kernel too, and wants an even coarse grid.

Shapes as in :mod:`wellposed.nn._strided`, without the model axis.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from . import _minimal

_SHIFTS = ((0, 0), (0, 1), (1, 0), (1, 1))


def down(x: Float[Array, "n H W C"], w: Float[Array, "4 4 C N"]) -> Float[Array, "n h w N"]:
    """Convolve with a 4 x 4 kernel at stride 2, padded by one."""
    if _minimal.pays(x.shape, w.shape[-1]):
        return _minimal.down(x, w)
    return rows(_patches(x), _matrix(w))


def up(c: Float[Array, "n h w N"], w: Float[Array, "4 4 C N"]) -> Float[Array, "n H W C"]:
    """Transpose :func:`down` with respect to ``x``."""
    n, h, width, _ = c.shape
    if _minimal.pays((n, 2 * h, 2 * width, w.shape[2]), w.shape[-1]):
        return _minimal.up(c, w)
    return _scatter(rows(c, _matrix(w).T))


def weight(x: Float[Array, "n H W C"], c: Float[Array, "n h w N"]) -> Float[Array, "4 4 C N"]:
    """Transpose :func:`down` with respect to ``w``."""
    if _minimal.pays(x.shape, c.shape[-1]):
        return _minimal.weight(x, c)
    return _kernel(gram(_patches(x), c))


def rows(x: Float[Array, "*rows k"], m: Float[Array, "k N"]) -> Float[Array, "*rows N"]:
    """Multiply each last axis by ``m``, as one product of two matrices."""
    return (x.reshape(-1, x.shape[-1]) @ m).reshape(*x.shape[:-1], m.shape[-1])


def gram(x: Float[Array, "*rows k"], c: Float[Array, "*rows N"]) -> Float[Array, "k N"]:
    """Sum of outer products over all rows, as one product of two matrices."""
    return x.reshape(-1, x.shape[-1]).T @ c.reshape(-1, c.shape[-1])
