"""Find measured figures in the documentation that stand without the command that prints them.

    python .ci/figures.py                     # README.md and docs; exit code 1 if there are any
    python .ci/figures.py docs/how-to/gaps.md ...

A *figure* is a paragraph, a list item or an output block with a decimal number, a percentage, "±",
a ratio ("three times") or a number with a unit (nats, bits, seconds, MB, ...); or a table of which
two cells or more, the first column aside, have such numbers. Code in a line, formulas, versions,
numbers after =, <, > and the like, and the level of an interval or a quantile are none.

It has its command where one of these stands in its section, from heading to heading:

- a command in a line or a fenced block: `python ...`, `wellposed WORD ...`, `pytest ...`,
  `.ci/...`; `python -m benchmarks...` and `wellposed reproduce ...`, ahead of the first
  sub-heading of a section, serve the sub-sections too;
- a block of Python that prints, or a link to a script of the gallery or of the course;

or, in a paragraph or an item itself, a citation: et al., a year in parentheses, "published".

What is left is marked, by a comment above the paragraph, table or item, or right below a heading
for the section and its sub-sections: `<!-- figures: setting -->` for settings, definitions,
assumptions and examples, `<!-- figures: source NAME -->` for those of a source that the page names,
`<!-- figures: python -m benchmarks... -->` for a command that the text has no room for.

A module of benchmarks that a page runs and that is not there is reported too.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NUMBER = r"(?<![\w.^/])[-−–]?\d[\d,]*(?:\.\d+)?"
UNIT = (
    r"(?:%|per cent|nats?|bits?|bytes|[kMGT]B|[KMGT]iB|[mµ]?s|h|seconds?|minutes?|min|hours?|days?"
    r"|points?)"
)
COUNT = r"(?:\d[\d.,]*|two|three|four|five|six|seven|eight|nine|ten|twenty|a hundred|a thousand)"
MEASURED = re.compile(
    rf"±|(?<![\w.^/])\d[\d,]*\.\d+(?![\w.]*\.\d)|{NUMBER}[ \u00a0-]?{UNIT}(?!\w)"
    rf"|\b{COUNT} (?:times|seconds|minutes|hours)\b|\btwice (?:as|the)\b"
)
NOT_MEASURED = re.compile(
    r"<!--.*?-->|!\[.*?\]\(.*?\)|(?<=\])\(.*?\)|(`+).+?\1|\$\$?.+?\$\$?"
    r"|[=≤≥<>≈∈]\s?[-−]?[\d.,]+(?: ?%)?"  # a condition, a setting
    r"|(?i:python|version|release|jax|numpy|apache|wellposed) \d+(?:\.\d+)+\S*"
    r"|[\d.]+ ?%?\s+(?:intervals?|quantiles?)\b|\bCC[ -]BY\S* [\d.]+",
    re.DOTALL,
)
CITED = re.compile(
    r"\bet al\b|\(\D*\b(?:19|20)\d\d\b|&\s[^.|]*(?:19|20)\d\d|\b[Pp]ublished\b|\bquoted\b"
)
BENCHMARK = re.compile(r"python -m benchmarks|wellposed reproduce \S")
COMMAND = re.compile(
    r"(?:python (?:-m (?:benchmarks|wellposed|pytest)|\S+\.py)|wellposed [a-z]+ \S|pytest|\.ci/)"
)
SCRIPT = re.compile(r"\]\([^)]*(?:gallery/|examples/|figures/)[^)]*\)|\]\([^)]*\.(?:py|ipynb)\)")
MARK = re.compile(r"<!--\s*figures:\s*(.+?)\s*-->", re.DOTALL)


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """Return headings, fenced blocks, tables, items and paragraphs, each with its first line."""
    lines, first, fence = text.splitlines(), 0, ""
    single = re.compile(r"#+ |\s*<!--.*-->$")
    for i, line in enumerate([*lines, ""]):
        opening = re.match(r"\s*(`{3,}|~{3,})", line)
        ends = fence and line.strip() == fence
        starts = not line.strip() or opening or re.match(r"#+ |\s*(?:[-*+]|\d+\.) |\s*<!--", line)
        if ends or (not fence and (starts or (i and single.match(lines[i - 1])))):
            if block := "\n".join(lines[first : i + bool(ends)]).strip():
                yield first + 1, block
            first = i + (not line.strip() or bool(ends))
        fence = "" if ends else fence or (opening.group(1) if opening else "")


def commands(block: str) -> list[str]:
    """Return the commands that a block names; one of code that prints is "print"."""
    if re.match(r"\s*[`~]{3,}", block):
        if re.match(r"\s*`{3,}(?:python|py)\b", block):
            return ["print"] * ("print(" in block or ">>> " in block)
        lines = [line.strip(" $") for line in block.splitlines()]
    else:
        lines = [" ".join(part.split()) for part in re.findall(r"`([^`]+)`", block)]
        lines += ["pytest"] * bool(SCRIPT.search(block))
    return [line for line in lines if COMMAND.match(line)]


def has_figures(block: str) -> bool:
    """True of a paragraph, an item, a table or an output block that holds measured numbers."""
    if re.match(r"\s*[`~]{3,}(?!text)", block) or block.startswith("#"):
        return False
    if block.lstrip().startswith("```"):
        block = block.partition("\n")[2].rpartition("\n")[0]
    if block.lstrip().startswith("|"):
        rows = [re.split(r"(?<!\\)\|", line.strip().strip("|")) for line in block.splitlines()[2:]]
        cells = [NOT_MEASURED.sub("", cell) for row in rows for cell in row[1:]]
        return sum(bool(MEASURED.search(cell)) for cell in cells) >= 2
    return not CITED.search(block) and bool(MEASURED.search(NOT_MEASURED.sub("", block)))


def faults(text: str) -> Iterator[tuple[int, str]]:
    """Return the blocks of a page with figures that no command, source or mark names."""
    found: list[tuple[int, str, tuple[int, ...]]] = []
    own: set[tuple[int, ...]] = set()  # sections that have a command
    wide: set[tuple[int, ...]] = set()  # those of which it serves the sub-sections
    path: list[tuple[int, int]] = []  # level and line of each heading above
    before, marked = "", False
    for line, block in blocks(text):
        if heading := re.match(r"(#+) ", block):
            path = [pair for pair in path if pair[0] < len(heading[1])]
            path.append((len(heading[1]), line))
        section = tuple(place for _, place in path)
        if MARK.match(block):
            marked = not before.startswith("#")
            wide |= set() if marked else {section}
            continue
        if named := commands(block):
            own.add(section)
            wide |= {section} if any(map(BENCHMARK.match, named)) else set()
        elif has_figures(block) and not marked:
            found.append((line, " ".join(block.split()), section))
        before, marked = block, False
    for line, block, section in found:
        above = {section[:depth] for depth in range(len(section) + 1)}
        if section not in own and not above & wide:
            yield line, block


def missing_modules(text: str) -> Iterator[tuple[int, str]]:
    """Return the modules of benchmarks that a page runs and that are not there."""
    for number, line in enumerate(text.splitlines(), start=1):
        for name in re.findall(r"-m (benchmarks(?:\.\w+)*)", line):
            place = ROOT.joinpath(*name.split("."))
            if not place.with_suffix(".py").exists() and not (place / "__main__.py").exists():
                yield number, f"there is no {name}"


if __name__ == "__main__":
    pages = [Path(page).resolve() for page in sys.argv[1:]]
    pages = pages or [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    count = 0
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for line, block in sorted([*faults(text), *missing_modules(text)]):
            print(f"{page.relative_to(ROOT)}:{line}: {block[:100]}")
            count += 1
    print(f"figures without a command: {count}")
    sys.exit(count > 0)
