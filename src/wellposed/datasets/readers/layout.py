"""Layout of a text table: separator of the cells, header, first row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wellposed._errors import DamagedFileError, DataError

from .cells import could_be_number, is_missing
from .delimiter import cells_of, find_delimiter
from .lines import Lines
from .open import open_text

_SAMPLE_LINES, _SAMPLE_CHARACTERS = 50, 1 << 20
_FEWEST_LINES = 3  # header, units, first row
_MOST_JOINED = 4  # lines of a name


@dataclass(frozen=True)
class Layout:
    """Position of the rows and separator of the cells.

    ``delimiter`` None means runs of whitespace; ``skip`` counts the lines above the rows;
    ``names`` may end in empty ones, where a delimiter ends each line. ``first`` are the cells of
    the first row, where they may be names.
    """

    delimiter: str | None
    names: tuple[str, ...] | None
    width: int
    skip: int
    inline_comments: bool
    first: tuple[str, ...] | None = None
    remarks: tuple[str, ...] = ()


def is_spaced(path: Path) -> bool:
    """Whether files of this suffix mostly have whitespace between numbers."""
    return path.name.lower().removesuffix(".gz").endswith((".txt", ".dat", ".asc", ".prn"))


def find_layout(path: Path, header: bool | None) -> Layout:
    """Detect the layout from the first lines that are neither blank nor comments."""
    numbers, sample = _sample(path)
    if not sample:
        raise DataError(f"A table has at least one row; {path} is empty. Check how it was written.")
    delimiter = find_delimiter(sample, is_spaced(path))
    rows = [cells_of(text, delimiter) for text in sample]
    given = header
    if header is None:
        header = _is_header(rows[0], rows[1] if len(rows) > 1 else [], path)
    width = _width(rows, header)
    names = (*rows[0], *[""] * (width - len(rows[0])))[:width] if header else None
    skip, remarks = (numbers[0] if header else numbers[0] - 1), ()
    if header and _is_units(rows):
        skip = numbers[1]
        remarks = (
            f"Line {skip} of {path} holds no numbers ({', '.join(rows[1][:4])}…): it was taken "
            f"for a row of units and left out. Delete it to be rid of this warning.",
        )
    if width == 1 and not header:
        skip = 0  # blank lines are missing entries, also above the first number
    first = tuple(rows[0]) if given is None and not header else None
    inline = delimiter is None or is_spaced(path)
    return Layout(delimiter, names, width, skip, inline, first, remarks)


def is_table(path: Path) -> bool:
    """Whether a file of unknown kind is text with mostly numbers below its first line."""
    try:
        _, sample = _sample(path)
        delimiter = find_delimiter(sample, is_spaced(path)) if sample else None
    except DamagedFileError:
        return False
    rows = [cells_of(text, delimiter) for text in sample[1:] or sample]
    cells = [cell for row in rows for cell in row if not is_missing(cell)]
    numbers = sum(could_be_number(cell) for cell in cells)
    return 2 * numbers > len(cells)


def _sample(path: Path) -> tuple[list[int], list[str]]:
    """Return the first filled lines and their numbers."""
    numbers: list[int] = []
    sample: list[str] = []
    size = 0
    with open_text(path) as handle:
        lines = Lines(handle, path, inline=is_spaced(path))
        for number, text in _join_quoted((lines.number, text) for text in lines):
            numbers.append(number)
            sample.append(text)
            size += len(text)
            enough = len(sample) >= _FEWEST_LINES and size > _SAMPLE_CHARACTERS
            if enough or len(sample) == _SAMPLE_LINES:
                break
    return numbers, sample


def _join_quoted(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Join the lines of a quoted cell, such as a name with a line break.

    Yields the number of the last line of each. A quote that is not closed within a few lines is a
    sign of inches or seconds, and is not joined.
    """
    held: list[tuple[int, str]] = []
    while True:
        while not held or (_is_open(held) and len(held) <= _MOST_JOINED):
            following = next(lines, None)
            if following is None:
                break
            held.append(following)
        if not held:
            return
        n = next((n for n in range(1, len(held) + 1) if not _is_open(held[:n])), 1)
        yield held[n - 1][0], "".join(text for _, text in held[:n])
        del held[:n]


