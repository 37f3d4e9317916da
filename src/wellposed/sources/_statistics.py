"""What a fit needs to know of all rows, in one pass over a source."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from wellposed._errors import DataError
from wellposed.transforms import ColumnSums, is_whole

from ._order import chunk_rows_of
from ._permutation import Permutation
from ._pieces import Reader, in_order
from ._source import BlockSource
from ._stream import ahead

_KEPT = 0, 2  # words of the permutation that draws the rows to keep


@dataclasses.dataclass(frozen=True, eq=False)
class Description:
    """Statistics of all rows of a source, and a sample of them.

    Parameters
    ----------
    n : number of rows
    mean, variance : of each column over what was observed, float64, shape (d,)
    low, high : smallest and largest value of each column, float64, shape (d,)
    whole : whether all values are whole numbers
    missing : number of NaN of each column, shape (d,)
    sample : rows drawn at random without replacement, shape (m, d), in random order
    """

    n: int
    mean: np.ndarray
    variance: np.ndarray
    low: np.ndarray
    high: np.ndarray
    whole: bool
    missing: np.ndarray
    sample: np.ndarray


class Sampled:
    """Which rows of a source a sample has: ``n`` of them, drawn at random without replacement.

    Parameters
    ----------
    n_rows : of the source
    n : rows of the sample
    seed : whole number ≥ 0

    Examples
    --------
    >>> places = Sampled(10, 3, seed=0).places(np.arange(10))
    >>> sorted(places[places >= 0].tolist())
    [0, 1, 2]
    """

    def __init__(self, n_rows: int, n: int, seed: int):
        self.n_rows, self.n, self.seed = n_rows, n, seed
        self._order = Permutation(n_rows, [seed, *_KEPT])

    def first(self, n: int) -> "Sampled":
        """Return the sample of the first ``n`` rows of this one."""
        return Sampled(self.n_rows, n, self.seed)

    def places(self, numbers: np.ndarray) -> np.ndarray:
        """Return the place in the sample of rows given by their numbers; −1 for others."""
        places = self._order(numbers)
        return np.where(places < self.n, places, -1)


def describe(
    source: BlockSource,
    sampled: Sampled,
    *,
    gaps: bool = False,
    shown: Callable[[int, int], object] | None = None,
    seen: Callable[[np.ndarray], object] | None = None,
) -> Description:
    """Read all rows once, and describe them.

    Parameters
    ----------
    source : BlockSource
    sampled : the rows to keep
    gaps : whether entries may be missing
    shown : called with the rows read so far and their number
    seen : called with the rows of each chunk, in order

    Raises
    ------
    DataError
        For NaN, unless ``gaps``, and for infinity, with the row and the column.

    Examples
    --------
    >>> from wellposed.sources import ArraySource
    >>> source = ArraySource(np.array([[0.0], [2.0]]))
    >>> describe(source, Sampled(2, 1, seed=0)).mean.tolist()
    [1.0]
    """
    d, dtype = source.n_features, np.dtype(source.dtype)
    sample = np.empty((sampled.n, d), dtype)
    low, high = np.full(d, np.inf), np.full(d, -np.inf)
    missing, whole, sums = np.zeros(d, np.int64), True, None
    for start, rows in chunks_in_order(source):
        _check_numbers(rows, start, source, gaps=gaps)
        numbers = np.arange(start, start + len(rows))
        places = sampled.places(numbers)
        sample[places[places >= 0]] = rows[places >= 0]
        sums = sums or ColumnSums(_first_observed(rows))
        sums.add(rows)
        if gaps and dtype.kind == "f":
            missing += np.isnan(rows).sum(axis=0)
        low = np.fmin(low, np.fmin.reduce(rows, axis=0))
        high = np.fmax(high, np.fmax.reduce(rows, axis=0))
        whole = whole and is_whole(np.nan_to_num(rows) if gaps else rows)
        if seen is not None:
            seen(rows)
        if shown is not None:
            shown(start + len(rows), source.n_rows)
    if sums is None:
        raise DataError(f"Data need at least one row; {source!r} has none. Check how it was made.")
    return Description(source.n_rows, sums.mean, sums.variance, low, high, whole, missing, sample)


def _first_observed(rows: np.ndarray) -> np.ndarray:
    """Return the first entry of each column that is not NaN, shape (d,)."""
    seen = ~np.isnan(rows) if rows.dtype.kind == "f" else np.ones(rows.shape, bool)
    return rows[seen.argmax(axis=0), np.arange(rows.shape[1])]


def chunks_in_order(
    source: BlockSource,
    chunk_rows: int | None = None,
    *,
    least: int = 1,
    share: tuple[int, int] = (0, 1),
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the first row and the rows of one chunk after another, read ahead by a thread.

    Parameters
    ----------
    source : BlockSource
    chunk_rows : of each chunk; None: :func:`chunk_rows_of`
    least : rows that the last chunk has at least; fewer are read with the chunk before
    share : (i, m) yields the chunks i, i + m, i + 2m, … alone
    """
    starts = [*_starts(source, chunk_rows, least), source.n_rows]
    reader = Reader(source)

    def read(i: int) -> tuple[int, np.ndarray]:
        pieces = list(in_order(source, starts[i], starts[i + 1]))
        return starts[i], reader.read(pieces)[0]

    yield from ahead(read, range(share[0], len(starts) - 1, share[1]))


def n_chunks_in_order(source: BlockSource, *, least: int = 1) -> int:
    """Return the number of chunks that :func:`chunks_in_order` yields."""
    return len(_starts(source, None, least))


def _starts(source: BlockSource, chunk_rows: int | None, least: int) -> list[int]:
    size, n = chunk_rows or chunk_rows_of(source.n_features), source.n_rows
    starts = list(range(0, n, size))
    if len(starts) > 1 and n - starts[-1] < least:
        starts.pop()
    return starts


def _check_numbers(rows: np.ndarray, start: int, source: BlockSource, *, gaps: bool) -> None:
    if rows.dtype.kind != "f":
        return
    bad = np.isinf(rows) if gaps else ~np.isfinite(rows)
    if not bad.any():
        return
    row, column = (int(i) for i in np.argwhere(bad)[0])
    kind = "NaN" if np.isnan(rows[row, column]) else "inf"
    name = column if source.feature_names is None else repr(source.feature_names[column])
    remedy = (
        'Pass missing="ignorable" if whether an entry is missing depends on observed entries only; '
        "or drop these rows or columns."
        if kind == "NaN"
        else "Drop these rows or columns, or set these entries to NaN if they are missing."
    )
    raise DataError(
        f"Data must be finite; the first entry of {source!r} that is not ({kind}) is in row "
        f"{start + row}, column {name}. {remedy}"
    )
