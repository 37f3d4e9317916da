"""Values that stand apart from the rest of their column: codes for gaps, slips, gross errors."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

_SORTED_AT_MOST = 1_000_000  # entries of the sample that is sorted: a tenth of a second
_FEWEST_ROWS = 10  # fewer do not show what the rest of a column is
_FEWEST_OF_TAIL = 20  # fewer do not show how heavy its tails are
_FEWEST_DISTINCT = 10  # fewer distinct values have no spread of their own
_COMMON = 5  # rows that make a value common, in a column of few distinct ones

_NORMAL_HALF = 1.349  # width of the shortest half of a standard normal
_SCREEN = 5.0  # spreads within which no value is looked at again
_FAR = 20.0  # spreads at which a value is far, if nothing lies between it and the rest
_GAP = 4.0  # a far value is this many times as far as the next one inwards
_TAIL = 8.0  # e⁻⁸: how often a tail as heavy as the column's own leaves such a gap
_FAR_OF_FEW = 20.0  # times the range of the common values, where few are distinct
_FEW = 0.01  # share of rows up to which far values may be anywhere and of any size
_MOST = 0.4  # share of rows that a block, or a code, may take
_LEAST_BLOCK = 5  # rows
_TAIL_OF_BLOCK = 2.0  # as _TAIL: far values of a tail fill no block

# The last number of 16, 32 and 64 bits, and of float32.
_LIMITS = {2.0**b - one for b in (15, 16, 31, 32, 63, 64) for one in (0, 1)} - {2.0**16, 2.0**32}
_HUGE = 1e20  # no measurement; 1e20, 1e30 and the largest float32 are codes of many instruments


@dataclasses.dataclass(frozen=True)
class Suspect:
    """Values of one column that stand apart from all others of it."""

    column: int
    value: float  # the furthest of them
    count: int
    low: float  # range of the others
    high: float
    first: int  # rows between which they lie
    last: int
    kind: str  # "code" for a gap, "far", or "block" of rows


def describe_suspect(
    suspect: Suspect,
    n_rows: int,
    names: Sequence[str] | None = None,
    lines: Sequence[int] | np.ndarray | None = None,
) -> str:
    """Return the text of a suspect for a message: column, value, count, place and likely cause.

    ``names`` are those of the columns, ``lines`` the file's line of each row.
    """
    column = suspect.column if names is None else repr(str(names[suspect.column]))
    unit = "row" if lines is None else "line"
    first, last = (
        row if lines is None else int(lines[row]) for row in (suspect.first, suspect.last)
    )
    rest = f"the others are {suspect.low:.6g} to {suspect.high:.6g}"
    value, count = f"{suspect.value:.6g}", f"{suspect.count} of {n_rows} rows"
    place = f"{unit} {first}" if suspect.count == 1 else f"first in {unit} {first}"
    if suspect.kind == "code":
        said = f"{value} in {count} ({place}), as a code for a missing value"
    elif suspect.kind == "block":
        said = (
            f"values as far as {value} in {unit}s {first} to {last} ({count}), as in another unit"
        )
    else:
        furthest = "" if suspect.count == 1 else "values as far as "
        said = f"{furthest}{value} in {count} ({place})"
    return f"column {column}: {said}; {rest}"


@dataclasses.dataclass(frozen=True)
class _Cut:
    """Values at one end of a sorted column that stand apart."""

    count: int
    above: bool
    kind: str


def suspects(values: np.ndarray) -> tuple[Suspect, ...]:
    r"""Find values that a fit should not take as they are.

    A value is suspect where it stands apart from the rest of its column: it lies twenty spreads
    from the centre, both those of the column's shortest half, and nothing lies between it and a
    quarter of the way. Gaps in a heavy tail are wide, so the logarithm of the gap must also exceed
    eight times the mean log-excess of the tail inside it (Hill's estimate): a tail as heavy leaves
    such a gap once in e⁸. A value that is written as codes for gaps are (9999, −999, 1e30) need
    only leave a gap as wide as the range of the others, or be the only negative one. Of many far
    values, those that are a code or fill a block of rows are suspect; of positive values, also a
    block that is far in the logarithm.

    Parameters
    ----------
    values : array of shape (n, d), any real dtype, finite

    Notes
    -----
    A sample of at most a million entries is sorted, with the lowest and the highest value of all
    rows added; a column is read in full only where these are suspect. Tables of fewer than ten
    rows have no suspects.

    References: Hill (1975); Rousseeuw & Leroy (1988), on the shortest half.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.random.default_rng(0).normal(20, 3, size=(100, 2))
    >>> rows[7, 1] = -999
    >>> [(s.column, s.value, s.count) for s in suspects(rows)]
    [(1, -999.0, 1)]
    """
    if len(values) < _FEWEST_ROWS:
        return ()
    with np.errstate(over="ignore", invalid="ignore"):  # the largest float64 may be a code
        return tuple(
            suspect
            for j in _candidates(values)
            for suspect in _of_column(values[:, j].astype(np.float64), j)
        )


def _candidates(values: np.ndarray) -> list[int]:
    """Columns that are suspect in a sample with the lowest and the highest value of all rows."""
    n, d = values.shape
    low, high = values.min(axis=0), values.max(axis=0)
    rows = np.linspace(0, n - 1, min(n, max(1_000, _SORTED_AT_MOST // d))).astype(int)
    ordered = np.sort(np.concatenate([values[rows], low[None], high[None]]), axis=0)
    ordered = ordered.astype(np.float64)
    ends = ordered[[0, -1]]
    center, spread = _shortest_half(ordered)
    near = np.abs(ends - center).max(axis=0) <= _SCREEN * spread
    near &= ~np.array([_is_code(a) or _is_code(b) for a, b in ends.T], bool)
    near &= ~_spans_decades(ends)
    binary = (ends[1] - ends[0] <= 1) & (ends == np.round(ends)).all(axis=0)
    found = np.flatnonzero(~near & ~binary & (ends[1] > ends[0]))
    return [int(j) for j in found if any(True for _ in _cuts(ordered[:, j]))]


def _spans_decades(ends: np.ndarray) -> np.ndarray:
    """Columns of positive numbers whose lowest a slip by ten or more may have made."""
    return (ends[0] > 0) & (ends[1] > 10.0 * ends[0])


def _shortest_half(ordered: np.ndarray) -> tuple[Any, Any]:
    """Middle and spread of the shortest interval with half of the values, along the first axis."""
    half = len(ordered) // 2
    widths = ordered[half:] - ordered[: len(ordered) - half]
    start = np.argmin(widths, axis=0)[None]
    width = np.take_along_axis(widths, start, axis=0)[0]
    middle = np.take_along_axis(ordered, start + half // 2, axis=0)[0]
    return middle, width / _NORMAL_HALF


def _of_column(column: np.ndarray, j: int) -> Iterator[Suspect]:
    few = max(3, _FEW * len(column))
    low, high = column.min(), column.max()
    for cut, rest in _cuts(np.sort(column)):
        inside = (column >= low) & (column <= high)
        rows = np.flatnonzero(inside & (column > rest[-1] if cut.above else column < rest[0]))
        low, high = rest[0], rest[-1]
        value = column[rows].max() if cut.above else column[rows].min()
        block = rows[-1] - rows[0] + 1 == len(rows) >= _LEAST_BLOCK
        kind = "block" if block and len(rows) > few else cut.kind
        if kind in ("block", "code") or (kind == "far" and len(rows) <= few):
            yield Suspect(
                column=j,
                value=float(value),
                count=len(rows),
                low=float(rest[0]),
                high=float(rest[-1]),
                first=int(rows[0]),
                last=int(rows[-1]),
                kind=kind,
            )


def _cuts(ordered: np.ndarray) -> Iterator[tuple[_Cut, np.ndarray]]:
    """Ends of a sorted column to cut off, one after another, each with what is left then."""
    n, rest = len(ordered), ordered
    for _ in range(4):  # −999 and −99, and a slip besides
        cut = _code(rest, n) or _far(rest, n) or _far_in_logarithm(rest, n)
        if cut is None:
            return
        rest = rest[: -cut.count] if cut.above else rest[cut.count :]
        yield cut, rest


def _code(ordered: np.ndarray, n: int) -> _Cut | None:
    """The lowest or highest value, where it is written as a code and stands apart."""
    for above in (True, False):
        value = float(ordered[-1] if above else ordered[0])
        if not _is_code(value):
            continue
        inner = ordered[ordered != value]
        count = len(ordered) - len(inner)
        if len(inner) < _FEWEST_ROWS - 1 or count > _MOST * n:
            continue
        gap = value - inner[-1] if above else inner[0] - value
        if gap >= inner[-1] - inner[0] or value < 0 <= inner[0]:
            return _Cut(count, above, "code")
    return None


def _is_code(value: float) -> bool:
    """Whether a number is written as codes for gaps are: nines, or the end of a type."""
    size = abs(value)
    if size >= _HUGE or size in _LIMITS:
        return True
    if size < 99:
        return False
    for digits in (6, 9):  # as float32 holds it, and as float64
        figures = f"{size:.{digits}g}".replace(".", "")
        same = figures == figures[0] * len(figures)
        if figures == "99" or (same and len(figures) > 2 and figures[0] in "789"):
            return True
    return False


def _far(ordered: np.ndarray, n: int, *, tail: float = _TAIL) -> _Cut | None:
    """Values at one end that are far from the rest of a sorted column, with nothing between."""
    if len(ordered) < _FEWEST_OF_TAIL:
        return None
    center, spread = (float(a) for a in _shortest_half(ordered))
    others = ordered
    if spread == 0:  # mostly one value: judged by the spread of the others, each counted once
        others = ordered[ordered != center]
        distinct = np.unique(others)
        if len(distinct) < _FEWEST_DISTINCT:
            return _far_of_few(ordered, n)
        center, spread = (float(a) for a in _shortest_half(distinct))
    distance = (others - center) / spread
    cuts = [_Cut(_beyond_gap(sign * distance, n, tail), sign > 0, "far") for sign in (1, -1)]
    furthest = max(cuts, key=lambda cut: cut.count)
    return furthest if furthest.count else None


def _beyond_gap(distance: np.ndarray, n: int, tail: float) -> int:
    """How many of the distances, in spreads, lie beyond a gap that the tail does not explain."""
    descending = np.maximum(np.sort(distance[distance > 0])[::-1], 1.0)
    if len(descending) < 2:
        return 0
    ratio = descending[:-1] / descending[1:]
    wide = np.flatnonzero((ratio >= _GAP) & (descending[:-1] >= _FAR))
    for i in wide[::-1]:
        inner = np.log(descending[i + 1 :])
        k = min(max(10, math.isqrt(len(inner))), len(inner) - 1)
        excess = float(inner[:k].mean() - inner[k]) if k > 0 else 0.0
        if i + 1 <= _MOST * n and math.log(ratio[i]) >= tail * excess:
            return int(i) + 1
    return 0


def _far_of_few(ordered: np.ndarray, n: int) -> _Cut | None:
    """Far values of a column of few distinct ones, such as counts that are mostly zero."""
    distinct, counts = np.unique(ordered, return_counts=True)
    often = counts >= _COMMON
    common = distinct[often]
    if len(common) < 2 or counts[often].sum() - counts.max() < _FEW * n:
        return None
    reach = _FAR_OF_FEW * (common[-1] - common[0])
    above = int(counts[distinct >= common[-1] + reach].sum())
    below = int(counts[distinct <= common[0] - reach].sum())
    count = max(above, below)
    return _Cut(count, above >= below, "far") if 0 < count <= _FEW * n else None


def _far_in_logarithm(ordered: np.ndarray, n: int) -> _Cut | None:
    """Positive values that are far below the others in the logarithm, if there are many."""
    if ordered[0] <= 0:
        return None
    cut = _far(np.log(ordered), n, tail=_TAIL_OF_BLOCK)
    many = cut is not None and not cut.above and cut.count >= max(_LEAST_BLOCK, _FEW * n)
    return dataclasses.replace(cut, kind="small") if cut is not None and many else None
