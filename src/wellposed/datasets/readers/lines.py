"""Iteration over the rows of a text table: numbered lines of limited length, no comments."""

import re
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from wellposed._errors import DamagedFileError, DataError

MOST_COLUMNS = 1 << 19  # more columns take too much memory as text
LONGEST = 1 << 23  # characters of a line: so many columns of sixteen digits
MOST_BLANK = 1 << 20  # lines without a cell in a row
_DIRECTIVE = re.compile(r"sep=.", re.IGNORECASE)  # with which spreadsheets declare the delimiter
# Errors of spreadsheets begin like a comment.
_ERRORS = r"#(?!(?:N/A|NA|DIV/0!|NUM!|VALUE!|REF!|NAME\?|NULL!|QNAN|IND)(?:[\s,;|\"]|$))"
_COMMENT_LINE = re.compile(rf"\s*{_ERRORS}", re.IGNORECASE)
_COMMENT = re.compile(_ERRORS, re.IGNORECASE)


def without_comment(line: str) -> str:
    """Return the part of a line before ``#``."""
    return _COMMENT.split(line, maxsplit=1)[0] if "#" in line else line


class Lines:
    """Iterate over the lines below line ``skip`` that are rows.

    Lines that begin with ``#`` are comments; with ``inline`` a comment also ends a row. Blank
    lines are rows only where ``blank`` is true, as in a table of one column, whose missing
    entries may be written so.

    ``number`` is that of the last line given, counted from 1, and ``numbers`` those of all.
    """

    def __init__(
        self, handle: TextIO, path: Path, *, skip: int = 0, inline: bool, blank: bool = False
    ) -> None:
        self.number, self.numbers = 0, array("I")
        self._filled = skip
        self._handle, self._path = handle, path
        self._skip, self._inline, self._blank = skip, inline, blank

    def __iter__(self) -> Iterator[str]:
        for number, line in enumerate(iter(self._line, ""), 1):
            if number <= self._skip or (number == 1 and _DIRECTIVE.fullmatch(line.strip())):
                continue
            if number - self._filled > MOST_BLANK:
                raise DamagedFileError(
                    f"A table has fewer than {MOST_BLANK} lines without a number in a row; "
                    f"{self._path} has more above line {number}. Check how it was written."
                )
            if "#" in line:
                if _COMMENT_LINE.match(line):
                    continue
                if self._inline:
                    line = without_comment(line)
            if line.strip():
                self._filled = number
            elif not self._blank:
                continue
            self.number = number
            self.numbers.append(number)
            yield line

    def _line(self) -> str:
        line = self._handle.readline(LONGEST)
        if len(line) == LONGEST:
            raise DamagedFileError(
                f"A line of a table has fewer than {LONGEST} characters; {self._path} has a longer "
                f"one. Check how it was written."
            )
        if len(line) > MOST_COLUMNS and max(map(line.count, ',;\t| "')) > MOST_COLUMNS:
            raise DataError(
                f"A table of text has at most {MOST_COLUMNS} columns; a line of {self._path} has "
                f"more. Save it as .npy or .parquet."
            )
        if "\0" in line:
            raise DamagedFileError(
                f"A table must be plain text; {self._path} holds null bytes. Save it as UTF-8 text."
            )
        return line
