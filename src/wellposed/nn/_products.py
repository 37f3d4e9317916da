"""Products of layers with weights, in float32 or with factors in bfloat16."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

PRECISIONS = ("float32", "bfloat16")
"""Types of numbers in which matrix products of a training can be computed."""

_PRECISION: ContextVar[str] = ContextVar("wellposed_precision", default="float32")


@contextlib.contextmanager
def products_in(precision: str) -> Iterator[None]:
    """While functions are traced in the block, layers multiply at this precision.

    Parameters
    ----------
    precision : "float32", the type of the arrays; or "bfloat16": factors are rounded to 8 bits,
        and their products are summed in float32. What is compiled must depend on it by an argument

    Examples
    --------
    >>> with products_in("bfloat16"):
    ...     float(product(jnp.ones(1), jnp.array([[1.001]]))[0])
    1.0
    """
    before = _PRECISION.set(precision)
    try:
        yield
    finally:
        _PRECISION.reset(before)


def product(x: Float[Array, " n_in"], weight: Float[Array, "n_in n_out"]) -> Float[Array, " n_out"]:
    """Return x W, as :func:`products_in` states."""
    return x @ weight if _PRECISION.get() == "float32" else _rounded(x, weight)


@jax.custom_jvp
def _rounded(x: Array, weight: Array) -> Array:
    low = x.astype(jnp.bfloat16), weight.astype(jnp.bfloat16)
    return jnp.matmul(*low, preferred_element_type=jnp.float32).astype(x.dtype)


@_rounded.defjvp
def _slope(primals: Any, tangents: Any) -> tuple[Array, Array]:
    """Round the factors of the slopes too: backwards these are x, W and the slope of the output.

    Each slope is rounded once more, to bfloat16, after it was summed.
    """
    x, weight, dx, dw = (part.astype(jnp.bfloat16) for part in (*primals, *tangents))
    return _rounded(*primals), (dx @ weight + x @ dw).astype(primals[0].dtype)
