"""Outliers on the command line: the rows that Python flags, and the cells that are wrong."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from cli_running import run

import wellposed as wp

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


def test_a_rate_out_of_range_and_a_detector_of_halves_are_refused(tmp_path):
    data = written(tmp_path / "data.csv", WHOLE[:50])
    assert "--alpha must be" in run("outliers", data, "--alpha", 2, code=2).stderr
    assert "Pass NEW" in run("outliers", data, "--save", tmp_path / "m.wp", code=2).stderr
