"""Outliers on the command line: the rows that Python flags, and the cells that are wrong."""

import csv
import inspect
import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cli_running import run

import wellposed as wp
from wellposed.cli._outliers import outliers
from wellposed.estimators.outliers.outlier_vae import default_vae

RNG = np.random.default_rng(0)
WHOLE = np.repeat(RNG.normal(size=(700, 1)), 4, axis=1) + 0.2 * RNG.normal(size=(700, 4))


def written(path, values):
    np.savetxt(path, values, "%.6f", ",", header="a,b,c,d", comments="")
    return path


def columns(text):
    rows = list(csv.DictReader(io.StringIO(text)))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.mark.slow
def test_wrong_cells_are_found_in_new_rows_and_in_the_rows_themselves(tmp_path):
    new = WHOLE[:60].copy()
    new[7, 2] += 4.0
    data, other = written(tmp_path / "data.csv", WHOLE), written(tmp_path / "new.csv", new)
    model = tmp_path / "detector.wp"
    found = run("outliers", data, other, "--max-epochs", 5, "--save", model)
    table = columns(found.stdout)
    assert len(table["p_value"]) == 60
    assert table["outlier"][7] == 1
    loaded = wp.load(model)
    judged = pd.DataFrame(np.round(new, 6), columns=list("abcd"))
    np.testing.assert_allclose(loaded.p_values(judged), table["p_value"], atol=0.02)
    assert "row 7: " in found.stderr
    assert "c is" in found.stderr
    itself = run("outliers", other, "--max-epochs", 5, "--alpha", 0.2)
    assert columns(itself.stdout)["outlier"][7] == 1


def test_empty_cells_are_refused_or_ignorable(tmp_path):
    """Two hundred rows are judged, a tenth of whose cells are empty."""
    gaps = np.where(RNG.random((200, 4)) < 0.1, np.nan, WHOLE[:200])
    data = written(tmp_path / "data.csv", gaps)
    assert "--missing" in run("outliers", "--help").stdout
    run("outliers", data, "--max-epochs", 1, "--alpha", 0.2, code=2)
    found = run("outliers", data, "--max-epochs", 1, "--alpha", 0.2, "--missing", "ignorable")
    assert len(columns(found.stdout)["p_value"]) == 200


def test_the_default_is_that_of_python():
    default = inspect.signature(outliers).parameters["max_epochs"].default
    assert default_vae(max_epochs=default).get_params() == default_vae().get_params()


@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
@pytest.mark.parametrize("given", [(), ("--missing", "ignorable", "--column", "d=category")])
def test_new_rows_are_judged_as_in_python(given, tmp_path):
    rows = WHOLE[:260].copy()
    rows[:, 3] = np.round(rows[:, 3]).clip(-1, 1)
    data, new = written(tmp_path / "data.csv", rows[:200]), written(tmp_path / "b.csv", rows[200:])
    found = run("outliers", data, new, "--max-epochs", 2, "--alpha", 0.1, "--explain", 0, *given)
    fitted, judged = pd.read_csv(data), pd.read_csv(new)
    schema = wp.Schema.of(fitted).replace("d", kind="category")
    changes: dict[str, Any] = {"missing": "ignorable", "noise": schema} if given else {}
    detector = wp.OutlierVAE(default_vae(max_epochs=2, **changes), random_state=0).fit(fitted)
    table = columns(found.stdout)
    np.testing.assert_array_equal(table["score"], detector.score_samples(judged))
    np.testing.assert_array_equal(table["p_value"], detector.p_values(judged))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_the_schema_of_both_halves_is_that_of_the_table(tmp_path):
    """One row has a level of its own; and the numbers of a column left out have no influence."""
    rows = WHOLE[:120].copy()
    rows[:, 2] = np.arange(120) % 3
    rows[7, 2] = 5
    kinds = ("--column", "c=category", "--column", "d=identifier", "--explain", 0)
    printed = []
    for last in (rows[:, 3], rows[::-1, 3]):
        data = written(tmp_path / "data.csv", np.column_stack([rows[:, :3], last]))
        printed.append(run("outliers", data, "--max-epochs", 1, "--alpha", 0.2, *kinds).stdout)
    assert len(columns(printed[0])["p_value"]) == 120
    assert printed[0] == printed[1]


def test_a_rate_out_of_range_and_a_detector_of_halves_are_refused(tmp_path):
    data = written(tmp_path / "data.csv", WHOLE[:50])
    assert "--alpha must be" in run("outliers", data, "--alpha", 2, code=2).stderr
    assert "Pass NEW" in run("outliers", data, "--save", tmp_path / "m.wp", code=2).stderr
