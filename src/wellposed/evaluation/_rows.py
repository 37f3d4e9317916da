"""One compiled pass over any number of rows, memory bounded."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._budget import at_once, bucket, slices
from wellposed._compiled import compiled_soon
from wellposed._errors import DataError
from wellposed._forks import check_process
from wellposed._typing import Point, PRNGKey, Tree
from wellposed.numerics import content_key

_CHUNK = 256


def over_rows(
    visit: Callable[..., Any],
    model: Tree,
    rows: Any,
    *,
    key: PRNGKey,
    chunk: int = _CHUNK,
    numbers: int = 0,
    distinct: bool = False,
    **static: Any,
) -> Any:
    """Apply ``visit(model, x, key=..., **static)`` to each row and stack the results on the host.

    A row's key is derived from its content, so that its result depends neither on the order of
    the rows nor on the other rows. All chunks have one size, the last one padded, so that another
    number of rows compiles nothing.

    Parameters
    ----------
    visit : a function at the top of a module; it is compiled once for each ``static``
    model : first argument of ``visit``, a pytree of arrays
    rows : array of shape (n, ...)
    key : PRNG key
    chunk : rows at a time
    numbers : numbers that the visit of one row holds. Where given, the chunk is the power of two
        that holds the rows, within the library's budget: few rows cost little, but the last digit
        of a result may change with their number
    distinct : whether equal rows get different keys. The first of them gets the key that it has
        elsewhere
    static : settings of ``visit``: numbers and words, compiled in

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
    rows: Any,
    *,
    key: PRNGKey,
    chunk: int = _CHUNK,
    numbers: int = 0,
    distinct: bool = False,
    **static: Any,
) -> Iterator[Any]:
    """Yield the results of :func:`over_rows` chunk by chunk, for sums whose terms are large."""
    check_process()
    # One type, and so one program, for all data. Adding zero turns −0 into 0: equal rows have one
    # key. The compiler would leave the sum out.
    rows = np.asarray(rows, jnp.result_type(float)) + 0.0
    if numbers:
        chunk = bucket(len(rows), at_once(numbers, _CHUNK))
    repeats = _repeats(rows) if distinct else None
    running = None
    for part in slices(len(rows), chunk):
        x, repeat = jax.tree.map(lambda a, part=part: _padded(a[part], chunk), (rows, repeats))
        started = _chunk(visit, model, x, repeat, key, static), part.stop - part.start
        if running is not None:  # fetched while the next chunk is computed
            yield _fetch(*running)
        running = started
    if running is not None:
        yield _fetch(*running)


def subsample(rows: np.ndarray, most: int) -> np.ndarray:
    """Return at most ``most`` rows, at even distances.

    Examples
    --------
    >>> subsample(np.arange(9), 3).tolist()
    [0, 4, 8]
    """
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(int)]


def varying(rows: np.ndarray) -> np.ndarray:
    """Which features vary over rows, shape (d,).

    Raises
    ------
    DataError
        If none does.
    """
    varies = rows.max(axis=0) > rows.min(axis=0)
    if not varies.any():
        raise DataError(
            f"At least one feature must vary over the rows; all {rows.shape[1]} are constant. "
            "Pass more rows."
        )
    return varies


def _repeats(rows: np.ndarray) -> np.ndarray:
    """Count the rows before each that equal it, shape (n,)."""
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
    visit: Callable[..., Any], model: Tree, rows: Any, repeats: Any, key: PRNGKey, static: Any
) -> Any:
    def one(x: Point, repeat: Any) -> Any:
        return visit(model, x, key=row_key(x, repeat, key), **static)

    return jax.vmap(one)(rows, repeats)


def row_key(x: Point, repeat: Any, key: PRNGKey) -> PRNGKey:
    """Derive the key of a row from its content and, where given, from its count among equals."""
    own = content_key(x, key)
    return own if repeat is None else jnp.where(repeat > 0, jax.random.fold_in(own, repeat), own)
