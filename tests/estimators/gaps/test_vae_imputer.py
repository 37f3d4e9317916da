"""VAEImputer: fills near the exact conditional, frames of several kinds, samplers, draws."""

import numpy as np
import pandas as pd
import pytest

import wellposed as wp
from variants import slow_beside
from wellposed import datasets
from wellposed.estimators.imputation import vae as vae_imputer

RNG = np.random.default_rng(0)
LOADINGS = RNG.normal(size=(2, 5))
WHOLE = RNG.normal(size=(400, 2)) @ LOADINGS + 0.3 * RNG.normal(size=(400, 5)) + 4.0
COVARIANCE = LOADINGS.T @ LOADINGS + 0.09 * np.eye(5)
GAPS = datasets.hide_completely_at_random(WHOLE, 0.25, 1)
SEEN = ~np.isnan(GAPS)
SMALL = wp.VAE(2, hidden=(16,), max_epochs=20, prior="standard", progress=False)
pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")


@pytest.fixture(scope="module")
def imputer():
    return wp.VAEImputer(SMALL, n_models=2, random_state=0).fit(GAPS)


def exact(row):
    """Mean and variance of the gaps of a row under the law of the data."""
    o = ~np.isnan(row)
    gain = np.linalg.solve(COVARIANCE[np.ix_(o, o)], COVARIANCE[np.ix_(o, ~o)]).T
    rest = COVARIANCE[np.ix_(~o, ~o)] - gain @ COVARIANCE[np.ix_(o, ~o)]
    return 4.0 + gain @ (row[o] - 4.0), np.diag(rest)


def test_fills_lose_little_against_the_law_of_the_data(imputer):
    """Squared error of hidden entries: the exact conditional mean has the least."""
    filled, best = imputer.transform(GAPS), GAPS.copy()
    for i in np.flatnonzero(~SEEN.all(axis=1)):
        best[i, ~SEEN[i]] = exact(GAPS[i])[0] if SEEN[i].any() else 4.0
    own, least = (((f - WHOLE)[~SEEN] ** 2).mean() for f in (filled, best))
    assert own < 1.15 * least
    np.testing.assert_array_equal(filled[SEEN], GAPS[SEEN])


@pytest.mark.parametrize("sampler", slow_beside(["importance", "metropolis"], ["importance"]))
def test_draws_have_the_spread_of_the_law(imputer, sampler):
    made = wp.VAEImputer(SMALL, n_models=2, sampler=sampler, n_samples=64, random_state=0)
    vars(made).update({k: v for k, v in vars(imputer).items() if k not in vars(made)})
    draws = made.transform(GAPS[:120], n_draws=44)
    assert draws.shape == (44, 120, 5)
    np.testing.assert_array_equal(draws[:, SEEN[:120]], np.tile(GAPS[:120][SEEN[:120]], (44, 1)))
    ratio = []
    for i in np.flatnonzero(~SEEN[:120].all(axis=1)):
        _, variance = exact(GAPS[i])
        ratio.extend(draws[:, i, ~SEEN[i]].var(axis=0, ddof=1) / variance)
    assert 0.8 < np.mean(ratio) < 1.3


def test_intervals_hold_their_share(imputer):
    interval = imputer.predict_interval(GAPS[:120])
    held = (interval.low <= WHOLE[:120]) & (WHOLE[:120] <= interval.high)
    assert 0.83 < held[~SEEN[:120]].mean() < 0.97


def test_a_fill_depends_on_its_own_row_alone(imputer):
    """Rows without gaps, beside which it stands, are left out of the computation."""
    gaps = ~SEEN.all(axis=1)
    alone, together = imputer.transform(GAPS[gaps]), imputer.transform(GAPS)[gaps]
    np.testing.assert_array_equal(alone, together)
    np.testing.assert_array_equal(imputer.transform(WHOLE[:3]), WHOLE[:3])
    np.testing.assert_array_equal(imputer.draw(WHOLE[:3], 2), np.stack([WHOLE[:3]] * 2))
    interval = imputer.predict_interval(WHOLE[:3])
    np.testing.assert_array_equal(interval.low, interval.high)


@pytest.mark.slow
def test_few_rows_have_three_models_and_many_have_one():
    quick = wp.VAE(1, hidden=(4,), max_epochs=1, linear_start=False, progress=False)
    for rows, n in ((GAPS[:50], 3), (np.tile(GAPS, (38, 1)), 1)):
        assert len(wp.VAEImputer(quick, random_state=0).fit(rows).vaes_) == n


def test_amounts_with_zeros_have_noise_of_amounts(monkeypatch):
    """Gaussian noise would draw no zero, and half of its draws below zero."""
    quick = {"max_epochs": 3, "hidden": (4,), "prior": "standard", "progress": False}
    monkeypatch.setattr(vae_imputer, "_DEFAULTS", quick)
    rows = np.where(RNG.random((200, 3)) < 0.6, 0.0, np.exp(RNG.normal(size=(200, 3))))
    others = np.c_[np.exp(RNG.normal(size=200)), RNG.normal(size=200)]
    gaps = datasets.hide_completely_at_random(np.c_[rows, others], 0.2, 0)
    made = wp.VAEImputer(n_models=1, random_state=0).fit(gaps)
    drawn = made.vaes_[0].sample(200)
    assert drawn[:, :3].min() == 0.0
    assert 0.4 < (drawn[:, :3] == 0.0).mean() < 0.8
    assert drawn[:, 3].min() >= 0  # a long tail without zeros is that of an amount as well
    assert drawn[:, 4].min() < 0  # the last column is real


