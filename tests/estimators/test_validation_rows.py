"""The rows that choose the epoch, folds of few rows, and weights, from the estimator."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_wine

import wellposed as wp
from wellposed._errors import DataError, SettingError
from wellposed.estimators.data.weights import repeat_rows
from wellposed.estimators.start.settings import folds_of

WINE = load_wine().data[::2]
SMALL = {"n_components": 2, "hidden": (8,), "random_state": 0, "progress": False}
SMALL |= {"noise": "shared", "prior": "standard"}  # few programs to compile
SHORT = SMALL | {"max_epochs": 3, "patience": None, "validation_folds": 0}
pytestmark = pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")


def test_a_row_of_weight_zero_is_left_out():
    weights = np.ones(len(WINE))
    weights[::3] = 0.0
    weighted = wp.VAE(**SHORT).fit(WINE, sample_weight=weights)
    with_ones = wp.VAE(**SHORT).fit(WINE[weights > 0], sample_weight=np.ones((weights > 0).sum()))
    assert_array_equal(weighted.elbo(WINE), with_ones.elbo(WINE))


def test_the_scale_of_the_weights_does_not_matter():
    weights = np.random.default_rng(0).gamma(2.0, size=len(WINE))
    one, other = (wp.VAE(**SHORT).fit(WINE, sample_weight=c * weights) for c in (1.0, 64.0))
    assert_allclose(one.elbo(WINE), other.elbo(WINE), rtol=1e-4)


@pytest.mark.slow
def test_a_weighted_sample_of_another_population_recovers_it():
    """Rows of two clusters, weighted to three parts of one: the draws are three parts of it."""
    rng = np.random.default_rng(0)
    centres = np.repeat([[-4.0, 0.0], [4.0, 0.0]], 200, axis=0)
    X = centres + rng.normal(size=centres.shape)
    weights = np.repeat([3.0, 1.0], 200)
    settings = {"hidden": (16,), "random_state": 0, "progress": False, "max_epochs": 60}
    vae = wp.VAE(1, **settings).fit(X, sample_weight=weights)
    share = (vae.sample(4_000)[:, 0] < 0).mean()
    assert share == pytest.approx(0.75, abs=0.06)
    assert (wp.VAE(1, **settings).fit(X).sample(4_000)[:, 0] < 0).mean() == pytest.approx(
        0.5, abs=0.06
    )


def test_rows_are_repeated_in_proportion_to_their_weights():
    weights = np.random.default_rng(0).gamma(1.0, size=500)
    weights /= weights.mean()
    counts = np.bincount(repeat_rows(np.arange(500), weights), minlength=500)
    assert counts.sum() == 500
    assert (np.abs(counts - weights) < 1).all()
    assert_array_equal(repeat_rows(np.arange(5), np.full(5, 0.3)), np.arange(5))


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.ones(3), r"shape \(89,\); got shape \(3,\)"),
        (np.r_[-1.0, np.ones(88)], "row 0 has -1.0"),
        (np.r_[np.ones(88), np.nan], "row 88 has nan"),
        (np.r_[1.0, np.zeros(88)], "At least two rows"),
        (["a"] * 89, "must be numbers"),
    ],
)
def test_weights_that_are_none_are_refused(weights, words):
    with pytest.raises(DataError, match=words):
        wp.VAE(**SHORT).fit(WINE, sample_weight=weights)


def test_gaps_in_rows_of_weight_zero_are_refused():
    gaps = WINE.copy()
    gaps[0, 0] = np.nan
    with pytest.raises(DataError, match="finite"):
        wp.VAE(**SHORT).fit(gaps, sample_weight=np.r_[0.0, np.ones(88)])
    ignorable = wp.VAE(**SHORT, missing="ignorable")
    ignorable.fit(gaps, sample_weight=np.r_[2.0, np.ones(88)])
    assert np.isfinite(ignorable.elbo(gaps[:2])).all()


def test_rows_given_to_hold_out_choose_the_epoch():
    """All rows of X are trained on: what is held out is X_val alone."""
    train, val = WINE[:60], WINE[60:]
    settings = SMALL | {"max_epochs": 40, "patience": None}
    vae = wp.VAE(**settings).fit(train, X_val=val)
    far = wp.VAE(**settings).fit(train, X_val=val + 50 * train.std(axis=0))
    assert_array_equal(vae.history_["objective"], far.history_["objective"])
    held = vae.history_["held_out_objective"]
    assert (held > far.history_["held_out_objective"]).all()
    assert vae.best_epoch_ in (0, held.argmax() + 1)


def test_held_out_rows_come_in_any_container():
    frame = pd.DataFrame(WINE, columns=[f"c{j}" for j in range(13)])
    one = wp.VAE(**SHORT).fit(frame[:60], X_val=frame[60:])
    other = wp.VAE(**SHORT).fit(WINE[:60], X_val=WINE[60:])
    assert_array_equal(one.elbo(frame), other.elbo(WINE))


def test_held_out_rows_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="features"):
        wp.VAE(**SHORT).fit(WINE, X_val=WINE[:, :5])
    with pytest.raises(DataError, match="finite"):
        wp.VAE(**SHORT).fit(WINE, X_val=np.full((3, 13), np.nan))
    with pytest.raises(SettingError, match="validation_folds=5"):
        wp.VAE(**SHORT | {"validation_folds": 5}).fit(WINE, X_val=WINE)


def test_a_failed_fit_keeps_the_model():
    vae = wp.VAE(**SHORT).fit(WINE)
    before = vae.elbo(WINE)
    with pytest.raises(DataError):
        vae.fit(WINE, X_val=np.full((3, 13), np.inf))
    assert_array_equal(vae.elbo(WINE), before)


@pytest.mark.parametrize(
    ("n", "settings", "folds"),
    [
        (9, {}, 0),
        (10, {}, 5),
        (499, {}, 5),
        (500, {}, 0),
        (100, {"max_epochs": 50}, 0),
        (100, {"patience": None}, 0),
        (100, {"validation_fraction": 0.0}, 0),
        (100, {"image_shape": (2, 2)}, 0),
        (5000, {"validation_folds": 3, "max_epochs": 50}, 3),
    ],
)
def test_folds_are_for_tables_of_few_rows(n, settings, folds):
    given = wp.VAE(**settings).get_params()
    assert folds_of(given, n) == folds


def test_with_folds_the_model_is_of_the_last_epoch_and_the_same_again(tmp_path):
    settings = SMALL | {"validation_folds": 3, "max_epochs": 30, "patience": 5}
    seen = []
    vae = wp.VAE(**settings).fit(WINE, callbacks=[lambda report: seen.append(report.epoch)])
    again = wp.VAE(**settings, checkpoint=tmp_path / "run.ckpt").fit(WINE)
    assert_array_equal(vae.elbo(WINE), again.elbo(WINE))
    assert seen == list(range(1, vae.n_epochs_ + 1))
    assert vae.best_epoch_ == vae.n_epochs_ <= 30
    assert np.isfinite(vae.history_["held_out_objective"]).all()
    vae.save(tmp_path / "model.wp")
    loaded = wp.load(tmp_path / "model.wp")
    assert loaded.validation_folds == 3
    assert_array_equal(loaded.elbo(WINE), vae.elbo(WINE))


def test_more_folds_than_rows_or_one_are_refused():
    for folds in (1, 90):
        with pytest.raises(SettingError, match=f"got {folds}"):
            wp.VAE(**SMALL | {"validation_folds": folds}).fit(WINE)


@pytest.mark.slow
def test_a_grid_has_the_folds_of_a_fit():
    settings = SMALL | {"validation_folds": 3, "max_epochs": 20, "patience": 5}
    grid = wp.fit_grid(wp.VAE(**settings), {"noise": [0.5]}, WINE)
    alone = wp.VAE(**settings | {"noise": 0.5}).fit(WINE)
    assert_array_equal(grid.best.score_samples(WINE), alone.score_samples(WINE))


@pytest.mark.slow
def test_folds_depend_less_on_the_seed():
    """Wine's log p over seeds, on rows held out: five folds against one tenth."""
    rows = np.random.default_rng(0).permutation(load_wine().data)
    train, test = rows[:140], rows[140:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spread = {
            folds: np.std(
                [
                    wp.VAE(validation_folds=folds, random_state=seed).fit(train).score(test)
                    for seed in range(5)
                ]
            )
            for folds in (0, 5)
        }
    assert spread[5] < spread[0]
