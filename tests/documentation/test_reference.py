"""The pages of the reference: each exported name has an example, and each example runs."""

import ast
import doctest
import importlib
import inspect
import re
from pathlib import Path

import numpy as np
import pytest

import wellposed

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "index.md"
(BLOCK,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
# Names that examples may use without defining them, as the page of the reference says.
SHARED = {"X", "kind", "vae", "model", "key"}


def uses_shared(source: str) -> bool:
    """Whether an example in the source uses a name of the page that it does not define."""
    for line in re.findall(r">>> (.*)", source):
        if SHARED & set(re.findall(r"\w+", line)):
            break
    else:
        return False
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = "".join(
                e.source
                for e in doctest.DocTestParser().get_examples(ast.get_docstring(node) or "")
            )
            names = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)]
            stored = {n.id for n in names if isinstance(n.ctx, ast.Store)}
            if SHARED & ({n.id for n in names} - stored):
                return True
    return False


def modules_with_shared_names() -> list[str]:
    """Modules of which an example needs the names of the page."""
    root = Path(wellposed.__file__).parents[1]
    found = []
    for path in sorted(root.glob("wellposed/**/*.py")):
        text = path.read_text(encoding="utf-8")
        if ">>> " in text and uses_shared(text):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            found.append(name.removesuffix(".__init__"))
    return found


def test_every_exported_name_shows_an_example(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    reference = importlib.import_module("reference")
    without = [
        f"{room}.{name}"
        for room in reference.rooms()
        for name, value in reference.exported(room).items()
        if reference.kind_of(value) != "Values" and ">>> " not in (inspect.getdoc(value) or "")
    ]
    assert not without


def test_every_constant_of_the_reference_has_a_description(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    reference = importlib.import_module("reference")
    described = {
        f"{room}.{name}": reference.description(room, name)
        for room in reference.rooms()
        for name, value in reference.exported(room).items()
        if reference.kind_of(value) == "Values"
    }
    assert described["wellposed.transforms.REALS"] == "Support of real numbers."
    assert not [name for name, text in described.items() if not text]


def test_a_statement_that_was_wrapped_is_one_line(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    reference = importlib.import_module("reference")
    start, rest = "folder : " + 80 * "a", "the same. A sentence"
    lines = ["Parameters", "----------", start, f"    {rest}", "n : int", "    number of rows"]
    lines += ["", "Returns", "-------", "a value of", "two lines", ""]
    reference.join_wrapped(lines)
    assert lines[2:6] == [f"{start} the same", "    A sentence", "n : int", "    number of rows"]
    assert ":returns: a value of two lines" in lines


def test_fields_of_a_record_have_the_words_beside_them(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))
    records = importlib.import_module("records")
    lines = ["Terms.", "", "Examples", "--------", ">>> 1", "1"]
    records.add_fields(wellposed.evaluation.Coverage, lines)
    assert lines[2:5] == [
        "Parameters",
        "----------",
        "levels : shape (4,): nominal coverage of the intervals",
    ]
    assert lines[-5:] == ["", "Examples", "--------", ">>> 1", "1"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_examples_with_the_names_of_the_page():
    shared: dict = {"np": np}
    exec(BLOCK, shared)
    given = {name: shared[name] for name in (*SHARED, "np")}
    modules = modules_with_shared_names()
    assert len(modules) > 20
    failed = {}
    for name in modules:
        result = doctest.testmod(importlib.import_module(name), extraglobs=given)
        if result.failed:
            failed[name] = result
    assert not failed
