"""Inverses of many small triangular matrices at once."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

_SMALLEST = 5  # largest block that is inverted row by row
_PRODUCTS = 10  # from this size on, a product of two blocks is a matrix product


@jax.custom_jvp
def invert_lower(factors: Float[Array, "m k k"]) -> Float[Array, "m k k"]:
    r"""Invert lower triangular matrices by halves; entries above the diagonals are not read.

    .. math:: \begin{pmatrix} A & 0 \\ C & B \end{pmatrix}^{-1} =
       \begin{pmatrix} A^{-1} & 0 \\ -B^{-1} C A^{-1} & B^{-1} \end{pmatrix}

    All blocks of one size are inverted in the same operations, small ones elementwise: a matrix
    product of a few numbers costs its call. The derivative is that of the inverse,
    :math:`dX = -X \, dL \, X`, and not of each step.

    References: Higham (2002), Accuracy and Stability of Numerical Algorithms, §14.2.

    Examples
    --------
    >>> invert_lower(jnp.array([[[2.0, 0.0], [1.0, 4.0]]])).tolist()
    [[[0.5, 0.0], [-0.125, 0.25]]]
    """
    k = factors.shape[-1]
    n_blocks = 1
    while -(-k // n_blocks) > _SMALLEST:
        n_blocks *= 2
    size = -(-k // n_blocks)
    # The identity in the rows and columns that fill k up to whole blocks.
    filler = size * n_blocks - k
    padded = jnp.pad(factors, ((0, 0), (0, filler), (0, filler)))
    ones = (jnp.arange(size * n_blocks) >= k).astype(factors.dtype)
    padded = padded + jnp.diag(ones)[None]

    def blocks(rows: int, columns: int, step: int, count: int) -> Float[Array, "c m s s"]:
        starts = [i * step * size for i in range(count)]
        return jnp.stack(
            [
                padded[:, at + rows : at + rows + size, at + columns : at + columns + size]
                for at in starts
            ]
        )

    inverse = _by_rows(blocks(0, 0, 1, n_blocks))
    while n_blocks > 1:
        n_blocks //= 2
        corner = blocks(size, 0, 2, n_blocks)  # C
        first, second = inverse[0::2], inverse[1::2]
        upper = jnp.concatenate([first, jnp.zeros_like(first)], axis=-1)
        corner = -_product(second, _product(corner, first))
        inverse = jnp.concatenate([upper, jnp.concatenate([corner, second], axis=-1)], axis=-2)
        size *= 2
    return inverse[0, :, :k, :k]


@invert_lower.defjvp
def _derivative(given: Any, tangents: Any) -> Any:
    (factors,), (change,) = given, tangents
    inverse = invert_lower(factors)
    return inverse, -_product(inverse, _product(jnp.tril(change), inverse))


def _by_rows(blocks: Float[Array, "*m k k"]) -> Float[Array, "*m k k"]:
    """Invert by forward substitution, all blocks at once."""
    k = blocks.shape[-1]
    a = jnp.moveaxis(blocks, (-2, -1), (0, 1))
    rows: list[Array] = []
    for i in range(k):
        unit = jnp.zeros((k, *a.shape[2:]), a.dtype).at[i].set(1)
        for j, row in enumerate(rows):
            unit = unit - a[i, j][None] * row
        rows.append(unit / a[i, i][None])
    return jnp.moveaxis(jnp.stack(rows), (0, 1), (-2, -1))


def _product(a: Float[Array, "*m k k"], b: Float[Array, "*m k k"]) -> Float[Array, "*m k k"]:
    if a.shape[-1] >= _PRODUCTS:
        return a @ b
    return (a[..., :, :, None] * b[..., None, :, :]).sum(axis=-2)
