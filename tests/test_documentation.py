"""What the documentation shows runs."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest

import wellposed

README = Path(__file__).resolve().parents[1] / "README.md"
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(wellposed.__path__, "wellposed.")
    if not module.name.endswith("__main__")
)


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    module = importlib.import_module(name)
    result = doctest.testmod(module, extraglobs={"np": np})
    assert result.failed == 0


@pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning")
def test_the_examples_of_the_readme(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shown = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
    fit_and_score, before_and_after = shown
    names: dict = {}
    exec(fit_and_score, names)
    log_p, bound, variance = map(float, capsys.readouterr().out.split())
    assert bound < log_p
    assert 0 < variance < 1
    np.testing.assert_array_equal(
        names["again"].transform(names["X"]), names["vae"].transform(names["X"])
    )
    exec(before_and_after, names)
    forecast, implied, linear, collapse, residual = capsys.readouterr().out.splitlines()
    assert "10 of 20 latents live" in forecast
    assert "σ² = 32" in implied
    exact, elbo = map(float, linear.split())
    assert exact == pytest.approx(elbo, rel=1e-9)
    assert exact == pytest.approx(-159.99, abs=0.005)
    assert "of 10 latents" in collapse
    assert "βσ²" in residual


def test_every_name_at_the_front_door_is_there():
    for name in wellposed.__all__:
        assert getattr(wellposed, name) is not None
    with pytest.raises(AttributeError, match="vae"):
        wellposed.vae  # noqa: B018
