r"""The 4 x 4, stride 2 convolution, its transpose and its weight gradient, as primitives.

The three are the partial derivatives of one trilinear form,

.. math:: T(x, w, c) = \sum_{ij} \langle c_{ij}, \sum_{ab} w_{ab}^\top x_{2i+a-1,\,2j+b-1} \rangle,

:func:`down` = ∂T/∂c, :func:`up` = ∂T/∂x, :func:`weight` = ∂T/∂w, so that they are closed under
differentiation of any order: each is bilinear and its transposes are the other two.

Reasons for primitives in place of ``lax.platform_dependent`` and ``jax.vmap`` over one image:

- the route (matrix products on a CPU, the native convolution elsewhere) is chosen at lowering,
  so that no unused branch is traced, differentiated or compiled;
- a batch of images joins the rows of *one* product. Left to ``vmap``, the weight gradient
  contracts two axes at once, for which XLA's CPU back end first writes transposed copies of the
  patches, which takes as long as the products; under ``custom_vjp`` it would even become one
  small product per image.

Shapes: ``x (g, n, 2h, 2w, C)``, ``w (g, 4, 4, C, N)``, ``c (g, n, h, w, N)`` with g models and
n images. A ``vmap`` over images extends n, one over weights extends g.
"""

from collections.abc import Callable
from types import ModuleType

import jax
import jax.numpy as jnp
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jaxtyping import Array, Float

from . import native, products


def down(x: Float[Array, "H W C"], w: Float[Array, "4 4 C N"]) -> Float[Array, "h w N"]:
    """Convolve one image of even sides at stride 2, padded by one: halves its sides."""
    x, w = _alike(x, w)
    return _down_p.bind(x[None, None], w[None])[0, 0]


def up(c: Float[Array, "h w N"], w: Float[Array, "4 4 C N"]) -> Float[Array, "H W C"]:
    """Convolve one image transposed: doubles its sides. The transpose of :func:`down` in x."""
    c, w = _alike(c, w)
    return _up_p.bind(c[None, None], w[None])[0, 0]


def weight(x: Float[Array, "H W C"], c: Float[Array, "h w N"]) -> Float[Array, "4 4 C N"]:
    """Correlate an image with a coarse one. The transpose of :func:`down` in w."""
    x, c = _alike(x, c)
    return _weight_p.bind(x[None, None], c[None, None])[0]


def _alike(a: Array, b: Array) -> tuple[Array, Array]:
    """Promote to a common type, as every operation of jax.numpy does."""
    dtype = jnp.result_type(a, b)
    return a.astype(dtype), b.astype(dtype)


def _down_shape(x, w):
    g, n, height, width, _ = x.shape
    return ShapedArray((g, n, height // 2, width // 2, w.shape[-1]), x.dtype)


def _up_shape(c, w):
    g, n, height, width, _ = c.shape
    return ShapedArray((g, n, 2 * height, 2 * width, w.shape[-2]), c.dtype)


def _weight_shape(x, c):
    return ShapedArray((x.shape[0], 4, 4, x.shape[-1], c.shape[-1]), x.dtype)


def _primitive(name: str, shape: Callable) -> Primitive:
    """Declare a primitive with both routes: products on a CPU, native elsewhere."""
    p = Primitive(f"strided_{name}")
    p.def_abstract_eval(shape)
    compiled = jax.jit(lambda a, b: p.bind(a, b))
    p.def_impl(compiled)
    routes: tuple[tuple[ModuleType, str | None], ...] = ((native, None), (products, "cpu"))
    for route, platform in routes:
        lowered = mlir.lower_fun(_per_model(getattr(route, name)), multiple_results=False)
        mlir.register_lowering(p, lowered, platform=platform)
    return p


def _per_model(f: Callable) -> Callable:
    """Map over the model axis; one model, the usual case, needs no batched products."""
    return lambda a, b: f(a[0], b[0])[None] if a.shape[0] == 1 else jax.vmap(f)(a, b)


def _batching_rule(p: Primitive, over_images: bool) -> Callable:
    """Batching rule: into the images where the weights are shared, else into the models."""

    def images(a, b, axis):
        a = jnp.moveaxis(a, axis, 1)
        merged = a.reshape(a.shape[0], a.shape[1] * a.shape[2], *a.shape[3:])
        out = p.bind(merged, b)
        return out.reshape(out.shape[0], *a.shape[1:3], *out.shape[2:]), 1

    def models(a, b, axes):
        size = next(v.shape[i] for v, i in zip((a, b), axes, strict=True) if i is not None)
        a, b = (
            jnp.broadcast_to(v, (size, *v.shape)) if i is None else jnp.moveaxis(v, i, 0)
            for v, i in zip((a, b), axes, strict=True)
        )
        out = p.bind(a.reshape(-1, *a.shape[2:]), b.reshape(-1, *b.shape[2:]))
        return out.reshape(size, -1, *out.shape[1:]), 0

    def rule(operands, axes):
        a, b = operands
        if over_images and axes[1] is None:
            return images(a, b, axes[0])
        return models(a, b, axes)

    return rule


_down_p = _primitive("down", _down_shape)
_up_p = _primitive("up", _up_shape)
_weight_p = _primitive("weight", _weight_shape)

ad.defbilinear(
    _down_p,
    lambda ct, x, w: _up_p.bind(ct, w),
    lambda ct, x, w: _weight_p.bind(x, ct),
)
ad.defbilinear(
    _up_p,
    lambda ct, c, w: _down_p.bind(ct, w),
    lambda ct, c, w: _weight_p.bind(ct, c),
)
ad.defbilinear(
    _weight_p,
    lambda ct, x, c: _up_p.bind(c, ct),
    lambda ct, x, c: _down_p.bind(x, ct),
)
batching.primitive_batchers[_down_p] = _batching_rule(_down_p, True)
batching.primitive_batchers[_up_p] = _batching_rule(_up_p, True)
batching.primitive_batchers[_weight_p] = _batching_rule(_weight_p, False)
