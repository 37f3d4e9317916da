"""One compiled pass over any number of rows, memory bounded."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._compiled import compiled_soon
from wellposed._forks import check_process
from wellposed._typing import Point, PRNGKey, Tree
from wellposed.numerics import content_key


def over_rows(
    visit: Callable[..., Any], model: Tree, rows: Any, *, key: PRNGKey, chunk: int = 256
) -> Any:
    """Apply ``visit(model, x, key=...)`` to each row and stack the results on the host.

    Chunks are of one size, the last filled up, so that a new number of rows compiles nothing and
    a row's result does not depend on how many others came with it. Each row's key is made from
    its content, so that it does not depend on their order either.

    Parameters
    ----------
    visit : a function at the top of a module (compiled once for each)
    model : first argument of ``visit``
    rows : array of shape (n, ...)
    chunk : rows at a time
    """
    check_process()
    rows = np.asarray(rows, jnp.result_type(float))  # one program for every type of data
    pieces = []
    for start in range(0, len(rows), chunk):
        piece = rows[start : start + chunk]
        filled = np.concatenate([piece, np.repeat(piece[:1], chunk - len(piece), axis=0)])
        result = _chunk(visit, model, filled, key)
        pieces.append((result, len(piece)))
    host = [jax.tree.map(lambda a, m=m: np.asarray(a)[:m], result) for result, m in pieces]
    return jax.tree.map(lambda *parts: np.concatenate(parts), *host)


def filled(n: int, most: int) -> int:
    """Chunk for ``n`` rows: the power of two that holds them, at most ``most``.

    Chunks are filled up, so that eight rows would cost as much as ``most``; powers of two keep
    the compilations few. For visits whose rows may change in the last digit with the chunk.
    """
    return max(1, min(most, 1 << max(n - 1, 0).bit_length()))


def subsample(rows: np.ndarray, most: int) -> np.ndarray:
    """Return at most so many rows, spread evenly over all."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(int)]


@compiled_soon
def _chunk(visit: Callable[..., Any], model: Tree, rows: Any, key: PRNGKey) -> Any:
    def one(x: Point) -> Any:
        return visit(model, x, key=content_key(x, key))

    return jax.vmap(one)(rows)
