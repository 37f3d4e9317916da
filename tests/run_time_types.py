"""The checker of annotations at run time that ``.ci/shapes`` applies to the library."""

from collections.abc import Callable
from typing import Any, Self

import beartype

_check = beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))


def check(function: Callable[..., Any]) -> Callable[..., Any]:
    """Check a function's annotations, except ``Self``, which beartype takes for a class only."""
    hints = getattr(function, "__annotations__", {})
    if Self in hints.values():
        function.__annotations__ = {
            name: object if hint is Self else hint for name, hint in hints.items()
        }
    return _check(function)
