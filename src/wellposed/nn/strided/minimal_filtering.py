r"""Strided convolutions by minimal filtering: 9 products in place of 16.

On cells of 2 x 2 pixels (:mod:`wellposed.nn.strided.gather`) the 4 x 4, stride 2 convolution is a
2 x 2, stride 1 convolution. Two neighbouring outputs of its one-dimensional form,
y₀ = d₀g₀ + d₁g₁ and y₁ = d₁g₀ + d₂g₁, need three products in place of four:

.. math:: m_0 = (d_0 - d_1)\,g_0, \quad m_1 = d_1\,(g_0 + g_1), \quad m_2 = (d_2 - d_1)\,g_1,
          \qquad y_0 = m_0 + m_1, \quad y_1 = m_1 + m_2,

and nine in place of 16 in two dimensions, each a matrix product over channels. Only sums and
differences are needed, so float32 loses less than two bits. The intermediate data are 9/4 times the
input, where patches are 4 times. The transpose turns sums into copies and copies into sums.

References: Winograd (1980), *Arithmetic complexity of computations*; Lavin & Gray (2016), whose
F(2 x 2, 3 x 3) this is with a filter of two taps.

Shapes as in :mod:`wellposed.nn.strided.primitive`, without the model axis; h and w even.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .gather import to_kernel, to_matrix
from .rows import gram, rows

# Nine arrays, row-wise factor slowest.
Nine = list[Array]

# With fewer channels the inner dimension, 4 C, is too short for products to run at full rate.
_FEWEST_CHANNELS = 16


def is_faster(shape: tuple[int, ...]) -> bool:
    """Whether this algorithm applies to images ``(n, H, W, C)``, and is the faster one."""
    _, height, width, c = shape
    return height % 4 == 0 and width % 4 == 0 and c >= _FEWEST_CHANNELS


def down(x: Float[Array, "n H W C"], w: Float[Array, "4 4 C N"]) -> Float[Array, "n h w N"]:
    """Convolve with a 4 x 4 kernel at stride 2, padded by one."""
    return _join([rows(t, g) for t, g in zip(_tiles(x), _kernels(w), strict=True)])


def up(c: Float[Array, "n h w N"], w: Float[Array, "4 4 C N"]) -> Float[Array, "n H W C"]:
    """Transpose :func:`down` with respect to ``x``."""
    return _transpose_tiles([rows(m, g.T) for m, g in zip(_parts(c), _kernels(w), strict=True)])


def weight(x: Float[Array, "n H W C"], c: Float[Array, "n h w N"]) -> Float[Array, "4 4 C N"]:
    """Transpose :func:`down` with respect to ``w``."""
    return _transpose_kernels([gram(t, m) for t, m in zip(_tiles(x), _parts(c), strict=True)])


def _tiles(x: Float[Array, "n H W C"]) -> Nine:
    """Take (d₀ − d₁, d₁, d₂ − d₁) by rows and columns of cells: nine (n, h/2, w/2, 4 C)."""
    n, height, width, c = x.shape
    h, w = height // 4, width // 4
    p = jnp.pad(x, ((0, 0), (1, 3), (1, 3), (0, 0))).reshape(n, h + 1, 2, 2, w + 1, 2, 2, c)

    def differences(even, odd):  # (n, tiles + 1, ...) and (n, tiles, ...)
        return even[:, :-1] - odd, odd, even[:, 1:] - odd

    tiles = []
    for row in differences(p[:, :, 0], p[:, :h, 1]):  # (n, h, 2, w + 1, 2, 2, c)
        q = jnp.moveaxis(row, 3, 1)  # (n, w + 1, h, 2, 2, 2, c)
        columns = differences(q[..., 0, :, :], q[:, :w, ..., 1, :, :])
        tiles += [jnp.moveaxis(t, 1, 2).reshape(n, h, w, 4 * c) for t in columns]
    return tiles


def _transpose_tiles(tiles: Nine) -> Float[Array, "n H W C"]:
    n, h, w, k = tiles[0].shape
    c = k // 4

    def cells(first, middle, last, axis):  # even and odd cells along an axis
        before, after = [(0, 0)] * first.ndim, [(0, 0)] * first.ndim
        before[axis], after[axis] = (1, 0), (0, 1)
        even = jnp.pad(first, after) + jnp.pad(last, before)
        return jnp.stack([even, jnp.pad(middle - first - last, after)], axis + 1)

    tiles = [t.reshape(n, h, w, 2, 2, c).transpose(0, 1, 3, 2, 4, 5) for t in tiles]
    by_row = [cells(*tiles[i : i + 3], axis=3) for i in (0, 3, 6)]  # (n, h, 2, w + 1, 2, 2, c)
    full = cells(*by_row, axis=1).reshape(n, 4 * h + 4, 4 * w + 4, c)
    return full[:, 1:-3, 1:-3]


def _join(products: Nine) -> Float[Array, "n h w N"]:
    """Sum (m₀ + m₁, m₁ + m₂) by columns and rows."""
    n, h, w, k = products[0].shape
    by_row = []
    for i in (0, 3, 6):
        m0, m1, m2 = products[i : i + 3]
        by_row.append(jnp.stack([m0 + m1, m1 + m2], 3))  # (n, h, w, 2, k)
    m0, m1, m2 = by_row
    return jnp.stack([m0 + m1, m1 + m2], 2).reshape(n, 2 * h, 2 * w, k)


def _parts(c: Float[Array, "n h w N"]) -> Nine:
    """Transpose :func:`_join`: (c₀, c₀ + c₁, c₁) by rows and columns."""
    n, height, width, k = c.shape
    c = c.reshape(n, height // 2, 2, width // 2, 2, k)
    top, bottom = c[:, :, 0], c[:, :, 1]
    parts = []
    for row in (top, top + bottom, bottom):
        left, right = row[:, :, :, 0], row[:, :, :, 1]
        parts += [left, left + right, right]
    return parts


def _kernels(w: Float[Array, "4 4 C N"]) -> Nine:
    """Take (g₀, g₀ + g₁, g₁) by rows and columns of cells: nine matrices (4 C, N)."""
    g = to_matrix(w).reshape(2, 2, -1, w.shape[-1])
    return [m for row in (g[0], g[0] + g[1], g[1]) for m in (row[0], row[0] + row[1], row[1])]


def _transpose_kernels(m: Nine) -> Float[Array, "4 4 C N"]:
    by_row = [(m[i] + m[i + 1], m[i + 1] + m[i + 2]) for i in (0, 3, 6)]
    first, middle, last = by_row
    cells = [a + b for a, b in zip(first, middle, strict=True)]
    cells += [a + b for a, b in zip(middle, last, strict=True)]
    return to_kernel(jnp.concatenate(cells))
