"""Compilation: programs are cached on disk, and short programs compile at a lower level."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

import equinox as eqx
import jax

from wellposed._forks import check_process
from wellposed._program_cache import keep_compiled as keep_compiled

_LEVEL = "xla_backend_optimization_level"

# At LLVM's level 2 a pass over rows compiles in half the time and runs as fast, since its time is
# in matrix products, which are not compiled at all. A level in $XLA_FLAGS takes precedence.
OPTIONS = {} if _LEVEL in os.environ.get("XLA_FLAGS", "") else {_LEVEL: 2}

_Given = ParamSpec("_Given")
_Returned = TypeVar("_Returned")


@contextlib.contextmanager
def own_promotion() -> Iterator[None]:
    """Trace under JAX's default promotion of ranks and types, also where the user disabled it.

    ``jax_numpy_rank_promotion`` and ``jax_numpy_dtype_promotion`` are for the user's own code:
    numpyro, which the library's programs call, needs the defaults.
    """
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):
        yield


def compiled(function: Callable[_Given, _Returned]) -> Callable[_Given, _Returned]:
    """Compile a function as ``equinox.filter_jit`` does, at full optimisation."""
    return _compile(function, {})


def compiled_soon(function: Callable[_Given, _Returned]) -> Callable[_Given, _Returned]:
    """Compile at a lower level a function that runs a few times, never in compiled code."""
    return _compile(function, {"compiler_options": OPTIONS})


def _compile(
    function: Callable[_Given, _Returned], options: dict[str, Any]
) -> Callable[_Given, _Returned]:
    jit: Any = eqx.filter_jit  # its declared types leave out the arguments of jax.jit
    jitted = jit(function, **options)

    @functools.wraps(function)
    def call(*args: _Given.args, **kwargs: _Given.kwargs) -> _Returned:
        check_process()
        keep_compiled()
        with own_promotion():
            return jitted(*args, **kwargs)

    vars(call)["_cached"] = jitted._cached  # the programs so far, for tests that count them
    return call
