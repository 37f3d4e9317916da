"""A conditional VAE of a source: levels and scales of covariates are those of all rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

import wellposed as wp
from wellposed.estimators.streamed import fit
from wellposed.sources import ArraySource, _order, open_source

DATA = load_breast_cancer()
SETTINGS = {"hidden": (16,), "max_epochs": 3, "noise": "feature", "random_state": 0}
NAMES = ["radius", "texture", "malignant", "smoothness", "site"]
pytestmark = pytest.mark.filterwarnings(
    "ignore::wellposed.TrainingWarning",
    "ignore::wellposed.DataWarning",
    "ignore::wellposed.FloorWarning",
)


def rows():
    """Three measurements, the label, and a site of three, one of which has a single row."""
    values = DATA.data.astype(np.float64)
    site = np.where(np.arange(len(values)) % 3 == 0, 10.0, 20.0)
    site[400] = 30.0
    return np.column_stack([values[:, :2], DATA.target, values[:, 4], site])


@pytest.fixture
def few_kept(monkeypatch):
    """A sample of 60 rows for the start, and chunks of 128."""
    monkeypatch.setattr(fit, "_MOST_KEPT", 60)
    monkeypatch.setattr(_order, "_MOST_ROWS", 128)


def test_levels_and_scales_are_those_of_all_rows(few_kept):
    X = rows()
    given = {2: "category", 3: "number", 4: "category"}
    vae = wp.VAE(2, covariates=given, **SETTINGS).fit(ArraySource(X, block_rows=64))
    label, smoothness, site = vae.covariates_.columns
    assert label.levels == (0, 1)
    assert site.levels == (10, 20, 30)
    assert smoothness.mean == pytest.approx(X[:, 3].mean())
    assert smoothness.scale == pytest.approx(X[:, 3].std())
    assert vae.n_features_in_ == 2
    kept = vae.covariates_.rows
    assert len(kept) < 150
    assert vae.covariates_.is_sound


def test_scores_and_latents_of_blocks_are_those_of_rows_in_memory(few_kept, tmp_path):
    frame = pd.DataFrame(rows(), columns=NAMES)
    frame.to_parquet(tmp_path / "rows.parquet", row_group_size=100)
    source = open_source(tmp_path / "rows.parquet")
    vae = wp.VAE(2, covariates={"malignant": "category", "smoothness": None}, **SETTINGS)
    vae.fit(source)
    assert vae.covariates_.names == ("malignant", "smoothness")
    scores = vae.score_samples(source, 4, "encoder")
    assert np.array_equal(scores, vae.score_samples(frame, 4, "encoder"))
    assert np.array_equal(vae.transform(source), vae.transform(frame))
    vae.save(tmp_path / "model.wp")
    again = wp.load(tmp_path / "model.wp")
    assert np.array_equal(again.transform(source), vae.transform(source))


@pytest.mark.slow
def test_a_fit_in_blocks_uses_the_covariates_as_one_in_memory_does():
    """log p(x | c) rises with the label by as much, within the noise of the training."""
    X = rows()[:, :4]
    settings = SETTINGS | {"max_epochs": 60, "patience": None}
    given = {2: "category", 3: "number"}
    values = {}
    for name, data in (("memory", X), ("blocks", ArraySource(X, block_rows=64))):
        vae = wp.VAE(2, covariates=given, **settings).fit(data)
        right = vae.elbo(X, 16).mean()
        wrong = vae.elbo(np.column_stack([X[:, :2], 1 - X[:, 2], X[:, 3]]), 16).mean()
        values[name] = right, right - wrong
    memory, blocks = values["memory"], values["blocks"]
    assert memory[1] > 0.5
    np.testing.assert_allclose(blocks, memory, rtol=0.25, atol=0.1)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["age"], "must be a column of X"),
        ([0, 1, 2, 3, 4], "all 5 are covariates"),
        ({0: "category"}, "at most 256 levels"),
    ],
)
def test_covariates_that_cannot_be_are_refused(given, words):
    with pytest.raises(wp.DataError, match=words):
        wp.VAE(2, covariates=given, **SETTINGS).fit(ArraySource(rows()))


def test_a_level_without_a_row_in_the_fit_is_refused():
    X = rows()
    vae = wp.VAE(2, covariates={4: "category"}, **SETTINGS).fit(ArraySource(X))
    X[7, 4] = 40.0
    with pytest.raises(wp.DataError, match=r"40\.0 at row 7"):
        vae.score_samples(ArraySource(X))


def test_pieces_that_follow_one_another_are_refused():
    with pytest.raises(wp.SettingError, match="Use fit, which reads the levels of all rows"):
        wp.VAE(2, covariates=[4], **SETTINGS).partial_fit(ArraySource(rows()))
