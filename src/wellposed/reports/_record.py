"""What a report holds, and how it is written."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from wellposed import serialise
from wellposed.evaluation import Diagnosis

from ._page import page


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of text and numbers; readers sort them by any column."""

    head: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Panel:
    """One picture or table, with what is to be seen in it."""

    name: str  # of its place on the page, in one word
    title: str
    caption: str  # how to read it
    picture: bytes | None = None  # PNG
    alt: str = ""
    table: Table | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Report:
    """A page of a fitted model; shows itself in a notebook, and is saved as one HTML file.

    The file needs no network and holds no path.
    """

    title: str
    diagnosis: Diagnosis
    panels: Sequence[Panel]
    left_out: Sequence[str] = ()  # what could not be shown, and why

    @property
    def html(self) -> str:
        """The whole page."""
        return page(self)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the page, whole or not at all.

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
        from html import escape

        frame = 'style="width: 100%; height: 48rem; border: 0" title="wellposed report"'
        return f'<iframe {frame} srcdoc="{escape(self.html, quote=True)}"></iframe>'
