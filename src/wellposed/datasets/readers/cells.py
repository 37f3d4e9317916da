"""Interpretation of the cells of a text table: numbers in the usual spellings, and gaps."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from wellposed._errors import DataError

Decimal = Literal[".", ","]

# Codes of missing values in pandas, R, SAS, Excel and the UCI repository, and errors of formulas in
# spreadsheets.
MISSING = frozenset(
    {"", "na", "n/a", "nan", "<na>", "null", "none", "?", "-", ".", "#n/a", "#na", "#n/a n/a"}
    | {"-nan", "1.#qnan", "-1.#qnan", "1.#ind", "-1.#ind"}
    | {"#div/0!", "#num!", "#value!", "#ref!", "#name?", "#null!"}
)
DATES = "Write dates and times as numbers, for example as days since the first"
ENCODE = "Encode them as numbers"
_MINUS = "−"  # typographic signs
_LOGICAL = {"true": 1.0, "false": 0.0}

_COMMA_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?")
_POINT_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?")
_COMMA_DECIMAL = re.compile(r"[+-]?(\d+,\d+|,\d+|\d+)([eE][+-]?\d+)?")
_POINT_DECIMAL = re.compile(r"[+-]?\d*\.\d*([eE][+-]?\d+)?")
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([ T].*)?|\d{1,2}:\d{2}(:\d{2}.*)?")


def is_missing(cell: str) -> bool:
    """Whether a cell is the code of a missing value."""
    return cell.strip().lower() in MISSING


def to_number(cell: str, decimal: Decimal = ".") -> float | None:
    """Return the cell's number, NaN for a missing one, or None for anything else.

    With a decimal comma, points may separate thousands; with a decimal point, commas may.
    """
    cell = cell.strip()
    if not cell:
        return float("nan")
    if cell[0] == _MINUS:
        cell = "-" + cell[1:]
    if decimal == "," and ("," in cell or "." in cell):
        return _with_comma(cell)
    try:
        # Python reads 1_000 as a number; in a table it is a label.
        return None if "_" in cell else float(cell)
    except ValueError:
        pass
    if _COMMA_THOUSANDS.fullmatch(cell):
        return float(cell.replace(",", ""))
    if is_missing(cell):
        return float("nan")
    return _LOGICAL.get(cell.lower())


def could_be_number(cell: str) -> bool:
    """Whether a cell is a number or a gap, with a decimal point or a decimal comma."""
    return to_number(cell) is not None or to_number(cell, ",") is not None


def _with_comma(cell: str) -> float | None:
    if not any(sign in cell for sign in "._") and cell.count(",") == 1 and cell[-1] != ",":
        try:
            return float(cell.replace(",", "."))
        except ValueError:
            return None
    if _COMMA_DECIMAL.fullmatch(cell):
        return float(cell.replace(",", "."))
    if _POINT_THOUSANDS.fullmatch(cell):
        return float(cell.replace(".", "").replace(",", "."))
    return float("nan") if is_missing(cell) else None


def remedy_for(cell: str) -> str:
    """Return the remedy for a column that contains such a cell."""
    text = cell.strip()
    if text.endswith("%") and could_be_number(text[:-1]):
        return "Write percentages without the sign"
    if _DATE.fullmatch(text):
        return DATES
    if could_be_number(text):
        return "Pass the sign that it has as `decimal`, and write all numbers with that one"
    if re.fullmatch(r"[+-]?\d{1,3}([ \u00a0\u202f']\d{3})+([.,]\d*)?", text):
        return "Write numbers without signs between thousands"
    if text.startswith(("$", "€", "£", "¥")):
        return "Write amounts without the currency"
    if text[-1:].isalpha() and text[:1].isdigit():
        return "Write numbers without a unit, or encode labels as numbers"
    return ENCODE


@dataclass
class Evidence:
    """Evidence for the decimal sign, from the cells of a whole table.

    The cell 1,5 requires a decimal comma, 1,234,567 a decimal point; 1,234 allows both.
    """

    point: str | None = None
    comma: str | None = None
    point_thousands: str | None = None
    either: dict[str, str] = field(default_factory=dict)

    def see(self, cells: Iterable[str]) -> None:
        for cell in cells:
            if "," in cell or "." in cell:
                self._see(cell.strip().replace(_MINUS, "-"))

    def _see(self, cell: str) -> None:
        if _EITHER.fullmatch(cell):
            self.either.setdefault("," if "," in cell else ".", cell)
        elif _COMMA_THOUSANDS.fullmatch(cell):
            self.point = self.point or cell
        elif _POINT_THOUSANDS.fullmatch(cell):
            self.point_thousands = self.point_thousands or cell
        elif "," in cell and _COMMA_DECIMAL.fullmatch(cell):
            self.comma = self.comma or cell
        elif _POINT_DECIMAL.fullmatch(cell) and any(letter.isdigit() for letter in cell):
            self.point = self.point or cell

    def decimal(self, path: Path) -> Decimal:
        """Return the decimal sign of the table.

        Raises
        ------
        DataError
            If the cells contradict each other, or are ambiguous.
        """
        comma = self.comma or self.point_thousands
        point_may_be_decimal = None if self.point_thousands else self.either.get(".")
        conflict = self.point or point_may_be_decimal
        if comma and conflict:
            raise DataError(
                f"One sign parts whole numbers from fractions in a table; {path} has {comma!r} and "
                f"{conflict!r}. Write all numbers with a decimal point."
            )
        if comma:
            return ","
        if "," in self.either and not self.point:
            raise DataError(
                f"A number must have one reading; {self.either[',']!r} in {path} may have a "
                f"decimal comma or a comma between thousands, and no other cell decides. Pass "
                f"decimal=',' or decimal='.', or write numbers without it."
            )
        return "."
