"""How programs that run a few times are compiled: soon, rather than as well as can be."""

import functools
import os

import equinox as eqx

_LEVEL = "xla_backend_optimization_level"

# At LLVM's level 2 a pass over rows compiles in half the time and runs as fast, since its time is
# in matrix products, which are not compiled at all. A level in $XLA_FLAGS is the user's, and wins.
_OPTIONS = {} if _LEVEL in os.environ.get("XLA_FLAGS", "") else {_LEVEL: 2}

compiled_soon = functools.partial(eqx.filter_jit, compiler_options=_OPTIONS)
