"""What the fields of a record are, from the comments beside them in the source."""

import ast
import inspect
import io
import re
import textwrap
import tokenize

SIMPLE = re.compile(r"(?!_)[\w.]+( \| None)?")
ARRAY = re.compile(r"\w+\[[\w.]+, '\s*([^']*)'\]")
ALIASES = {"np.ndarray": "array", "Point": "shape (d,)", "Latent": "shape (k,)", "Scalar": "scalar"}
SHAPE = re.compile(r"^(?=\((?:\w+|\.\.\.)?,|\(\w+, )")
SECTIONS = ("Parameters", "Attributes", "Examples", "Notes", "References", "Raises")


def kind(annotation: ast.expr) -> str:
    """Return a type in words: the shape of an array, or a simple type."""
    text = ast.unparse(annotation)
    if found := ARRAY.fullmatch(text):
        names = found[1].split()
        return f"shape ({', '.join(names)}{',' if len(names) == 1 else ''})" if names else "scalar"
    return ALIASES.get(text, text if SIMPLE.fullmatch(text) else "")


def comments(value: type) -> dict[str, str]:
    """Return the words of each field of a class: the comment beside it, else its type."""
    source = textwrap.dedent(inspect.getsource(value))
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    beside = {t.start[0]: t.string.lstrip("# ") for t in tokens if t.type == tokenize.COMMENT}
    found = {}
    for node in ast.parse(source).body[0].body:  # type: ignore[attr-defined]
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            words = beside.get(node.end_lineno or 0) or kind(node.annotation)
            found[node.target.id] = (
                SHAPE.sub("shape ", words).replace("(*batch,)", "(...)").replace("*batch", "...")
            )
    return found


def fields(value: type) -> dict[str, str]:
    """Return the words of the fields that the constructor takes, those of bases included."""
    known: dict[str, str] = {}
    for base in reversed(value.__mro__):
        if base.__module__.startswith("wellposed"):
            known |= comments(base)
    try:
        names = inspect.signature(value).parameters
    except (TypeError, ValueError):
        return {}
    return {name: known[name] for name in names if name in known}


def add_fields(value: object, lines: list[str]) -> None:
    """Add the fields of a class to a docstring that does not list them, before its sections."""
    heads = [i for i in range(len(lines) - 1) if lines[i] and set(lines[i + 1]) == {"-"}]
    listed = {lines[i] for i in heads} & {"Parameters", "Attributes"}
    if listed or not inspect.isclass(value) or not value.__module__.startswith("wellposed"):
        return
    found = fields(value)
    if any(found.values()):
        at = next((i for i in heads if lines[i] in SECTIONS), len(lines))
        rows = [f"{name} : {words}" if words else name for name, words in found.items()]
        lines[at:at] = ["Parameters", "----------", *rows, ""]
