"""Operations of a pass over rows, and the number of rows that it may visit."""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from wellposed._compiled import own_promotion
from wellposed._typing import PRNGKey, Tree
from wellposed.models import at_row

# Elementary operations: of about ten seconds on two CPU cores, and of about one second.
MOST_WORK = 5e10
WORK_AT_ONCE = 4e9
_PRODUCTS_AT_ONCE = 8  # multiply-adds of a matrix product in the time of one elementary operation


def work_of(visit: Callable[..., Any], model: Tree, row: np.ndarray, *, key: PRNGKey) -> float:
    """Count the elementary operations of ``visit(model, row, key=key)``, by tracing it.

    A loop of fixed length counts as often as it runs, and any other loop once.

    Parameters
    ----------
    visit : the function
    model : its first argument, a pytree of arrays
    row : array of shape (d,)
    key : PRNG key
    """
    x = jax.ShapeDtypeStruct(row.shape, jnp.result_type(float))

    def at(model: Tree, row: Any, key: PRNGKey) -> Any:
        return visit(*at_row(model, row), key=key)

    with own_promotion():
        traced, _, _ = eqx.filter_make_jaxpr(at)(model, x, key)
    return _work(traced.jaxpr)


def _work(jaxpr: Any) -> float:
    return sum(_of_equation(equation) for equation in jaxpr.eqns)


def _of_equation(equation: Any) -> float:
    inner = [getattr(part, "jaxpr", part) for part in _inner(equation.params)]
    if inner:
        return equation.params.get("length", 1) * sum(_work(part) for part in inner)
    size = float(sum(math.prod(out.aval.shape) for out in equation.outvars))
    name = equation.primitive.name
    if name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        shape = equation.invars[0].aval.shape
        return size * math.prod(shape[axis] for axis in contracted) / _PRODUCTS_AT_ONCE
    if name == "conv_general_dilated":
        kernel = equation.invars[1].aval.shape
        outputs = kernel[equation.params["dimension_numbers"].rhs_spec[0]]
        return size * math.prod(kernel) / outputs / _PRODUCTS_AT_ONCE
    return size


def _inner(parameters: dict[str, Any]) -> list[Any]:
    """Programs within an equation: bodies of loops, branches, calls."""
    programs = []
    for value in parameters.values():
        for part in value if isinstance(value, (tuple, list)) else (value,):
            if hasattr(part, "eqns") or hasattr(part, "jaxpr"):
                programs.append(part)
    return programs


def rows_within(work: float, n: int, most: int) -> int:
    """Number of rows to visit, at least one.

    Parameters
    ----------
    work : elementary operations a row
    n : number of rows there are
    most : largest number to visit
    """
    return max(1, min(n, most, int(MOST_WORK / max(work, 1.0))))


def chunk_within(work: float, most: int) -> int:
    """Number of rows at a time, a power of two.

    Parameters
    ----------
    work : elementary operations a row
    most : largest number of rows at a time
    """
    allowed = max(1, min(most, int(WORK_AT_ONCE / max(work, 1.0))))
    return 1 << (allowed.bit_length() - 1)
