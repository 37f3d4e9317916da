"""Check a built site: links lead somewhere, nothing is loaded from outside, pages are accessible.

Accessible as far as the text of a page shows it: each picture has a description, headings are in
order, no anchor is given twice, and each table has a row of headings.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"img": "src", "script": "src", "link": "href", "source": "src", "iframe": "src"}
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


class Page(HTMLParser):
    """The links of a page, what it loads, its anchors, and what a screen reader lacks."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = {"", "top"}
        self.missed: list[str] = []
        self.levels: list[int] = []
        self.headless: list[str] = []  # tables that are open, without a heading so far
        self.feed(path.read_text(encoding="utf-8"))
        if self.levels.count(1) != 1:
            self.missed.append(f"{self.levels.count(1)} headings of the first level")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag links to, loads, can be linked by, and lacks."""
        given = {name: value for name, value in attrs if value is not None}
        if given.get("id") in self.anchors:
            self.missed.append(f"anchor {given['id']} twice")
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in LOADED and LOADED[tag] in given and given.get("rel") != "canonical":
            self.loads.append(given[LOADED[tag]])
        self.look(tag, given)

    def look(self, tag: str, given: dict[str, str]) -> None:
        """Note what a screen reader lacks in a tag."""
        if tag == "img" and ("alt" not in given or given["alt"] == given.get("src")):
            self.missed.append(f"picture {given.get('src')} without a description")
        if tag in HEADINGS:
            level = HEADINGS.index(tag) + 1
            if self.levels and level > self.levels[-1] + 1:
                self.missed.append(f"a heading of level {level} after one of {self.levels[-1]}")
            self.levels.append(level)
        if tag == "table":
            # The index is a table for its columns alone.
            self.headless.append("headed" if "indextable" in given.get("class", "") else "")
        if tag == "th" and self.headless:
            self.headless[-1] = "headed"

    def handle_endtag(self, tag: str) -> None:
        """Note a table that has ended without headings."""
        if tag == "table" and self.headless and self.headless.pop() != "headed":
            self.missed.append("a table without headings")


def faults(root: Path) -> list[str]:
    """Return a line for each fault of each page."""
    files = (path for path in root.rglob("*.html") if "_static" not in path.parts)
    pages = {path.resolve(): Page(path) for path in files}
    found = []
    for path, page in pages.items():
        name = path.relative_to(root.resolve())
        found += [f"{name}: {missed}" for missed in page.missed]
        for address in [*page.links, *page.loads]:
            parts = urlsplit(address)
            if parts.scheme == "data":
                continue
            if parts.scheme or parts.netloc:
                if address in page.loads:
                    found.append(f"{name}: loads {address}")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                found.append(f"{name}: no file {address}")
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{name}: no anchor {address}")
    for style in root.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        if "url(http" in text or "url(//" in text or '@import url("http' in text:
            found.append(f"{style.relative_to(root)}: loads from outside")
    return sorted(set(found))


if __name__ == "__main__":
    errors = faults(Path(sys.argv[1]))
    sound = "pages: links lead somewhere, nothing is loaded from outside, descriptions and headings"
    print("\n".join(errors[:50]) or sound)
    sys.exit(bool(errors))
