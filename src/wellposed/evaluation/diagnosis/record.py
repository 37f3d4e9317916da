"""Findings of a diagnosis, and their output as text, JSON and HTML."""

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final

from wellposed._html import render

from .._estimate import Estimate
from .._text_table import text_table
from .._thresholds import CAUTION, FAULT, OPEN, SOUND, Verdict

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

MARKS: Final[dict[Verdict, str]] = {SOUND: "✓", CAUTION: "!", OPEN: "?", FAULT: "✗"}
_STYLES: Final[dict[Verdict, str]] = {
    SOUND: "green",
    CAUTION: "yellow",
    OPEN: "cyan",
    FAULT: "bold red",
}
MORE_ROWS: Final = "Pass more rows; where there are none it stays open, which is no fault."


@dataclasses.dataclass(frozen=True)
class Finding:
    """The answer to one question, with its figures and a remedy.

    Parameters
    ----------
    question : in a few words
    verdict : "sound", "fault", "caution" (a limitation that is no fault) or "open"
        (too few rows to decide)
    said : the answer in sentences
    remedy : what to change; empty if nothing
    fault : name of the fault; empty for every other verdict
    figures : values by name; the name includes the unit
    table : rows of a table, each by the names of the columns
    is_outcome : whether the finding is the outcome of all others, which then are its causes: it is
        shown first, and as a fault it is the last of :attr:`Diagnosis.faults`

    Examples
    --------
    >>> Finding("Calibrated?", "sound", "Central 90 % intervals hold 90.1 %.").verdict
    'sound'
    """

    question: str
    verdict: Verdict
    said: str
    remedy: str = ""
    fault: str = ""
    figures: dict[str, float] = dataclasses.field(default_factory=dict)
    table: tuple[dict[str, str | Estimate], ...] = ()
    is_outcome: bool = False


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """Findings on a fitted model; ``print`` it, or show it in a notebook.

    The outcome is first: whether the model is better than simpler ones. The order of the others is
    that of cause and consequence: an earlier finding may cause a later one.

    Parameters
    ----------
    findings : one for each question
    model : description of the model
    n_rows : number of evaluation rows
    n_train_rows : number of training rows; None without training rows

    Examples
    --------
    >>> fault = Finding("Bounded?", "fault", "It has no bound.", "Add a floor.", "no bound")
    >>> Diagnosis((fault,), "a VAE", 100, None).summary
    'No bound. Add a floor.'
    """

    findings: tuple[Finding, ...]
    model: str
    n_rows: int
    n_train_rows: int | None

    @property
    def faults(self) -> tuple[Finding, ...]:
        """Findings that are faults, in the order of cause and consequence."""
        faults = (f for f in self.findings if f.verdict == FAULT)
        return tuple(sorted(faults, key=lambda f: f.is_outcome))

    @property
    def summary(self) -> str:
        """The first fault and its remedy, or else the open questions and the number of cautions.

        If the model is worse than a simpler one, that comes first, before the cause.
        """
        if self.faults:
            first, *others = self.faults
            outcome = [f for f in others if f.is_outcome]
            n_more = len(others) - len(outcome)
            more = f" (and {n_more} more, which may follow from it)" if n_more else ""
            lead = "".join(f"{_capital(f.fault)}. " for f in outcome)
            return f"{lead}{_capital(first.fault)}{more}. {first.remedy}"
        unanswered = [f.question for f in self.findings if f.verdict == OPEN]
        n_cautions = sum(f.verdict == CAUTION for f in self.findings)
        rest = f"; {n_cautions} caution{'s' * (n_cautions > 1)}" if n_cautions else ""
        if not unanswered:
            return f"No fault was found{rest}."
        return (
            f"No fault was found, but {len(unanswered)} of {len(self.findings)} questions are open "
            f"({' '.join(unanswered)}){rest}."
        )

    @property
    def _head(self) -> str:
        trained = f" and {self.n_train_rows} training rows" if self.n_train_rows else ""
        return f"Diagnosis of {self.model}, on {self.n_rows} rows{trained}"

    def __str__(self) -> str:
        lines = [self._head, self.summary]
        for finding in self.findings:
            lines += ["", f"{MARKS[finding.verdict]} {finding.question}  {finding.said}"]
            if finding.table:
                lines += [f"  {line}" for line in text_table(finding.table).splitlines()]
            if finding.remedy:
                lines.append(f"  → {finding.remedy}")
        return "\n".join(lines)

    def __rich__(self) -> "Group":
        from rich.console import Group
        from rich.padding import Padding
        from rich.text import Text

        parts: list[Any] = [Text(self._head, style="bold"), Text(self.summary)]
        for finding in self.findings:
            question = f"{MARKS[finding.verdict]} {finding.question}", _STYLES[finding.verdict]
            parts += [Text(), Text.assemble(question, "  ", finding.said)]
            if finding.table:
                parts.append(Padding(_rich_table(finding.table), (0, 0, 0, 2)))
            if finding.remedy:
                remedy = Text(f"→ {finding.remedy}", style="italic")
                parts.append(Padding(remedy, (0, 0, 0, 2)))
        return Group(*parts)

    def to_dict(self) -> dict[str, Any]:
        """Return all findings in plain types for JSON; a figure that is not finite is None.

        An estimate in a table is a dictionary of ``value`` and ``standard_error``.
        """
        return {
            "model": self.model,
            "n_rows": self.n_rows,
            "n_train_rows": self.n_train_rows,
            "summary": self.summary,
            "findings": [
                {
                    **dataclasses.asdict(f),
                    "figures": _finite(f.figures),
                    "table": [_plain(row) for row in f.table],
                }
                for f in self.findings
            ],
        }

    def to_html(self) -> str:
        """Return a self-contained HTML page."""
        return self._page(whole=True)

    def _repr_html_(self) -> str:
        return self._page(whole=False)

    def _page(self, *, whole: bool) -> str:
        template = "evaluation/diagnosis/page.html.jinja"
        return render(template, diagnosis=self, title=self._head, marks=MARKS, whole=whole)


def _finite(figures: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def _plain(row: dict[str, str | Estimate]) -> dict[str, Any]:
    return {
        name: _finite(dataclasses.asdict(cell)) if isinstance(cell, Estimate) else cell
        for name, cell in row.items()
    }


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _rich_table(rows: tuple[dict[str, str | Estimate], ...]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(Text(name))
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row.values()))
    return table
