"""The examination of an installation, and the licences of what it needs."""

import dataclasses
import json
import re
import sys
from pathlib import Path

import pytest

import wellposed as wp
from wellposed import installation
from wellposed.installation import _doctor, _facts, _packages, _self_test

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def examined():
    return wp.doctor()


def test_every_figure_is_as_expected_and_the_page_names_it(examined):
    assert [check.name for check in examined.checks if not check.passed] == []
    assert examined.sound, examined.problems
    text = str(examined)
    assert "-159.9937" in text
    assert "All figures are as expected" in text
    for name in ("jaxlib", "numpy", "compiled programs", "cpu:0", "flow"):
        assert name in text
    assert json.loads(json.dumps(examined.to_dict()))["sound"] is True


def test_figures_differ_where_something_is_wrong(monkeypatch):
    """Each check sees the fault that it is for: other rows, other formulas, another decoder."""
    digits = _self_test._Digits()
    digits.variance *= 1.01
    expected, found, tolerance = _self_test._by_elbo(digits)
    assert abs(found - expected) < tolerance  # both sides follow the model
    digits.loadings = digits.loadings[::-1]
    expected, found, tolerance = _self_test._by_importance(digits)
    assert abs(found - expected) > tolerance
    monkeypatch.setattr(_self_test, "LOG_P", _self_test.LOG_P + 0.01)
    assert abs(_self_test._by_formula(_self_test._Digits())[1] - _self_test.LOG_P) > 1e-3


def test_what_differs_or_fails_is_a_problem_with_its_remedy(monkeypatch):
    def broken(_):
        raise RuntimeError("no device")

    plans = (
        _self_test._Plan("one", lambda _: (1.0, 2.0, 0.5), "Do this."),
        _self_test._Plan("two", broken, "Do that."),
        _self_test._Plan("three", lambda _: (1.0, float("nan"), 0.5), "Do both."),
    )
    monkeypatch.setattr(_self_test, "_PLANS", plans)
    found = wp.doctor()
    assert not found.sound
    one, two, three = found.problems
    assert one == "one: must be 1 to within 0.5; got 2. Do this."
    assert two == "two: it could not be computed (RuntimeError: no device). Do that."
    assert "got nan. Do both." in three
    assert "cannot tell" in str(found)
    assert "All figures" not in str(found)


def test_a_package_that_is_missing_or_too_old_is_a_problem(monkeypatch):
    lines = [
        _packages.Requirement("numpy", ">=999.1", None),
        _packages.Requirement("no-such-package", ">=1", None),
        _packages.Requirement("scipy", ">=1", None),
    ]
    monkeypatch.setattr(_facts, "requirements", lambda: lines)
    rows, problems = _facts.packages()
    assert [row["package"] for row in rows][2:] == ["numpy", "no-such-package", "scipy", "jaxlib"]
    assert len(problems) == 2
    assert re.search(r"numpy must be >=999\.1; got .*pip install 'numpy>=999\.1'", problems[0])
    assert "no-such-package must be >=1; got none" in problems[1]


def test_the_page_names_what_is_broken_where_jax_is(monkeypatch):
    def broken():
        raise AttributeError("module 'jax' has no attribute 'devices'")

    monkeypatch.setattr(_facts, "devices", broken)
    monkeypatch.setitem(sys.modules, "wellposed.evaluation", None)
    found = wp.doctor(self_test=False)
    assert not found.sound
    assert "cannot tell (AttributeError: module 'jax' has no attribute 'devices')" in str(found)
    assert "Run `pip install --upgrade jax" in found.problems[-1]


def test_without_the_self_test_nothing_is_called_as_expected():
    found = wp.doctor(self_test=False)
    assert not found.checks
    assert "not run" in str(dataclasses.replace(found, problems=()))


def test_the_command_ends_with_one_where_a_figure_differs(monkeypatch):
    from typer.testing import CliRunner

    from wellposed.cli import app

    def run(*arguments, code=0):
        found = CliRunner().invoke(app, ["doctor", *arguments])
        assert found.exit_code == code, found.output
        return found.output

    nothing = _doctor.Checkup((), (), (), (), (), checks=(), problems=("A: must be 1.",))
    monkeypatch.setattr(installation, "doctor", lambda **_: nothing)
    assert "A: must be 1." in run(code=1)
    sound = dataclasses.replace(nothing, problems=())
    monkeypatch.setattr(installation, "doctor", lambda **_: sound)
    run("--no-self-test")
    assert "numpyro                 Apache-2.0" in run("--licences")


def declared() -> list[str]:
    """Names in pyproject.toml of what users install: the core and the extras for users."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for e in installation.EXTRAS for line in extras[e])]
    names = {re.match(r"[A-Za-z0-9._-]+", line)[0] for line in lines}
    return sorted(names - {"wellposed"})


@pytest.mark.parametrize("name", declared())
def test_each_declared_dependency_has_a_permissive_licence(name):
    from wellposed.installation._licences import licence_of

    if _packages.installed(name) is None:
        pytest.skip(f"{name} is not installed")
    assert installation.is_permissive(licence_of(name)), licence_of(name)


@pytest.mark.parametrize(
    ("licence", "permissive"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("LGPL-2.1-or-later OR Apache-2.0", True),
        ("MIT AND (BSD-3-Clause OR GPL-2.0-only)", True),
        ("(MIT OR Apache-2.0) AND GPL-3.0-only", False),
        ("not stated", False),
    ],
)
def test_what_is_permissive(licence, permissive):
    assert installation.is_permissive(licence) is permissive


def test_the_citation_is_of_this_version_and_licence():
    text = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {wp.__version__}\n" in text
    assert "\nlicense: Apache-2.0\n" in text