def test_a_row_of_gaps_and_masks_of_no_training_row(imputer):
    filled = imputer.transform([[np.nan] * 5, [4.0, np.nan, np.nan, np.nan, np.nan]])
    assert np.isfinite(filled).all()
    assert np.abs(filled[0] - 4.0).max() < 1.0


def test_more_draws_do_not_change_the_first_of_another_order(imputer):
    """The fills of a row depend on no other row."""
    np.testing.assert_allclose(
        imputer.transform(GAPS[10:40]), imputer.transform(GAPS[:60])[10:40], rtol=1e-5
    )


@pytest.fixture(scope="module")
def frame():
    n = 240
    z = RNG.normal(size=n)
    return pd.DataFrame(
        {
            "size": z + 0.2 * RNG.normal(size=n),
            "colour": pd.Categorical(
                np.where(z > 0.4, "red", np.where(z < -0.4, "blue", "green")),
                categories=["red", "green", "blue", "grey"],
            ),
            "sold": z + 0.3 * RNG.normal(size=n) > 0,
            "id": [f"item {i}" for i in range(n)],
        },
        index=pd.Index(range(100, 100 + n), name="row"),
    )


@pytest.fixture(scope="module")
def hidden(frame):
    """The frame with a fifth of two columns missing."""
    hidden, rng = frame.astype({"sold": "boolean"}).copy(), np.random.default_rng(2)
    lost = rng.random(len(frame)) < 0.2
    hidden.loc[lost, "colour"] = None
    hidden.loc[~lost & (rng.random(len(frame)) < 0.2), "sold"] = pd.NA
    return hidden


@pytest.fixture(scope="module")
def of_frame(hidden):
    return wp.VAEImputer(SMALL, n_models=1, n_samples=64, random_state=0).fit(hidden)


def test_frames_of_several_kinds_come_back_in_kind(frame, hidden, of_frame):
    imputer, lost = of_frame, hidden["colour"].isna()
    filled = imputer.transform(hidden)
    assert filled.dtypes.to_dict() == hidden.dtypes.to_dict()
    pd.testing.assert_index_equal(filled.index, hidden.index)
    assert not filled[["size", "colour", "sold"]].isna().any(axis=None)
    pd.testing.assert_series_equal(filled["id"], hidden["id"])
    pd.testing.assert_series_equal(filled["size"], hidden["size"])
    seen = hidden["colour"].notna()
    assert (filled["colour"] == hidden["colour"])[seen].all()
    # Colour is a function of z, which size shows up to its noise.
    assert (filled["colour"].astype(str) == frame["colour"].astype(str))[lost].mean() > 0.6
    draws = imputer.draw(hidden, 3)
    assert len(draws) == 3
    assert draws[0].dtypes.to_dict() == hidden.dtypes.to_dict()
    assert imputer.get_feature_names_out().tolist() == list(frame.columns)


def test_intervals_of_a_frame_are_frames_and_levels_have_none(frame, hidden, of_frame):
    low, high = of_frame.predict_interval(hidden)
    lost = hidden["colour"].isna()
    numbers = [name for name in frame.columns if frame[name].dtype.kind == "f"]
    assert numbers
    assert (low[numbers] <= high[numbers]).all(axis=None)
    for end in (low, high):
        assert list(end.columns) == list(frame.columns)
        assert end["colour"].isna().equals(lost)
        assert (end["colour"].astype(str) == frame["colour"].astype(str))[~lost].all()
    kept = [column.name for column in of_frame.schema_.kept]
    np.testing.assert_array_equal(of_frame.gaps(hidden), hidden[kept].isna())


def test_a_category_that_is_new_is_a_gap(frame, of_frame):
    other = frame.head(20).astype({"colour": str})
    other.loc[other.index[0], "colour"] = "violet"
    assert of_frame.transform(other)["colour"].iloc[0] in ("red", "green", "blue")


@pytest.mark.slow
def test_it_is_judged_before_it_is_used_beside_the_mode_and_the_gaussian(frame):
    score = wp.VAEImputer(SMALL, n_models=1, random_state=0).holdout_score(frame, share=0.2)
    assert list(score.scores) == ["VAEImputer", "mean", "GaussianImputer"]
    assert score.imputer.accuracy > score.mean.accuracy + 0.1
    assert np.isnan(score.imputer.rmse[1:]).all()  # of colour and sold, which are levels
    assert "share of levels that are right" in str(score)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sampler": "gibbs"}, "sampler"),
        ({"n_models": 0}, "n_models"),
        ({"vae": wp.PPCA()}, "wellposed.VAE"),
    ],
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(wp.SettingError, match=message):
        wp.VAEImputer(**settings).fit(GAPS)


def test_a_fit_that_fails_leaves_the_former_one(imputer):
    before = imputer.vaes_
    with pytest.raises(wp.DataError):
        imputer.fit(np.full((20, 5), np.nan))
    assert imputer.vaes_ is before
