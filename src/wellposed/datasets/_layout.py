"""How a text table is laid out: its delimiter, its header, where its rows begin."""

import csv
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wellposed._errors import DataError

from ._open import open_text

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
COMMENT = "#"


@dataclass(frozen=True)
class Layout:
    """``delimiter`` None means runs of whitespace; ``skip`` counts the lines above the rows."""

    delimiter: str | None
    names: tuple[str, ...] | None
    width: int
    skip: int


def is_missing(cell: str) -> bool:
    """Say whether a cell stands for a value that is not there."""
    return cell.strip().lower() in MISSING


def to_number(cell: str) -> float | None:
    """Return the cell's number, NaN for a missing one, or None for anything else."""
    try:
        # Python reads 1_000 as a number; in a table it is a label.
        return None if "_" in cell else float(cell)
    except ValueError:
        return float("nan") if is_missing(cell) else None


def find_layout(path: Path, header: bool | None) -> Layout:
    """Look at the first two lines that are neither blank nor comments."""
    spaced = path.name.lower().removesuffix(".gz").endswith(".txt")
    with open_text(path) as handle:
        filled = (
            (line, text)
            for line, text in enumerate(handle, 1)
            if text.strip() and not (spaced and text.lstrip().startswith(COMMENT))
        )
        first_two = list(itertools.islice(filled, 2))
    if not first_two:
        raise DataError(f"A table has at least one row; {path} is empty. Check how it was written.")
    (line, text), *rest = first_two
    delimiter = _delimiter(text, spaced)
    cells = _cells(text, delimiter)
    below = _cells(rest[0][1], delimiter) if rest else []
    if header is None:
        header = _is_header(cells, below, path)
    names = _checked_names(cells, path) if header else None
    return Layout(delimiter, names, len(cells), line if header else line - 1)


def _delimiter(text: str, spaced: bool) -> str | None:
    """Take the commonest of the usual delimiters; ``.txt`` without a comma is whitespace."""
    candidates = ",;" if spaced else ",;\t"
    best = max(candidates, key=text.count)
    return None if spaced and best not in text else best


def _cells(text: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return text.split(COMMENT)[0].split()
    return [cell.strip() for cell in next(csv.reader([text], delimiter=delimiter))]


def _is_header(cells: Sequence[str], below: Sequence[str], path: Path) -> bool:
    """Decide whether the first line names the columns.

    It does if it holds words and no number, or a word above a number. A word above a word is a
    text column, of which the first line is no less data than the second.
    """
    unnamed = cells[1:] if cells[0] == "" else cells if len(cells) > 2 else []
    if unnamed and list(unnamed) == [str(i) for i in range(len(unnamed))]:
        raise DataError(
            f"The first line of {path} counts 0, 1, 2, …: it may be a header that pandas made up, "
            f"or data. Pass header=True or header=False."
        )
    words = [i for i, cell in enumerate(cells) if to_number(cell) is None]
    numbers = [cell for cell in cells if not is_missing(cell) and to_number(cell) is not None]
    above = any(i < len(below) and to_number(below[i]) is not None for i in words)
    return bool(words) and (not numbers or above)


def _checked_names(cells: Sequence[str], path: Path) -> tuple[str, ...]:
    if "" in cells:
        raise DataError(
            f"Every column of {path} needs a name; column {cells.index('')} (from 0) has none. "
            f"If it is pandas' index, save with `to_csv(path, index=False)`."
        )
    return tuple(cells)
