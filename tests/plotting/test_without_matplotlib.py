"""Without matplotlib all but figures works, and what needs one says what to install, at once."""

import importlib.util
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import wellposed as wp
from wellposed.cli import app
from wellposed.experiments.reproduce import reproduce
from wellposed.plotting import canvas

REMEDY = r"needs matplotlib, which is not installed. Run `pip install 'wellposed\[plot\]'`."


@pytest.fixture
def absent(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)


@pytest.mark.usefixtures("absent")
def test_the_classes_of_figures_can_be_named_and_not_made():
    spec = importlib.util.spec_from_file_location("canvas_without", canvas.__file__)
    bare = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bare)
    assert bare.Figure | None
    for part in (bare.Figure, bare.Axes, bare.Rectangle, bare.MaxNLocator):
        with pytest.raises(wp.SettingError, match=f"A figure {REMEDY}"):
            part((5.0, 4.0), layout="constrained")


@pytest.mark.usefixtures("absent")
@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda folder: wp.report(None, None), "A report"),
        (lambda folder: wp.experiments.figures(folder), "A figure"),
        (lambda folder: reproduce("thesis", folder), "A reproduction"),
    ],
)
def test_what_draws_refuses_before_it_works(tmp_path, make, what):
    with pytest.raises(wp.SettingError, match=f"{what} {REMEDY}"):
        make(tmp_path)
    assert not any(tmp_path.iterdir())


@pytest.mark.usefixtures("absent")
@pytest.mark.parametrize(
    "command",
    [
        "demo --out {0}/demo",
        "report no.wp no.csv -o {0}/page.html",
        "forecast {1} --components 1 -o {0}/forecast.png",
    ],
)
def test_commands_refuse_with_a_line(tmp_path, tmp_path_factory, command):
    rows = tmp_path_factory.mktemp("rows") / "rows.csv"
    rows.write_text("1,2\n2,3\n4,1\n")
    found = CliRunner().invoke(app, command.format(tmp_path, rows).split())
    assert found.exit_code == 2
    assert "pip install 'wellposed[plot]'" in found.output.replace("\n", " ")
    assert not any(tmp_path.iterdir())


@pytest.mark.slow
def test_the_library_is_imported_and_works_without_matplotlib():
    script = """
import sys
sys.modules["matplotlib"] = None
from wellposed import *
import numpy as np
import wellposed as wp
X = wp.datasets.load_digits().values[:, 10:14]
assert np.isfinite(wp.PPCA(2).fit(X).score(X))
result = wp.forecast(X, n_components=2)
assert "<table" in result._repr_html_() and str(result)
try:
    plotting.rates([1.0, 2.0])
except wp.SettingError as error:
    print(error)
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "Run `pip install 'wellposed[plot]'`." in found.stdout, found.stderr
