"""Data that are read in blocks, on the command line."""

import numpy as np
import pytest
from cli_running import SMALL, run

import wellposed as wp


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blocks")
    rows = np.random.default_rng(0).normal(size=(300, 3))
    np.save(folder / "rows.npy", rows)
    found = run("fit", folder / "rows.npy", "-o", folder / "model.wp", "--blocks", *SMALL)
    assert "300" in found.stdout
    return folder


def test_scores_of_blocks_are_those_of_the_rows_in_memory(files):
    command = ("score", files / "model.wp", files / "rows.npy", "--blocks", "--samples", "16")
    run(*command, "-o", files / "values.npy")
    rows = np.load(files / "rows.npy")
    values = wp.load(files / "model.wp").score_samples(rows, n_samples=16)
    assert np.array_equal(np.load(files / "values.npy"), values)


def test_exact_models_score_blocks_too(files):
    ppca = wp.PPCA(2).fit(np.load(files / "rows.npy"))
    ppca.save(files / "ppca.wp")
    command = (
        "score",
        files / "ppca.wp",
        files / "rows.npy",
        "--blocks",
        "-o",
        files / "exact.npy",
    )
    run(*command)
    assert np.array_equal(
        np.load(files / "exact.npy"), ppca.score_samples(np.load(files / "rows.npy"))
    )
    found = run(*command, "--force", "--method", "ais", code=2)
    assert "exact log p(x)" in " ".join(found.output.split())


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("score", "model.wp", "rows.npy", "--blocks"), "--output"),
        (("fit", "rows.npy", "-o", "x.wp", "--blocks", "--drop", "a"), "--drop is for tables"),
        (("score", "model.wp", "rows.npy", "--blocks", "-o", "x.csv"), "parquet"),
    ],
)
def test_what_blocks_cannot_have_is_refused(files, command, words, monkeypatch):
    monkeypatch.chdir(files)
    found = run(*command, code=2)
    assert words in " ".join(found.output.split())
