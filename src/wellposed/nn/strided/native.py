"""Strided convolutions by XLA's own operation: the route of accelerators, and of tests.

Shapes as in :mod:`wellposed.nn.strided.primitive`, without the model axis.
"""

import jax
from jax import lax
from jaxtyping import Array, Float

_LAYOUT = ("NHWC", "HWIO", "NHWC")


def down(x: Float[Array, "n H W C"], w: Float[Array, "4 4 C N"]) -> Float[Array, "n h w N"]:
    """Convolve with a 4 x 4 kernel at stride 2, padded by one."""
    return lax.conv_general_dilated(x, w, (2, 2), ((1, 1), (1, 1)), dimension_numbers=_LAYOUT)


def up(c: Float[Array, "n h w N"], w: Float[Array, "4 4 C N"]) -> Float[Array, "n H W C"]:
    """Transpose :func:`down` with respect to ``x``."""
    return lax.conv_transpose(
        c, w, (2, 2), "SAME", dimension_numbers=_LAYOUT, transpose_kernel=True
    )


def weight(x: Float[Array, "n H W C"], c: Float[Array, "n h w N"]) -> Float[Array, "4 4 C N"]:
    """Transpose :func:`down` with respect to ``w``."""
    kernel = jax.ShapeDtypeStruct((4, 4, x.shape[-1], c.shape[-1]), x.dtype)
    return jax.linear_transpose(lambda w: down(x, w), kernel)(c)[0]
