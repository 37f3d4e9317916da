"""From a report to one HTML file."""

import base64
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from wellposed._text import visible
from wellposed._version import __version__

if TYPE_CHECKING:
    from ._record import Report

_MARKS = {"sound": "✓", "caution": "!", "open": "?", "fault": "✗"}


def page(report: "Report") -> str:
    """Fill the template; style, script and pictures are within."""
    from jinja2 import Environment

    # Names are data: autoescape keeps them from being markup, and finalize from being unseen.
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_visible
    )
    environment.filters["picture"] = _data_address
    environment.filters["figure"] = _figure
    template = environment.from_string(_text("page.html.jinja"))
    return template.render(
        report=report,
        marks=_MARKS,
        style=_text("page.css"),
        script=_text("page.js"),
        version=__version__,
    )


def _visible(value: Any) -> Any:
    """Text with its control characters escaped; what is markup already (style, script) as it is."""
    return visible(value) if type(value) is str else value


def _text(name: str) -> str:
    return (files("wellposed.reports") / name).read_text(encoding="utf-8")


def _data_address(picture: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
