"""Pages of the reference, written from what each room exports, so that none is forgotten."""

import ast
import html
import importlib
import inspect
import re
from importlib.util import resolve_name
from pathlib import Path
from typing import TYPE_CHECKING

from records import add_fields

import wellposed

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

FOLDER = Path(__file__).resolve().parents[1] / "reference"
JOINED = ("Parameters", "Other Parameters", "Attributes", "Returns", "Yields")
WRAP = 90  # characters; a line that the next word would make longer was wrapped
OPEN = (" and", " as", " by", " from", " in", " of", " or", " the", " to", " with", ",", ";")
PAGES = re.compile(r"\bdocs/([\w-]+/[\w-]+)\.md")  # as a docstring names a page of the site
SHOWN = re.compile(r"<(?:built-in )?function (\w+)>")  # a function that is a default value
LISTED = re.compile(r'<a class="reference internal" href="rooms/([\w.]+)\.html">\1</a>')
KINDS = ("Classes", "Functions", "Errors and warnings", "Values")


def rooms() -> list[str]:
    """Return the modules that have a page: the front door, and every room behind it."""
    behind = [name for name in wellposed.__all__ if inspect.ismodule(getattr(wellposed, name))]
    names = sorted([*behind, "estimators", "noise.parts"])
    return ["wellposed", *(f"wellposed.{name}" for name in names)]


def exported(room: str) -> dict[str, object]:
    """Return the names of a room; those of the room above stand there alone."""
    module = importlib.import_module(room)
    names = {name: getattr(module, name) for name in module.__all__ if name != "__version__"}
    above = importlib.import_module(room.rpartition(".")[0] or "wellposed")
    elsewhere = () if module is wellposed else (wellposed, above)
    return {
        name: value
        for name, value in names.items()
        if not inspect.ismodule(value)
        and not any(name in m.__all__ and getattr(m, name) is value for m in elsewhere)
    }


def kind_of(value: object) -> str:
    """Return the heading that a name stands under."""
    if inspect.isclass(value):
        return "Errors and warnings" if issubclass(value, Exception) else "Classes"
    return "Functions" if inspect.isroutine(inspect.unwrap(value)) else "Values"  # type: ignore[arg-type]


def description(room: str, name: str) -> str:
    """Return the text below a constant where its value is set; a room may have it from another."""
    source = Path(importlib.import_module(room).__file__ or "").read_text(encoding="utf-8")
    body = ast.parse(source).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            text = after.value if isinstance(after, ast.Expr) else None
            return inspect.cleandoc(str(text.value)) if isinstance(text, ast.Constant) else ""
        if isinstance(node, ast.ImportFrom):
            for imported in node.names:
                if (imported.asname or imported.name) == name:
                    package = importlib.import_module(room).__package__
                    above = resolve_name("." * node.level + (node.module or ""), package)
                    return description(above, imported.name)
    return ""


def page(name: str) -> str:
    """Return the page of a room in reStructuredText: what it is for, and its names by kind."""
    module = importlib.import_module(name)
    members = exported(name)
    text = [name, "=" * len(name), "", f".. currentmodule:: {name}", ""]
    text += [*map(adapted, (inspect.getdoc(module) or "").splitlines()), ""]
    for kind in KINDS:
        found = [name for name, value in members.items() if kind_of(value) == kind]
        if found:
            text += [kind, "-" * len(kind), "", ".. autosummary::", "   :toctree: ../names"]
            text += ["   :nosignatures:", ""]
            text += [*(f"   {name}" for name in sorted(found, key=str.casefold)), ""]
    return "\n".join(text)


def write_pages(app: "Sphinx", config: "Config") -> None:
    """Write the page of each room where it has changed; remove those of names that are gone."""
    names = {f"{room}.{name}" for room in rooms() for name in exported(room)}
    for folder, wanted in (("rooms", set(rooms())), ("names", names)):
        (FOLDER / folder).mkdir(exist_ok=True)
        for path in (FOLDER / folder).glob("*.rst"):
            if path.stem not in wanted:
                path.unlink()
    for room in rooms():
        path, text = FOLDER / "rooms" / f"{room}.rst", page(room)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    config.autosummary_generate = [f"reference/rooms/{room}.rst" for room in rooms()]


