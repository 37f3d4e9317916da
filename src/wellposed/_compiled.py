"""How programs that run a few times are compiled: soon, rather than as well as can be."""

import os
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import equinox as eqx

_LEVEL = "xla_backend_optimization_level"

# At LLVM's level 2 a pass over rows compiles in half the time and runs as fast, since its time is
# in matrix products, which are not compiled at all. A level in $XLA_FLAGS is the user's, and wins.
OPTIONS = {} if _LEVEL in os.environ.get("XLA_FLAGS", "") else {_LEVEL: 2}

_Given = ParamSpec("_Given")
_Returned = TypeVar("_Returned")


def compiled_soon(function: Callable[_Given, _Returned]) -> Callable[_Given, _Returned]:
    """Compile a function as ``equinox.filter_jit`` does. It is not called from compiled code."""
    jitted: Any = eqx.filter_jit  # its declared types leave out what it hands on to jax.jit
    return jitted(function, compiler_options=OPTIONS)
