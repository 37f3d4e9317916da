"""Empty cells on the command line: filled as in Python, full cells as they were."""

import csv
import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cli_running import run

import wellposed as wp
from wellposed.estimators.imputation import vae as imputation

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")

RNG = np.random.default_rng(0)
X = np.round(np.repeat(RNG.normal(20, 5, size=(80, 1)), 3, axis=1) + RNG.normal(size=(80, 3)))
GAPS = np.where(RNG.random(X.shape) < 0.15, np.nan, X)
TABLE = pd.DataFrame(GAPS, columns=["a", "b", "c"])
SMALL = wp.VAE(1, hidden=(8,), max_epochs=2)


def read(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """A table of whole numbers with empty cells, and an imputer of it."""
    folder = tmp_path_factory.mktemp("impute")
    TABLE.astype("Int64").to_csv(folder / "numbers.csv", index=False)
    imputer = wp.VAEImputer(SMALL, n_models=1, random_state=0).fit(folder / "numbers.csv")
    imputer.save(folder / "imputer.wp")
    return folder, imputer


def test_cells_are_filled_as_in_python_and_full_ones_kept(numbers, tmp_path):
    folder, imputer = numbers
    filled = tmp_path / "filled.csv"
    said = run("impute", folder / "numbers.csv", "-m", folder / "imputer.wp", "-o", filled).stderr
    gaps = np.isnan(GAPS)
    assert f"{gaps.sum()} of 240 cells are filled, in {gaps.any(axis=1).sum()} of 80 rows" in said
    names, *cells = read(filled)
    assert names == ["a", "b", "c"]
    np.testing.assert_array_equal(np.array(cells, float), imputer.transform(TABLE))
    before = [line.split(",") for line in (folder / "numbers.csv").read_text().splitlines()[1:]]
    pairs = zip(itertools.chain(*cells), itertools.chain(*before), strict=True)
    kept = [filled == full for filled, full in pairs if full]
    assert all(kept)
    assert len(kept) == (~gaps).sum()


def test_draws_are_numbered_copies(numbers, tmp_path):
    folder, imputer = numbers
    given = "impute", folder / "numbers.csv", "-m", folder / "imputer.wp", "--draws", 3
    run(*given, "--seed", 4, "-o", tmp_path / "draws.csv")
    names, *cells = read(tmp_path / "draws.csv")
    assert names == ["draw", "a", "b", "c"]
    values = np.array(cells, float)
    np.testing.assert_array_equal(values[:, 0], np.repeat([0, 1, 2], 80))
    np.testing.assert_array_equal(values[:, 1:].reshape(3, 80, 3), imputer.draw(TABLE, 3, 4))
    run(*given, "--seed", 4, "-o", tmp_path / "draws.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "draws.npy"), imputer.draw(TABLE, 3, 4))


def test_text_stays_text(tmp_path):
    frame = pd.DataFrame({"x": GAPS[:, 0], "sort": np.where(X[:, 1] > 20, "high", "low")})
    frame.loc[3, "sort"] = None
    frame.to_csv(tmp_path / "data.csv", index=False)
    imputer = wp.VAEImputer(SMALL, n_models=1, random_state=0).fit(frame)
    imputer.save(tmp_path / "imputer.wp")
    given = "impute", tmp_path / "data.csv", "--model", tmp_path / "imputer.wp", "-o"
    run(*given, tmp_path / "filled.csv")
    expected: Any = imputer.transform(frame)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "filled.csv"), expected)
    assert "Write a .csv file" in run(*given, tmp_path / "filled.npy", code=2).stderr


def test_what_fits_nothing_saves_and_judges_nothing(numbers, tmp_path):
    folder, _ = numbers
    given = "impute", folder / "numbers.csv", "-m", folder / "imputer.wp"
    assert "--save needs a fit" in run(*given, "--save", tmp_path / "b.wp", code=2).stderr
    assert "--holdout needs a fit" in run(*given, "--holdout", code=2).stderr


@pytest.fixture
def short(monkeypatch):
    """The default of imputers, with two epochs of a small network."""
    for name, value in {"hidden": (8,), "max_epochs": 2, "validation_folds": 0}.items():
        monkeypatch.setitem(imputation._DEFAULTS, name, value)
    monkeypatch.setattr(imputation, "_MOST_MODELS", 1)


def test_the_default_is_that_of_python(numbers, short, tmp_path):
    folder, _ = numbers
    run("impute", folder / "numbers.csv", "-o", tmp_path / "filled.csv")
    filled = np.array(read(tmp_path / "filled.csv")[1:], float)
    np.testing.assert_array_equal(filled, wp.VAEImputer(random_state=0).fit_transform(TABLE))


def test_a_column_is_what_it_is_said_to_be(numbers, short, tmp_path):
    """As with `Schema.replace`; what is filled is a level, and the imputer of a file knows it."""
    folder, _ = numbers
    given = "impute", folder / "numbers.csv"
    run(*given, "--column", "c=category", "--save", tmp_path / "a.wp", "-o", tmp_path / "a.csv")
    schema = wp.Schema.of(TABLE).replace("c", kind="category")
    own = wp.VAEImputer(imputation.default_vae(len(TABLE), noise=schema), random_state=0)
    expected: Any = own.fit_transform(TABLE)
    filled = pd.read_csv(tmp_path / "a.csv")
    pd.testing.assert_frame_equal(filled, expected, check_dtype=False)
    assert set(filled["c"]) <= set(TABLE["c"].dropna())
    run(*given, "--model", tmp_path / "a.wp", "-o", tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    said = run(*given, "--model", tmp_path / "a.wp", "--column", "c=real", code=2).stderr
    assert "--column needs a fit; got --column with --model" in said


@pytest.mark.slow
def test_a_fit_fills_better_than_the_mean_and_is_kept(numbers, tmp_path):
    folder, _ = numbers
    data, model = folder / "numbers.csv", tmp_path / "kept.wp"
    said = run("impute", data, "--holdout", "--save", model, "-o", tmp_path / "a.csv").stderr
    row = next(line for line in said.splitlines() if line.startswith("RMSE, standard"))
    own, mean = map(float, row.split()[3:5])
    assert own < 0.7 * mean
    run("impute", data, "--model", model, "-o", tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
