"""What a diagnosis found, and how it is shown."""

import dataclasses
import math
from typing import Any

from .page import page

SOUND, CAUTION, OPEN, FAULT = "sound", "caution", "open", "fault"
MARKS = {SOUND: "✓", CAUTION: "!", OPEN: "?", FAULT: "✗"}
_STYLES = {SOUND: "green", CAUTION: "yellow", OPEN: "cyan", FAULT: "bold red"}


@dataclasses.dataclass(frozen=True)
class Finding:
    """The answer to one question, with the figures behind it and what to do.

    ``verdict`` is "sound", "fault", "caution" (no fault, but worth knowing) or "open" (these rows
    cannot tell). ``fault`` names what is wrong; empty otherwise.
    """

    question: str
    verdict: str
    said: str
    remedy: str = ""
    fault: str = ""
    figures: dict[str, float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """Findings on a fitted model; ``print`` it, or show it in a notebook.

    They stand in the order of causes: what is found first may be why what follows it is found.
    """

    findings: tuple[Finding, ...]
    model: str  # in words
    n_rows: int
    n_train_rows: int | None

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What is wrong, causes before their consequences."""
        return tuple(f for f in self.findings if f.verdict == FAULT)

    @property
    def summary(self) -> str:
        """One sentence: the first fault and its remedy."""
        if not self.faults:
            doubts = sum(f.verdict != SOUND for f in self.findings)
            rest = f"; {doubts} points to know of" if doubts else ""
            return f"Nothing wrong was found{rest}."
        first, *others = self.faults
        more = f" (and {len(others)} more, which may follow from it)" if others else ""
        return f"{first.fault[0].upper()}{first.fault[1:]}{more}. {first.remedy}"

    @property
    def _head(self) -> str:
        trained = f", {self.n_train_rows} of the training" if self.n_train_rows else ""
        return f"Diagnosis of {self.model}, by {self.n_rows} rows{trained}"

    def __str__(self) -> str:
        lines = [self._head, self.summary]
        for found in self.findings:
            lines += ["", f"{MARKS[found.verdict]} {found.question}  {found.said}"]
            if found.remedy:
                lines.append(f"  → {found.remedy}")
        return "\n".join(lines)

    def __rich__(self) -> Any:
        from rich.console import Group
        from rich.padding import Padding
        from rich.text import Text

        parts: list[Any] = [Text(self._head, style="bold"), Text(self.summary)]
        for found in self.findings:
            style = _STYLES[found.verdict]
            line = Text.assemble(
                (f"{MARKS[found.verdict]} {found.question}", style), "  ", found.said
            )
            parts += [Text(), line]
            if found.remedy:
                parts.append(Padding(Text(f"→ {found.remedy}", style="italic"), (0, 0, 0, 2)))
        return Group(*parts)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it in plain types, for JSON; figures that are not finite as None."""
        return {
            "model": self.model,
            "n_rows": self.n_rows,
            "n_train_rows": self.n_train_rows,
            "summary": self.summary,
            "findings": [
                {**dataclasses.asdict(f), "figures": _finite(f.figures)} for f in self.findings
            ],
        }

    def to_html(self) -> str:
        """Return a self-contained page, readable at any width, in light and dark."""
        return page(self._head, self.summary, self.findings, whole=True)

    def _repr_html_(self) -> str:
        return page(self._head, self.summary, self.findings, whole=False)


def _finite(figures: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}