def _is_open(lines: Sequence[tuple[int, str]]) -> bool:
    return sum(text.count('"') for _, text in lines) % 2 == 1


def _width(rows: Sequence[Sequence[str]], header: bool) -> int:
    """Return the number of cells a row, that of the first line without blank cells at its end."""
    first, body = rows[0], {len(row) for row in rows[1:]}
    if not header or len(body) != 1:
        return len(first)
    (width,) = body
    # A delimiter ends each row but not the header, or the header but no row.
    longer = width > len(first) and all(not any(row[len(first) :]) for row in rows[1:])
    shorter = width < len(first) and not any(first[width:])
    return width if longer or shorter else len(first)


def _is_header(cells: Sequence[str], below: Sequence[str], path: Path) -> bool:
    """Whether the first line contains the names of the columns.

    It does if it has words and no number, or a word above a number. A word above a word is a column
    of text, where the first line is data as well. Numbers can be recognised as names only after all
    rows are read.
    """
    unnamed = cells[1:] if cells[0] == "" else cells if len(cells) > 2 else []
    if unnamed and list(unnamed) == [str(i) for i in range(len(unnamed))]:
        raise DataError(
            f"The first line of {path} counts 0, 1, 2, …: it may be a header that pandas made up, "
            f"or data. Pass header=True or header=False."
        )
    words = [i for i, cell in enumerate(cells) if not could_be_number(cell)]
    numbers = [cell for cell in cells if not is_missing(cell) and could_be_number(cell)]
    above = any(i < len(below) and could_be_number(below[i]) for i in words)
    return bool(words) and (not numbers or above)


def _is_units(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the second line has words or empty cells wherever the third has numbers."""
    if len(rows) < _FEWEST_LINES or len(rows[1]) != len(rows[2]):
        return False
    units, first = rows[1], rows[2]
    number = [could_be_number(cell) for cell in first]
    filled = [cell for cell in units if not is_missing(cell)]
    return (
        all(number)
        and not all(is_missing(cell) for cell in first)
        and bool(filled)
        and not any(could_be_number(cell) for cell in filled)
    )


def check_names(names: Sequence[str], dropped: frozenset[int], end: int, path: Path) -> None:
    """Refuse columns below ``end`` without a name, unless they are left out."""
    unnamed = [i for i, name in enumerate(names[:end]) if not name and i not in dropped]
    if unnamed:
        raise DataError(
            f"Every column of {path} needs a name; column {unnamed[0]} (from 0) has none. If it is "
            f"pandas' index, save with `to_csv(path, index=False)`, or leave it out: "
            f"drop=({unnamed[0]},)."
        )


def ragged(path: Path, layout: Layout, line: int, n_cells: int) -> DataError:
    """Build the error for a line that has more or fewer cells than the table."""
    cause = "Correct that line; begin titles and remarks with #"
    if layout.names is None:
        rule = "as its first line has"
    else:
        rule = "as its header has"
        if layout.width == 1 and n_cells == 2:
            cause += "; put numbers with a decimal comma in quotes"
        elif n_cells == layout.width + 1:
            cause += "; if R wrote row names without a header, use row.names=FALSE there"
    return DataError(
        f"Every row of {path} must have {layout.width} cells, {rule}; line {line} has {n_cells}. "
        f"{cause}."
    )


def not_text(path: Path, line: int, error: Exception) -> DamagedFileError:
    """Build the error for a file whose content is not text throughout."""
    return DamagedFileError(
        f"A table must be plain text; {path} is not from line {line} on ({error}). Export it again."
    )