def escape_bars(line: str) -> str:
    r"""Keep the bars of \|x\| out of reStructuredText, except in code and in formulas."""
    parts = re.split(r"(``.*?``|:math:`.*?`)", line)
    return "".join(
        part if i % 2 else re.sub(r"(?<!\\)\|", r"\\|", part) for i, part in enumerate(parts)
    )


def adapted(line: str) -> str:
    """Return a line of a docstring as reStructuredText: bars escaped, pages of the site linked."""
    return PAGES.sub(r":doc:`/\1`", escape_bars(line))


def adapt(
    app: "Sphinx", what: str, name: str, value: object, options: object, lines: list[str]
) -> None:
    """Escape bars outside blocks of formulas; of a constant, describe it and state its value."""
    if what == "data":
        room, _, constant = name.rpartition(".")
        shown = ", ".join(f"``{key!r}``" for key in value) if isinstance(value, dict) else None
        lines[:] = [*description(room, constant).splitlines(), ""]
        lines += [f"Names: {shown}." if shown else f"``{value!r}``", ""]
    depth, example = None, False
    for i, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if depth is not None and line.strip() and indent <= depth:
            depth = None
        if line.lstrip().startswith(".. math::"):
            depth = indent
        example = bool(line.strip()) and (example or line.lstrip().startswith(">>>"))
        if depth is None and not example:
            lines[i] = adapted(line)


def wrapped(line: str, after: str) -> bool:
    """Return whether the next line continues one that was full, or that cannot end there."""
    if after[:1] != " " or not after.strip():
        return False
    return line.endswith(OPEN) or len(line) + len(after.split()[0]) > WRAP


def join_wrapped(lines: list[str]) -> None:
    """Join the lines of one statement: what a parameter is, and what is returned.

    napoleon reads what a parameter is from one line alone, and takes each line of what is returned
    for one more value. A sentence that follows describes the parameter.
    """
    section, i = "", 0
    while i + 1 < len(lines):
        line, after = lines[i], lines[i + 1]
        if line and set(after) == {"-"}:
            section, i = line, i + 2
            continue
        if section in JOINED and line and line[0] != " ":
            last = line
            described = after.strip()[:1].isupper() and not line.endswith(OPEN)
            while not (described and last is line) and wrapped(last, lines[i + 1]):
                last = lines.pop(i + 1)
                lines[i] += " " + last.strip()
                lines.append("")
            if last != line and (sentence := re.search(r"\. (?=[A-Z])", lines[i])):
                lines.insert(i + 1, "    " + lines[i][sentence.end() :])
                lines[i] = lines[i][: sentence.start()]
            while section == "Returns" and lines[i + 1][:1] not in ("", " "):
                lines[i] += " " + lines.pop(i + 1)
                lines.append("")
            if section == "Returns" and not lines[i + 1].strip():
                lines[i - 2 : i + 1] = ["", "", ":returns: " + lines[i].replace(" : ", ": ", 1)]
        i += 1


def part_names(lines: list[str]) -> None:
    """Give each of several attributes that one line describes a line of its own.

    napoleon does so for parameters alone.
    """
    start = lines.index("Attributes") if "Attributes" in lines else len(lines)
    for i in range(len(lines) - 1, start, -1):
        found = re.match(r"(\w+(?:, \w+)+)( : .*)?$", lines[i])
        if found:
            last = next((j for j in range(i + 1, len(lines)) if lines[j][:1] != " "), len(lines))
            names, rest = found[1].split(", "), [found[2] or "", *lines[i + 1 : last]]
            lines[i:last] = [row for name in names for row in (name + rest[0], *rest[1:])]


