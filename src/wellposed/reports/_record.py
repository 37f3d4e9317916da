"""A report on a fitted model, and the page that shows it."""

import dataclasses
import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from wellposed import serialise
from wellposed._html import render
from wellposed._version import __version__
from wellposed.evaluation import Diagnosis
from wellposed.evaluation.diagnosis.record import MARKS

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of text and numbers, which the page sorts by any column.

    Examples
    --------
    >>> Table(("latent", "rate, nats"), ((0, 2.5), (1, 0.1))).head
    ('latent', 'rate, nats')
    """

    head: tuple[str, ...]  # headings of the columns
    rows: tuple[tuple[str | float, ...], ...]  # one cell a column each


@dataclasses.dataclass(frozen=True, eq=False)
class Panel:
    """One picture or table of a report, with how to read it.

    Parameters
    ----------
    name : one word, the panel's anchor on the page
    title, caption : heading, and how to read the picture
    picture : PNG file, if there is one
    alt : description of the picture for readers who do not see it
    table : numbers behind the picture

    Examples
    --------
    >>> Panel("rates", "Rate of each latent", "Bars at zero are collapsed latents.").title
    'Rate of each latent'
    """

    name: str
    title: str
    caption: str
    picture: bytes | None = None
    alt: str = ""
    table: Table | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Report:
    """Report on a fitted model: a notebook shows it, and it is saved as one HTML file.

    The file needs no network and contains no path.

    Parameters
    ----------
    title : heading of the page
    diagnosis : verdicts, the first section
    panels : further sections, in order
    left_out : names of panels that could not be drawn, with the reason

    Examples
    --------
    >>> report = Report("Report on a VAE", Diagnosis((), "a VAE", 20, None), ())
    >>> report.html[:15]
    '<!doctype html>'
    """

    title: str
    diagnosis: Diagnosis
    panels: Sequence[Panel]
    left_out: Sequence[str] = ()

    @property
    def html(self) -> str:
        """The whole page; style, script and pictures are part of it."""
        return render(
            "reports/page.html.jinja",
            report=self,
            marks=MARKS,
            style=_markup("page.css"),
            script=_markup("page.js"),
            version=__version__,
        )

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the page, whole or not at all.

        Parameters
        ----------
        path : file to write
        overwrite : whether to replace a file that exists

        Raises
        ------
        OutputError
            If the file exists and ``overwrite`` is false, or cannot be written.
        """
        path = Path(path)
        serialise.check_writable(path, overwrite=overwrite)
        with serialise.replace_file(path, text=True) as file:
            file.write(self.html)

    def _repr_html_(self) -> str:
        return render("reports/frame.html.jinja", page=self.html)


def _markup(name: str) -> "Markup":
    """Text of a file of this package, which is markup and not data."""
    from markupsafe import Markup

    return Markup((files("wellposed.reports") / name).read_text(encoding="utf-8"))
