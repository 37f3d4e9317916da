"""Strided convolutions as matrix products: the route of CPUs. The shape decides between two
algorithms.

Shapes as in :mod:`wellposed.nn.strided.primitive`, without the model axis.
"""

from jaxtyping import Array, Float

from . import gather, minimal_filtering


def down(x: Float[Array, "n H W C"], w: Float[Array, "4 4 C N"]) -> Float[Array, "n h w N"]:
    """Convolve with a 4 x 4 kernel at stride 2, padded by one."""
    return _recipe(x.shape).down(x, w)


def up(c: Float[Array, "n h w N"], w: Float[Array, "4 4 C N"]) -> Float[Array, "n H W C"]:
    """Transpose :func:`down` with respect to ``x``."""
    n, height, width, _ = c.shape
    return _recipe((n, 2 * height, 2 * width, w.shape[2])).up(c, w)


def weight(x: Float[Array, "n H W C"], c: Float[Array, "n h w N"]) -> Float[Array, "4 4 C N"]:
    """Transpose :func:`down` with respect to ``w``."""
    return _recipe(x.shape).weight(x, c)


def _recipe(shape: tuple[int, ...]):
    return minimal_filtering if minimal_filtering.is_faster(shape) else gather
