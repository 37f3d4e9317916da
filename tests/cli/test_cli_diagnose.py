"""``wellposed diagnose``: the diagnosis of Python, on the screen and in files."""

import json

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
