"""Records of a reproduced table: its cells, the claims of its source, its pictures."""

import dataclasses
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from wellposed.serialise import replace_file

_ERRORS = 3.0  # two figures are equal if they differ by at most this many standard errors

_NEGATIVE = re.compile(r"(?<![\w.-])-(?=\d)")  # the sign of a number, set as a minus


@dataclasses.dataclass(frozen=True)
class Cell:
    """One figure of a table, ours and as published, each with its standard error.

    Examples
    --------
    >>> cell = Cell("σ² = 1", "ELBO", -1014.6, 0.7, -1022.1, 5.4, better="higher")
    >>> round(cell.distance, 2), cell.verdict
    (1.38, 'equal')
    """

    row: str
    column: str
    value: float
    error: float = math.nan  # NaN: not known
    published: float | None = None
    published_error: float = math.nan
    better: Literal["higher", "lower", ""] = ""  # which figure is the better one; "" for neither

    @property
    def distance(self) -> float | None:
        """Our figure minus the published one, in joint standard errors; None without an error."""
        errors = [e for e in (self.error, self.published_error) if math.isfinite(e)]
        if self.published is None or not errors or not math.isfinite(self.value):
            return None
        return (self.value - self.published) / max(math.hypot(*errors), 1e-300)

    @property
    def verdict(self) -> str:
        """ "equal" within three joint standard errors, else "better", "worse" or "differs"."""
        distance = self.distance
        if distance is None:
            return ""
        if abs(distance) <= _ERRORS:
            return "equal"
        if not self.better:
            return "differs"
        return "better" if (distance > 0) == (self.better == "higher") else "worse"


@dataclasses.dataclass(frozen=True)
class Claim:
    """A statement of the source, and whether our figures confirm it.

    Examples
    --------
    >>> Claim("A learned σ² beats every given one", True, "-1010.3 against -1014.6").holds
    True
    """

    statement: str
    holds: bool
    evidence: str


@dataclasses.dataclass(frozen=True)
class Section:
    """A reproduced picture with its explanation."""

    title: str
    text: str
    picture: str  # file name
    alt: str


@dataclasses.dataclass(frozen=True)
class Reproduction:
    """A reproduced table, with the claims of its source, and its pictures if it has any.

    Examples
    --------
    >>> cells = (Cell("one σ²", "RMSE", 0.12, published=0.11),)
    >>> table = Reproduction("example", "An example", {"epochs": 10}, cells)
    >>> print(table.markdown().splitlines()[4])
    | one σ² | 0.120 (0.110) |
    """

    name: str
    title: str
    settings: dict[str, str | int]
    cells: tuple[Cell, ...]
    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()

    @property
    def rows(self) -> list[str]:
        """Names of the rows, in the order of the table."""
        return list(dict.fromkeys(cell.row for cell in self.cells))

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in the order of the table."""
        return list(dict.fromkeys(cell.column for cell in self.cells))

    def cell(self, row: str, column: str) -> Cell | None:
        """Return one cell, or None if the table has no such cell."""
        matches = (c for c in self.cells if (c.row, c.column) == (row, column))
        return next(matches, None)

    def column(self, name: str, rows: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return our figures, their errors and the published figures, each of shape (rows,).

        A missing figure is NaN.
        """
        cells = [self.cell(row, name) or Cell(row, name, math.nan) for row in rows]
        published = [math.nan if c.published is None else c.published for c in cells]
        return (
            np.array([c.value for c in cells]),
            np.array([c.error for c in cells]),
            np.array(published),
        )

    def markdown(self) -> str:
        """Return the page: the table, the claims, the notes, the settings and the pictures."""
        lines = [f"# {self.title}", ""]
        lines.append(_line(["model", *self.columns]))
        lines.append(_line(["---"] * (len(self.columns) + 1)))
        for row in self.rows:
            lines.append(_line([row, *(_cell_text(self.cell(row, c)) for c in self.columns)]))
        if any(cell.published is not None for cell in self.cells):
            lines += [
                "",
                "Ours ± error over seeds, (published), verdict at three errors.",
            ]
        lines.append("")
        for claim in self.claims:
            mark = "holds" if claim.holds else "**does not hold**"
            lines.append(f"- {claim.statement} — {mark}: {claim.evidence}")
        lines += ["", *self.notes, "", "Settings:", ""]
        lines += [f"- {name}: {value}" for name, value in self.settings.items()]
        for section in self.sections:
            lines += ["", f"## {section.title}", "", f"![{section.alt}]({section.picture})", ""]
            lines.append(section.text)
        return _NEGATIVE.sub("−", "\n".join(lines) + "\n")

    def to_dict(self) -> dict[str, object]:
        """Return the content in the types of JSON; a number that is not finite is None."""
        plain = dataclasses.asdict(self)
        for cell, entry in zip(self.cells, plain["cells"], strict=True):
            entry |= {"distance": cell.distance, "verdict": cell.verdict}
        return _without_nan(plain)

    def write(self, folder: Path) -> list[Path]:
        """Write ``NAME.md`` and ``NAME.json`` and return their paths.

        An interruption leaves no incomplete file.

        Raises
        ------
        OutputError
            If a file cannot be written.
        """
        markdown, plain = folder / f"{self.name}.md", folder / f"{self.name}.json"
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        for path, content in ((markdown, self.markdown()), (plain, text + "\n")):
            with replace_file(path, text=True) as file:
                file.write(content)
        return [markdown, plain]


def _line(cells: Sequence[str]) -> str:
    """Return one line of a table; the bar in q(z | x) is escaped, since it would end the cell."""
    escaped = [cell.replace("|", r"\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


def _cell_text(cell: Cell | None) -> str:
    if cell is None:
        return ""
    text = _number(cell.value, cell.error)
    if cell.published is not None:
        text += f" ({_number(cell.published, cell.published_error)})"
    return f"{text} {cell.verdict}".strip()


def _number(value: float, error: float) -> str:
    if not math.isfinite(value):
        return "-"
    if value and not 1e-3 <= abs(value) < 1e6:
        form = ".3g"
    else:
        form = ".1f" if abs(value) >= 100 else ".2f" if abs(value) >= 10 else ".3f"
    return f"{value:{form}} ± {error:{form}}" if math.isfinite(error) else f"{value:{form}}"


def _without_nan(value: Any) -> Any:
    """Replace numbers that are not finite by None, since JSON has none of them."""
    if isinstance(value, dict):
        return {name: _without_nan(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
