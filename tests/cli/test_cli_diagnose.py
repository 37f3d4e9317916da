"""``wellposed diagnose``: the diagnosis of Python, on the screen and in files."""

import importlib
import json
import sys
from types import SimpleNamespace

import pytest
from cli_running import frame, run

import wellposed as wp


def test_it_prints_and_writes_what_python_says(fitted, tmp_path):
    page, record = tmp_path / "found.html", tmp_path / "found.json"
    options = ("--train", fitted.csv, "-o", page, "-o", record)
    said = run("diagnose", fitted.model, fitted.csv, *options).stdout
    expected = wp.diagnose(wp.load(fitted.model), frame(), frame())
    assert json.loads(record.read_text()) == json.loads(json.dumps(expected.to_dict()))
    assert page.read_text() == expected.to_html()
    for found in expected.findings:
        assert found.question in said
    assert f"Wrote {page}" in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-o", "found.pdf"), ".html"),
        (("--train", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_what_it_cannot_do_is_refused(fitted, options, words):
    assert words in run("diagnose", fitted.model, fitted.csv, *options, code=2).stderr


@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_a_report_takes_columns_of_text(tmp_path, monkeypatch):
    """The labels of a data set are not those of a frame."""
    made = []

    def make_report(*given):
        made.append(given)
        return SimpleNamespace(save=lambda *_, **__: None, diagnosis=SimpleNamespace(summary=""))

    rows = "\n".join(f"{i % 7},{'red' if i % 3 else 'blue'}" for i in range(60))
    (tmp_path / "rows.csv").write_text(f"size,colour\n{rows}\n")
    model = tmp_path / "m.wp"
    run("fit", tmp_path / "rows.csv", "-o", model, "--components", "1", "--max-epochs", "1")
    importlib.import_module("wellposed.cli.pages.report")
    page = sys.modules["wellposed.cli.pages.report"]  # the package has a function of this name
    monkeypatch.setattr(page, "make_report", make_report)
    run("report", model, tmp_path / "rows.csv", "-o", tmp_path / "r.html")
    ((_, rows, _, labels),) = made
    assert labels is None
    assert rows["colour"].nunique() == 2