def end_sections(
    app: "Sphinx", what: str, name: str, value: object, options: object, lines: list[str]
) -> None:
    """End a section before the paragraph that follows it, which is not one more parameter."""
    if what == "class":
        add_fields(value, lines)
    join_wrapped(lines)
    part_names(lines)
    if what in ("attribute", "property") and lines and ": " in lines[0]:
        # napoleon takes what stands before a colon in the line for a type.
        head, _, tail = lines[0].partition(": ")
        lines[:1] = [f"{head}:", tail]
    for i in range(len(lines) - 1, 0, -1):
        line, after = lines[i], lines[i + 1] if i + 1 < len(lines) else ""
        starts = bool(line) and not line[0].isspace() and not lines[i - 1].strip()
        heads = after.startswith(("---", "    "))
        if starts and not heads and " " in line and " : " not in line:
            lines.insert(i, "")


def leave_out(
    app: "Sphinx", what: str, name: str, value: object, skip: bool, options: object
) -> bool | None:
    """Leave out what a class has from elsewhere: scikit-learn documents its own methods."""
    owner = getattr(value, "__objclass__", None)
    if getattr(owner, "__module__", None) == "builtins":
        return True  # as errno of OSError
    if isinstance(value, property):
        value = value.fget
    home = getattr(inspect.unwrap(value), "__module__", None) if callable(value) else None  # type: ignore[arg-type]
    if name.startswith("set_") and name.endswith("_request"):
        return True
    if inspect.ismethoddescriptor(value) and not hasattr(value, "__module__"):
        return True  # Python's own, as add_note of an error
    return True if home is not None and not home.startswith("wellposed") else None


def keep_words(app: "Sphinx", doctree: "nodes.document") -> None:
    """Take links off words of a parameter's type that name no class, as "d" of "shape (n, d)"."""
    from sphinx.addnodes import pending_xref, pending_xref_condition  # tests import this file

    for node in list(doctree.findall(pending_xref)):
        name = node.get("reftarget", "")
        if node.get("reftype") == "class" and name.islower() and "." not in name:
            # The words as they are written come last, after those of a link.
            written = list(node.findall(pending_xref_condition))
            node.replace_self((written[-1] if written else node).children)


def sign(
    app: "Sphinx", what: str, name: str, value: object, options: object, text: str, result: str
) -> tuple[str | None, str] | None:
    """Show defaults that are functions by their names, and of a protocol no arguments."""
    if what == "class" and getattr(value, "_is_protocol", False):
        return "", result
    return (SHOWN.sub(r"\1", text).replace("<factory>", "..."), result) if text else None


def find(
    app: "Sphinx", env: "BuildEnvironment", node: "nodes.Element", content: "nodes.TextElement"
) -> "nodes.reference | None":
    """Link a room, and a class, a function or a full name that has a page in one room alone."""
    from sphinx.util.nodes import make_refnode  # tests import this file

    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or app.builder.format != "html":
        return None
    if target in rooms():
        place = f"reference/rooms/{target}"
        return make_refnode(app.builder, node["refdoc"], place, None, content)
    last = target.rpartition(".")[2]
    if not (target.startswith("wellposed.") or last[:1].isupper() or node["reftype"] == "func"):
        return None
    objects = env.get_domain("py").objects  # type: ignore[attr-defined]
    pages = [f"{room}.{last}" for room in rooms() if f"{room}.{last}" in objects]
    if len(pages) != 1:
        return None
    found = objects[pages[0]]
    return make_refnode(app.builder, node["refdoc"], found.docname, found.node_id, content)


def describe_rooms(
    app: "Sphinx", name: str, template: str, context: dict[str, object], doctree: object
) -> None:
    """Say in the list of rooms what each is for."""

    def described(match: re.Match[str]) -> str:
        doc = inspect.getdoc(importlib.import_module(match[1])) or ""
        return f"{match[0]}: {html.escape(doc.splitlines()[0])}"

    if name == "reference/index":
        context["body"] = LISTED.sub(described, str(context["body"]))


def setup(app: "Sphinx") -> dict[str, bool]:
    """Write the pages before Sphinx looks for its sources."""
    app.connect("config-inited", write_pages, priority=400)
    app.connect("autodoc-process-docstring", end_sections, priority=100)
    app.connect("autodoc-process-docstring", adapt, priority=900)
    app.connect("autodoc-skip-member", leave_out)
    app.connect("autodoc-process-signature", sign)
    app.connect("doctree-read", keep_words)
    app.connect("missing-reference", find)
    app.connect("html-page-context", describe_rooms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
