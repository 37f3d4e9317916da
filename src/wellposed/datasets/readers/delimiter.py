"""Detection of the separator of the cells of a text table, from its first lines."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .cells import could_be_number, is_missing
from .lines import without_comment

_SIGNS = (",", ";", "\t", "|")
_QUOTED_OR_BARE = re.compile(r'"[^"]*"|\S+')
_LOOKED_AT = 100  # cells of a line


def cells_of(text: str, delimiter: str | None) -> list[str]:
    """Split a line into its cells; None splits at whitespace."""
    if delimiter is None:
        text = without_comment(text)
        if '"' in text:
            return [cell.strip('"') for cell in _QUOTED_OR_BARE.findall(text)]
        return text.split()
    if delimiter not in text and '"' not in text:
        return [text.strip()]
    try:
        return [cell.strip() for cell in next(csv.reader([text], delimiter=delimiter), [])]
    except csv.Error:  # a cell longer than csv allows: this is not the separator
        return [text]


def find_delimiter(lines: Sequence[str], spaced: bool) -> str | None:
    """Choose the separator for which the lines are a table of numbers; None is whitespace.

    A sign is chosen if it gives every line the same number of cells, all of them numbers; among
    several, the one with more cells, and whitespace only if no other sign does. ``spaced`` files
    (``.txt``) prefer whitespace to tabs, which may align columns there. If no sign turns all cells
    into numbers (a column has words), the best sign is chosen.
    """
    signs = [_try(lines, sign) for sign in _SIGNS]
    signs = [one for one in signs if one.width > 1]
    blanks = _try(lines, None)
    ranked = sorted((one for one in signs if not (spaced and one.sign == "\t")), key=_rank)
    if ranked and ranked[-1].perfect:
        return ranked[-1].sign
    tabs = [one for one in signs if one.perfect]
    if blanks.width > 1 and blanks.perfect and (blanks.fits_header or not tabs):
        return None
    if tabs:
        return "\t"
    if ranked:
        return ranked[-1].sign
    # Blanks between words do not separate cells; blanks between numbers and words may.
    numbers = blanks.share > 0.5 and blanks.width - blanks.above in (0, 1)
    if blanks.width > 1 and (spaced or numbers):
        return None
    return _of_one_column(lines[0], spaced)


@dataclass(frozen=True)
class _Trial:
    """Result of splitting the lines below the first with one sign.

    ``width`` is the most common number of cells, ``above`` that of the first line; ``share`` is the
    share of cells that are numbers or gaps, ``clean`` that of cells without another sign.
    """

    sign: str | None
    width: int
    consistent: bool
    above: int
    share: float
    clean: float

    @property
    def fits_header(self) -> bool:
        return self.above == self.width

    @property
    def perfect(self) -> bool:
        return self.consistent and self.share == 1


def _rank(one: _Trial) -> tuple[bool, bool, bool, float, float, int]:
    return one.perfect, one.consistent, one.fits_header, one.share, one.clean, one.width


def _try(lines: Sequence[str], sign: str | None) -> _Trial:
    rows = [cells_of(line, sign) for line in lines[1:] or lines]
    widths = [len(row) for row in rows]
    width = max(set(widths), key=widths.count)
    cells = [cell for row in rows for cell in row[:_LOOKED_AT]]
    numbers = [is_missing(cell) or could_be_number(cell) for cell in cells]
    others = [other for other in _SIGNS if other != sign]
    clean = [
        number or not any(other in cell for other in others)
        for cell, number in zip(cells, numbers, strict=True)
    ]
    n = max(len(cells), 1)
    above = len(cells_of(lines[0], sign))
    return _Trial(sign, width, len(set(widths)) == 1, above, sum(numbers) / n, sum(clean) / n)


def _of_one_column(header: str, spaced: bool) -> str | None:
    """Choose a sign that only the header contains, so that the mismatch raises an error."""
    best = max(_SIGNS, key=header.count)
    if best in header and not (spaced and best == "\t"):
        return best
    return None if spaced else ","
