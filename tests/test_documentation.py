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


def test_the_example_of_the_readme(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
    names: dict = {}
    with pytest.warns(wellposed.ConstantFeatureWarning):
        exec(code, names)
    log_p, bound, variance = map(float, capsys.readouterr().out.split())
    assert bound < log_p
    assert 0 < variance < 1
    np.testing.assert_array_equal(
        names["again"].transform(names["X"]), names["vae"].transform(names["X"])
    )


def test_every_name_at_the_front_door_is_there():
    for name in wellposed.__all__:
        assert getattr(wellposed, name) is not None
    with pytest.raises(AttributeError, match="vae"):
        wellposed.vae  # noqa: B018
