"""One compiled pass over any number of rows, within a limit on memory."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Num
from numpy.typing import ArrayLike

from wellposed._budget import at_once, bucket, slices
from wellposed._compiled import compiled_soon
from wellposed._errors import DataError
from wellposed._forks import check_process
from wellposed._typing import Point, PRNGKey, Row, Tree
from wellposed.models import at_row

from ._spread import in_turn

_CHUNK = 256


def over_rows(
    visit: Callable[..., Any],
    model: Tree,
    rows: ArrayLike,
    *,
    key: PRNGKey,
    chunk: int = _CHUNK,
    numbers: int = 0,
    distinct: bool = False,
    **static: Any,
) -> Any:
    """Apply ``visit(model, x, key=..., **static)`` to each row and stack the results on the host.

    The key of a row is derived from its content, so that its result depends neither on the order
    of the rows nor on the other rows. All chunks have the same size, and the last one is padded, so
    that one program serves any number of rows.

    Parameters
    ----------
    visit : a function defined at module level; it is compiled once for each ``static``
    model : first argument of ``visit``, a pytree of arrays
    rows : array of shape (n, ...); of a conditional model, each is followed by its covariates, and
        ``visit`` gets the model at these, see :func:`wellposed.models.at_row`
    key : PRNG key
    chunk : rows at a time
    numbers : numbers in memory during the visit of one row. If given, the chunk is the smallest
        power of two that contains the rows, within the library's limit on memory: few rows take
        little time, but the last digit of a result may depend on their number
    distinct : whether equal rows get different keys. The first of them gets the same key as
        without ``distinct``
    static : settings of ``visit``, numbers and strings, which are compiled into the program

    Returns
    -------
    what ``visit`` returns, with arrays of shape (n, ...)

    Examples
    --------
    >>> def scaled(factor, x, *, key, power):
    ...     return factor * x.sum() ** power
    >>> over_rows(scaled, 2.0, [[1, 2], [3, 4]], key=jax.random.key(0), power=2).tolist()
    [18.0, 98.0]
    """
    parts = in_chunks(
        visit, model, rows, key=key, chunk=chunk, numbers=numbers, distinct=distinct, **static
    )
    return jax.tree.map(lambda *pieces: np.concatenate(pieces), *parts)


def in_chunks(
    visit: Callable[..., Any],
    model: Tree,
    rows: ArrayLike,
    *,
    key: PRNGKey,
    chunk: int = _CHUNK,
    numbers: int = 0,
    distinct: bool = False,
    **static: Any,
) -> Iterator[Any]:
    """Yield the results of :func:`over_rows` chunk by chunk, for sums of large arrays.

    The parameters are those of :func:`over_rows`.
    """
    check_process()
    # With one number type for all data, one program is enough. Adding zero turns −0 into 0, so that
    # equal rows have equal keys; a compiled program would omit the addition.
    rows = np.asarray(rows, jnp.result_type(float)) + 0.0
    if numbers:
        chunk = bucket(len(rows), at_once(numbers, _CHUNK))
    repeats = _repeats(rows) if distinct else None

    def start(given: Any, part: slice) -> tuple[Any, int]:
        x, repeat = jax.tree.map(lambda a: _padded(a[part], chunk), (rows, repeats))
        return _chunk(visit, given[0], x, repeat, given[1], static), part.stop - part.start

    for running in in_turn(start, (model, key), slices(len(rows), chunk)):
        yield _fetch(*running)


def subsample(rows: np.ndarray, most: int) -> np.ndarray:
    """Return at most ``most`` evenly spaced rows.

    Parameters
    ----------
    rows : array of shape (n, ...)
    most : largest number of rows to return

    Examples
    --------
    >>> subsample(np.arange(9), 3).tolist()
    [0, 4, 8]
    """
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(int)]


def varying(rows: np.ndarray) -> np.ndarray:
    """Whether each feature varies over the rows, shape (d,).

    Parameters
    ----------
    rows : array of shape (n, d)

    Raises
    ------
    DataError
        If no feature varies.
    """
    varies = rows.max(axis=0) > rows.min(axis=0)
    if not varies.any():
        raise DataError(
            f"At least one feature must vary over the rows; all {rows.shape[1]} are constant. "
            "Pass more rows."
        )
    return varies


def _repeats(rows: np.ndarray) -> np.ndarray:
    """For each row, the number of equal rows before it, shape (n,)."""
    seen: dict[bytes, int] = {}
    counts = np.empty(len(rows), np.uint32)
    for i, row in enumerate(rows):
        content = row.tobytes()
        counts[i] = seen.get(content, 0)
        seen[content] = int(counts[i]) + 1
    return counts


def _padded(piece: np.ndarray, chunk: int) -> np.ndarray:
    return np.concatenate([piece, np.repeat(piece[:1], chunk - len(piece), axis=0)])


def _fetch(result: Any, m: int) -> Any:
    return jax.tree.map(lambda a: np.asarray(a)[:m], result)


@compiled_soon
def _chunk(
    visit: Callable[..., Any],
    model: Tree,
    rows: Array,
    repeats: Array | None,
    key: PRNGKey,
    static: dict[str, Any],
) -> Any:
    def one(row: Row, repeat: Array | None) -> Any:
        at, x = at_row(model, row)
        return visit(at, x, key=row_key(row, repeat, key), **static)

    return jax.vmap(one)(rows, repeats)


def row_key(x: Point, repeat: Array | None, key: PRNGKey) -> PRNGKey:
    """Derive the key of a row from its content.

    Parameters
    ----------
    x : the row, shape (d,), with its covariates if it has some
    repeat : number of equal rows before it, which then changes the key; None ignores it
    key : PRNG key of all rows
    """
    own = content_key(x, key)
    return own if repeat is None else jnp.where(repeat > 0, jax.random.fold_in(own, repeat), own)


def content_key(x: Num[Array, " d"], key: PRNGKey) -> PRNGKey:
    """Derive a datum's own key from its content.

    The Monte Carlo score of a row must not depend on the other rows or on their order. The row's
    bits are therefore mixed with odd multipliers (wrap-around in uint32 is defined) and folded into
    the key. Adding zero turns −0 into 0.
    """
    words = jax.lax.bitcast_convert_type(x.astype(jnp.float32) + 0.0, jnp.uint32)
    odd = 2 * jnp.arange(words.shape[0], dtype=jnp.uint32) + 1
    mixed = (words ^ (words >> 15)) * (odd * jnp.uint32(2654435761))
    return jax.random.fold_in(key, jnp.sum(mixed ^ (mixed >> 13), dtype=jnp.uint32))
