"""A published table beside ours, cell by cell."""

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wellposed.serialise import replacing

_ERRORS = 3.0  # how many standard errors apart two figures may be, to be called equal


@dataclasses.dataclass(frozen=True)
class Cell:
    """One figure, ours and as published, each with its error where it has one.

    ``better`` says which way a figure is better: "higher", "lower", or "" for neither.
    """

    row: str
    column: str
    value: float
    error: float = math.nan
    published: float | None = None
    published_error: float = math.nan
    better: str = ""

    @property
    def distance(self) -> float | None:
        """Ours less the published one, in joint standard errors; None without an error."""
        errors = [e for e in (self.error, self.published_error) if math.isfinite(e)]
        if self.published is None or not errors or not math.isfinite(self.value):
            return None
        return (self.value - self.published) / max(math.hypot(*errors), 1e-300)

    @property
    def verdict(self) -> str:
        """ "equal" inside three joint standard errors, else "better", "worse" or "differs"."""
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
    """A statement of the source, and whether our figures bear it out."""

    statement: str
    holds: bool
    evidence: str


@dataclasses.dataclass(frozen=True)
class Section:
    """A picture of a source, made anew, and what is to be seen in it."""

    title: str
    text: str
    picture: str  # name of its file
    alt: str


@dataclasses.dataclass(frozen=True)
class Reproduction:
    """A table of a source, made anew, and its pictures where it has any."""

    name: str
    title: str
    settings: dict[str, Any]
    cells: tuple[Cell, ...]
    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()

    @property
    def rows(self) -> list[str]:
        """Names of the rows, in order."""
        return list(dict.fromkeys(cell.row for cell in self.cells))

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return list(dict.fromkeys(cell.column for cell in self.cells))

    def cell(self, row: str, column: str) -> Cell | None:
        """Return one cell, or None where the table has a hole."""
        found = [c for c in self.cells if (c.row, c.column) == (row, column)]
        return found[0] if found else None

    def markdown(self) -> str:
        """Return the table: in each cell our figure, the published one and the verdict."""
        lines = [f"# {self.title}", ""]
        lines.append(_line(["", *self.columns]))
        lines.append(_line(["---"] * (len(self.columns) + 1)))
        for row in self.rows:
            lines.append(_line([row, *(_shown(self.cell(row, c)) for c in self.columns)]))
        if any(cell.published is not None for cell in self.cells):
            lines += ["", "Ours ± its error over seeds, (as published), verdict at three errors."]
        lines.append("")
        for claim in self.claims:
            mark = "holds" if claim.holds else "**does not hold**"
            lines.append(f"- {claim.statement} — {mark}: {claim.evidence}")
        lines += ["", *(f"{note}" for note in self.notes), "", "Settings:", ""]
        lines += [f"- {name}: {value}" for name, value in self.settings.items()]
        for section in self.sections:
            lines += ["", f"## {section.title}", "", f"![{section.alt}]({section.picture})", ""]
            lines.append(section.text)
        return "\n".join(lines) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain types."""
        cells = [
            {**dataclasses.asdict(cell), "distance": cell.distance, "verdict": cell.verdict}
            for cell in self.cells
        ]
        claims = [dataclasses.asdict(claim) for claim in self.claims]
        return {
            "name": self.name,
            "title": self.title,
            "settings": self.settings,
            "cells": cells,
            "claims": claims,
            "notes": list(self.notes),
            "sections": [dataclasses.asdict(section) for section in self.sections],
        }

    def write(self, folder: Path) -> list[Path]:
        """Write ``NAME.md`` and ``NAME.json``, each whole or not at all; return the files."""
        markdown, plain = folder / f"{self.name}.md", folder / f"{self.name}.json"
        text = json.dumps(_finite(self.to_dict()), indent=2, ensure_ascii=False, allow_nan=False)
        for path, content in ((markdown, self.markdown()), (plain, text + "\n")):
            with replacing(path, text=True) as file:
                file.write(content)
        return [markdown, plain]


def _line(cells: Sequence[str]) -> str:
    """One line of a table; a bar in a cell, as in q(z | x), would end it."""
    escaped = [cell.replace("|", r"\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


def _shown(cell: Cell | None) -> str:
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


def _finite(value: Any) -> Any:
    """JSON knows no NaN: None in its place."""
    if isinstance(value, dict):
        return {name: _finite(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
