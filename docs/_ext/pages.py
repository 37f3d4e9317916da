"""What generated pages lack: pictures that open alone, tables with headings, sound lists."""

import re
from html import escape
from pathlib import Path
from typing import Any

import imagesize
from sphinx.application import Sphinx

PICTURE = re.compile(r'<img (?![^>]*alt="")[^>]*src="([^"]+)"[^>]*/>')
LINKED = re.compile(r"<a [^>]*>\s*$")
SIGNATURE = re.compile(r"\n*<dl>\n((?:<dd>.*?</dd>\n)+)</dl>\n*")
NAMES = re.compile(r'(<table class="autosummary[^>]*>\s*)(?=<tbody>)')
HEADS = "<thead><tr><th>name</th><th>what it is</th></tr></thead>\n"
NO_HEAD = re.compile(r'<th class="head([^"]*)"><p></p></th>')
CELL = re.compile(r"<td.*?</td>", re.DOTALL)
FIGURE = re.compile(r"(?<=\d) ± (?=\d)|(?<=\d) (?=%)")  # what stays on one line of a table
OUTPUT = re.compile(r'<div class="([^"]*)(?="><div class="highlight"><pre>(.*?)</pre>)', re.DOTALL)
COLUMNS = re.compile(r"\S {2,}\S")
TAGS = re.compile(r"<div id='sg-tag-list'[^>]*></div>")
WIDE = 700  # pixels; a narrow screen shows a wider picture in part, and scrolls


def linked(body: str, files: dict[str, Path]) -> str:
    """Link each picture to its own file; a wide one has a class of its own."""

    def replaced(match: re.Match[str]) -> str:
        path = files.get(match[1].rsplit("/", 1)[-1])
        if path is None or LINKED.search(body, 0, match.start()):
            return match[0]
        kind = "picture wide" if imagesize.get(path)[0] > WIDE else "picture"
        return f'<a class="{kind}" href="{escape(match[1])}">{match[0]}</a>'

    return PICTURE.sub(replaced, body)


def lines(match: re.Match[str]) -> str:
    """Return a signature of several lines without the list that has no terms."""
    text = match[1].replace("<dd>", '<span class="sig-line">').replace("</dd>", "</span>")
    return f'<span class="sig-lines">\n{text}</span>'


def unbroken(match: re.Match[str]) -> str:
    """Return a cell of a table whose figures are not broken."""
    return FIGURE.sub(lambda found: found[0].replace(" ", "\u00a0"), match[0])


def in_columns(match: re.Match[str]) -> str:
    """Return the start of a block of output, with a class of its own if its lines have columns."""
    kind, text = match.groups()
    of_text = "highlight-text" in kind or "script-out" in kind
    rows = sum(bool(COLUMNS.search(line)) for line in text.splitlines())
    return f"{match[0]} columns" if of_text and rows > 1 else match[0]


def adapt(app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Adapt the body of a page before its template is filled."""
    if "body" in context:
        images = app.builder.images
        files = {file: Path(app.srcdir, source) for source, file in images.items()}
        body = NAMES.sub(rf"\1{HEADS}", TAGS.sub("", context["body"]))
        body = CELL.sub(unbroken, NO_HEAD.sub(r'<td class="head\1"></td>', body))
        body = OUTPUT.sub(in_columns, body)
        context["body"] = linked(SIGNATURE.sub(lines, body), files)


def setup(app: Sphinx) -> dict[str, bool]:
    """Adapt each page."""
    app.connect("html-page-context", adapt)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
