"""Commands on tables with columns of text."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from cli_running import SMALL, run

import wellposed as wp

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    draws = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "x": draws.normal(size=60).round(3),
            "city": draws.choice(["Oslo", "Rome, Italy", "Bern"], 60),
            "day": pd.Timestamp("2024-02-01") + pd.to_timedelta(draws.integers(0, 90, 60), "D"),
            "n": draws.poisson(3, 60),
        }
    )
    path, model = folder / "table.csv", folder / "model.wp"
    frame.to_csv(path, index=False)
    result = run("fit", path, "-o", model, *SMALL)
    return path, model, result


def test_fit_prints_what_each_column_is_taken_for(fitted):
    printed = fitted[2].stdout
    assert "city" in printed
    assert "3 texts: Bern, Oslo, Rome, Italy" in printed


def test_draws_are_tables_of_the_same_columns(fitted):
    _, model, _ = fitted
    rows = list(csv.reader(io.StringIO(run("sample", model, "-n", "5").stdout)))
    assert rows[0] == ["x", "city", "day", "n"]
    expected = wp.load(model).sample(5)
    assert [row[1] for row in rows[1:]] == expected["city"].tolist()
    assert [int(row[3]) for row in rows[1:]] == expected["n"].tolist()


def test_scores_and_codes_are_those_of_python(fitted, tmp_path):
    path, model, _ = fitted
    scores = pd.read_csv(io.StringIO(run("score", model, path, "--samples", "20").stdout))
    expected = wp.load(model).score_samples(path, 20)
    np.testing.assert_array_equal(scores["log_p"].astype(np.float32), expected)
    run("encode", model, path, "-o", tmp_path / "z.csv")
    run("decode", model, tmp_path / "z.csv", "-o", tmp_path / "rows.csv")
    decoded = pd.read_csv(tmp_path / "rows.csv")
    assert set(decoded["city"]) <= {"Oslo", "Rome, Italy", "Bern"}


def test_an_array_file_of_text_is_refused(fitted, tmp_path):
    _, model, _ = fitted
    said = run("sample", model, "-o", tmp_path / "draws.npy", code=2).stderr
    assert "Write a .csv file" in said


def test_gaps_are_fitted_where_they_are_ignorable(tmp_path):
    draws = np.random.default_rng(0)
    frame = pd.DataFrame({"x": draws.normal(size=60), "city": draws.choice(["Oslo", "Bern"], 60)})
    frame.loc[:5, "x"] = np.nan
    frame.loc[3:9, "city"] = "?"
    path, model = tmp_path / "gaps.csv", tmp_path / "model.wp"
    frame.to_csv(path, index=False)
    assert 'missing="ignorable"' in run("fit", path, "-o", model, *SMALL, code=2).stderr
    run("fit", path, "-o", model, *SMALL, "--missing", "ignorable")
    draws = pd.read_csv(io.StringIO(run("sample", model, "-n", "9").stdout))
    assert set(draws["city"]) <= {"Oslo", "Bern"}


@pytest.mark.slow
def test_a_batch_is_given(tmp_path):
    rng = np.random.default_rng(0)
    batch, x = rng.choice(["one", "two"], size=60), rng.normal(size=(60, 2)).round(2)
    path, model = tmp_path / "table.csv", tmp_path / "model.wp"
    lines = [f"{a},{b},{c}" for (a, c), b in zip(x, batch, strict=True)]
    path.write_text("u,batch,v\n" + "\n".join(lines) + "\n")
    fitted = run("fit", path, "-o", model, *SMALL, "--covariates", "batch:category")
    assert "batch: one, two" in fitted.output
    run("score", model, path)
    drawn = run("sample", model, "-n", "3", "--at", "batch=two").stdout.splitlines()
    assert drawn[0] == "u,batch,v"
    assert all(line.split(",")[1] == "two" for line in drawn[1:])
    run("encode", model, path, "-o", tmp_path / "z.csv")
    moved = run("decode", model, tmp_path / "z.csv", "--at", "batch=one").stdout.splitlines()
    assert len(moved) == 61
    assert all(line.split(",")[1] == "one" for line in moved[1:])
    for wrong in ("batch", "site=one", "batch=three"):
        assert run("sample", model, "--at", wrong, code=2).stderr.count("\n") == 1
    assert "covariates=" in run("decode", model, tmp_path / "z.csv", code=2).stderr


def test_a_column_gets_the_kind_and_the_noise_that_it_is_given(fitted, tmp_path):
    """As `Schema.replace` sets them, also where all columns are numbers."""
    path, _, _ = fitted
    given = ("--column", "n=real", "--column", "x=student-t", "-o", tmp_path / "a.wp")
    run("fit", path, *given, *SMALL)
    schema = wp.load(tmp_path / "a.wp").schema_
    assert (schema["n"].kind, schema["x"].kind, schema["x"].noise) == ("real", "real", "student-t")
    frame = pd.read_csv(path)[["x", "n"]]
    frame.to_csv(tmp_path / "numbers.csv", index=False)
    run("fit", tmp_path / "numbers.csv", "--column", "n=category", "-o", tmp_path / "b.wp", *SMALL)
    model = wp.load(tmp_path / "b.wp")
    assert (model.schema_["n"].kind, model.schema_["x"].kind) == ("category", "real")
    scores = pd.read_csv(
        io.StringIO(run("score", tmp_path / "b.wp", tmp_path / "numbers.csv").stdout)
    )
    np.testing.assert_array_equal(scores["log_p"].astype(np.float32), model.score_samples(frame))


def test_a_column_that_is_not_there_and_noise_of_all_are_refused(fitted, tmp_path):
    given = ("fit", fitted[0], "-o", tmp_path / "c.wp", "--column")
    said = run(*given, "n=reel", code=2).stderr
    assert "Did you mean 'real'?" in said
    assert said.count("log-normal") == 1
    assert run(*given, "n=2024", "--column", "n=xqv", code=2).stderr.count("log-normal") == 1
    assert "got 'm'" in run(*given, "m=real", code=2).stderr
    assert "--noise" in run(*given, "n=real", "--noise", "feature", code=2).stderr
