"""Functions compiled whole: a plain call compiles each operation by itself, which takes longer."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax


@eqx.filter_jit
def once(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Return ``function(*args, **options)``, one program for each structure and shape."""
    return function(*args, **options)


@eqx.filter_jit
def over(function: Callable[..., Any], *rows: Any) -> Any:
    """Return the function of each row."""
    return jax.vmap(function)(*rows)
