"""Strided convolutions by gathering patches: one product a layer.

Space to depth turns a padded image into (h+1) x (w+1) cells of 2 x 2 pixels. A patch of 4 x 4
pixels is then 2 x 2 whole cells, so that gathering copies long runs: four shifted slices side by
side. The transpose multiplies first and adds the shifted products on the coarse grid.

Shapes as in :mod:`wellposed.nn.strided.primitive`, without the model axis.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .rows import gram, rows

_SHIFTS = ((0, 0), (0, 1), (1, 0), (1, 1))


def down(x: Float[Array, "n H W C"], w: Float[Array, "4 4 C N"]) -> Float[Array, "n h w N"]:
    """Convolve with a 4 x 4 kernel at stride 2, padded by one."""
    return rows(_patches(x), to_matrix(w))


def up(c: Float[Array, "n h w N"], w: Float[Array, "4 4 C N"]) -> Float[Array, "n H W C"]:
    """Transpose :func:`down` with respect to ``x``."""
    return _scatter(rows(c, to_matrix(w).T))


def weight(x: Float[Array, "n H W C"], c: Float[Array, "n h w N"]) -> Float[Array, "4 4 C N"]:
    """Transpose :func:`down` with respect to ``w``."""
    return to_kernel(gram(_patches(x), c))


def to_matrix(w: Float[Array, "4 4 C N"]) -> Float[Array, "k N"]:
    """Order a kernel's rows as patches are: cell (a, b), pixel (r, s) in the cell, channel."""
    c, n = w.shape[2:]
    return w.reshape(2, 2, 2, 2, c, n).transpose(0, 2, 1, 3, 4, 5).reshape(16 * c, n)


def to_kernel(m: Float[Array, "k N"]) -> Float[Array, "4 4 C N"]:
    """Undo :func:`to_matrix`."""
    c, n = m.shape[0] // 16, m.shape[1]
    return m.reshape(2, 2, 2, 2, c, n).transpose(0, 2, 1, 3, 4, 5).reshape(4, 4, c, n)


def _patches(x: Float[Array, "n H W C"]) -> Float[Array, "n h w k"]:
    n, height, width, c = x.shape
    h, w = height // 2, width // 2
    cells = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))).reshape(n, h + 1, 2, w + 1, 2, c)
    cells = cells.transpose(0, 1, 3, 2, 4, 5).reshape(n, h + 1, w + 1, 4 * c)
    return jnp.concatenate([cells[:, a : a + h, b : b + w] for a, b in _SHIFTS], -1)


def _scatter(p: Float[Array, "n h w k"]) -> Float[Array, "n H W C"]:
    n, h, w, k = p.shape
    shifted = [
        jnp.pad(q, ((0, 0), (a, 1 - a), (b, 1 - b), (0, 0)))
        for q, (a, b) in zip(jnp.split(p, 4, -1), _SHIFTS, strict=True)
    ]
    cells = shifted[0] + shifted[1] + shifted[2] + shifted[3]
    pixels = cells.reshape(n, h + 1, w + 1, 2, 2, k // 16).transpose(0, 1, 3, 2, 4, 5)
    return pixels.reshape(n, 2 * h + 2, 2 * w + 2, k // 16)[:, 1:-1, 1:-1]
