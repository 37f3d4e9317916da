"""GaussianImputer: scikit-learn's contract of imputers, exact fills, draws, judgement."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

import wellposed as wp
from wellposed import datasets
from wellposed.estimators.imputation.holdout import FillScore, HoldoutScore, holdout_score

RNG = np.random.default_rng(0)
WHOLE = RNG.normal(size=(300, 4)) @ RNG.normal(size=(4, 4)) + 5.0
GAPS = datasets.hide_completely_at_random(WHOLE, 0.25, 1)
GAPS[7] = np.nan
SEEN = ~np.isnan(GAPS)
IMPUTER = wp.GaussianImputer(ridge=1.0, random_state=0).fit(GAPS)


def conditional(imputer, row):
    mu, c, o = imputer.mean_, imputer.covariance_, ~np.isnan(row)
    gain = np.linalg.solve(c[np.ix_(o, o)], c[np.ix_(o, ~o)]).T
    variance = np.diag(c[np.ix_(~o, ~o)] - gain @ c[np.ix_(o, ~o)])
    return mu[~o] + gain @ (row[o] - mu[o]), variance


def test_fills_are_conditional_means_and_observed_entries_stay_bit_for_bit():
    filled = IMPUTER.transform(GAPS)
    np.testing.assert_array_equal(filled[SEEN], GAPS[SEEN])
    interval = IMPUTER.predict_interval(GAPS, level=0.9)
    np.testing.assert_array_equal(interval.low[SEEN], GAPS[SEEN])
    np.testing.assert_array_equal(interval.high[SEEN], GAPS[SEEN])
    for i in np.flatnonzero(~SEEN.all(axis=1))[:40]:
        mean, variance = conditional(IMPUTER, GAPS[i])
        np.testing.assert_allclose(filled[i, ~SEEN[i]], mean, rtol=1e-9)
        width = (interval.high - interval.low)[i, ~SEEN[i]]
        np.testing.assert_allclose(width, 2 * 1.6448536 * np.sqrt(variance), rtol=1e-6)
    np.testing.assert_allclose(filled[7], IMPUTER.mean_)


def test_new_rows_with_other_gaps_are_filled():
    imputer = wp.GaussianImputer(ridge=1.0).fit(WHOLE)  # without a gap
    row = np.array([[np.nan, 5.0, np.nan, 4.0]])
    mean, _ = conditional(imputer, row[0])
    np.testing.assert_allclose(imputer.transform(row)[0, [0, 2]], mean)


def test_draws_have_the_seed_and_spread_of_the_conditional():
    rows = GAPS[:10]
    fixed = wp.GaussianImputer(ridge=1.0, bootstrap=False, random_state=0).fit(GAPS)
    draws = fixed.transform(rows, n_draws=4_000)
    assert draws.shape == (4_000, 10, 4)
    assert (draws[:, SEEN[:10]] == rows[SEEN[:10]]).all()
    np.testing.assert_array_equal(draws, fixed.draw(rows, 4_000))
    assert not np.array_equal(draws, fixed.draw(rows, 4_000, random_state=3))
    mean, gaps = fixed.transform(rows), ~SEEN[:10]
    error = draws.std(axis=0)[gaps] / np.sqrt(4_000)
    assert (np.abs(draws.mean(axis=0) - mean)[gaps] < 5 * error).all()
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    interval = fixed.predict_interval(rows)
    np.testing.assert_allclose((high - low)[gaps], (interval.high - interval.low)[gaps], rtol=0.1)


def test_the_bootstrap_adds_the_uncertainty_of_the_parameters():
    small = GAPS[:25]
    imputer = wp.GaussianImputer(ridge=1.0, random_state=0)
    assert np.isfinite(imputer.fit(small).draw(small, 20)).all()
    of_mean = np.stack([m.mean for m in imputer._bootstraps]).var(axis=0, ddof=1)
    expected = small[~np.isnan(small).any(axis=1)].var(axis=0) / 25
    assert (of_mean > 0.3 * expected).all()
    assert (of_mean < 4 * expected).all()


@pytest.mark.parametrize("settings", [{}, {"n_components": 2}])
def test_it_beats_mean_imputation_on_hidden_entries(settings):
    score = wp.GaussianImputer(random_state=0, **settings).holdout_score(GAPS)
    assert score.n_hidden == int(0.1 * SEEN.sum())
    assert score.imputer.standardised_rmse < score.mean.standardised_rmse
    assert score.imputer.crps < score.mean.crps
    text = str(score)
    assert "RMSE of 3" in text
    assert f"{score.n_hidden} hidden entries" in text
    assert score.imputer.rmse.shape == (4,)


def test_holdout_figures_of_a_known_predictor():
    """With one feature alone, the fill is the mean: both RMSE are equal, coverage near 90 %."""
    rows = RNG.normal(3.0, 2.0, size=(3_000, 1))
    score = wp.GaussianImputer(ridge=1.0, random_state=0).holdout_score(rows, share=0.5)
    assert score.imputer.rmse[0] == pytest.approx(score.mean.rmse[0], rel=1e-9)
    assert score.imputer.standardised_rmse == pytest.approx(1.0, abs=0.05)
    assert score.imputer.coverage == pytest.approx(0.9, abs=0.025)
    # The CRPS of a standard normal is 1/√π.
    assert score.imputer.crps == pytest.approx(np.pi**-0.5, abs=0.03)


def test_columns_whose_fills_are_no_better_than_their_mean_are_named():
    fill = FillScore(np.array([1.0, 2.0, np.nan, 3.0]), 1.0, 0.9, 0.5)
    mean = FillScore(np.array([2.0, 2.0, np.nan, 2.0]), 1.0, 0.9, 0.5)
    score = HoldoutScore(9, {"GaussianImputer": fill, "mean": mean}, tuple("abcd"))
    assert str(score).endswith("their mean: 'b', 'd'. Use draws of these columns.")
    better = HoldoutScore(
        9, {"GaussianImputer": fill, "mean": FillScore(4 * mean.rmse, 1.0, 1.0, 1.0)}, tuple("abcd")
    )
    assert "No better" not in str(better)


def test_the_ridge_is_chosen_by_hidden_entries():
    independent = RNG.normal(size=(60, 12))
    high = wp.GaussianImputer(random_state=0).fit(independent).ridge_
    related = RNG.normal(size=(400, 2)) @ RNG.normal(size=(2, 6))
    related += 0.01 * RNG.normal(size=related.shape)
    related[RNG.random(related.shape) < 0.2] = np.nan
    low = wp.GaussianImputer(random_state=0).fit(related).ridge_
    assert high > 10
    assert low < 1


def test_units_do_not_matter():
    scale, shift = np.array([1e-5, 1.0, 1e6, -3.0]), np.array([0.0, 1e4, 5.0, 2.0])
    plain = wp.GaussianImputer(random_state=0).fit_transform(GAPS)
    scaled = wp.GaussianImputer(random_state=0).fit_transform(GAPS * scale + shift)
    np.testing.assert_allclose((scaled - shift) / scale, plain, rtol=1e-5, atol=1e-4)


def test_pandas_frames_come_back_in_kind():
    frame = pd.DataFrame(
        {
            "dose": GAPS[:, 0],
            "count": np.arange(300, dtype=np.int32),
            "flag": np.arange(300) % 2 == 0,
            "nullable": pd.array(np.where(SEEN[:, 1], GAPS[:, 1].round(), 0), "Int64"),
        },
        index=pd.Index(np.arange(300) + 1_000, name="patient"),
    )
    frame.loc[~SEEN[:, 1], "nullable"] = pd.NA
    imputer = wp.GaussianImputer(ridge=1.0, add_indicator=True).set_output(transform="pandas")
    filled = imputer.fit_transform(frame)
    assert list(filled.columns) == [
        *("dose", "count", "flag", "nullable"),
        *("missingindicator_dose", "missingindicator_nullable"),
    ]
    assert filled.index.equals(frame.index)
    assert filled["count"].dtype == np.int32
    assert filled["flag"].dtype == bool
    assert not filled.isna().any().any()
    np.testing.assert_array_equal(filled["dose"][SEEN[:, 0]], frame["dose"][SEEN[:, 0]])
    with pytest.raises(wp.SettingError, match=r"draw\(X, 5\)"):
        imputer.transform(frame, n_draws=5)
    assert imputer.draw(frame, 5).shape == (5, 300, 6)


def test_polars_frames_come_back_in_kind():
    import polars

    frame = polars.DataFrame({"a": GAPS[:, 0], "n": np.arange(300, dtype=np.int16)})
    frame = frame.with_columns(polars.col("a").fill_nan(None))
    imputer = wp.GaussianImputer(ridge=1.0).set_output(transform="polars")
    filled = imputer.fit_transform(frame)
    assert filled["n"].dtype == polars.Int16
    assert filled["a"].null_count() == 0


def test_columns_without_entries_follow_keep_empty_features():
    rows = np.column_stack([GAPS, np.full(300, np.nan)])
    frame = pd.DataFrame(rows, columns=list("abcde"))
    with pytest.warns(wp.DataWarning, match="'e'.*left out"):
        dropped = wp.GaussianImputer(ridge=1.0).fit(frame)
    assert dropped.transform(frame).shape == (300, 4)
    assert dropped.get_feature_names_out().tolist() == list("abcd")
    with pytest.warns(wp.DataWarning, match="zeros"):
        kept = wp.GaussianImputer(ridge=1.0, keep_empty_features=True).fit(frame)
    filled = kept.transform(frame)
    np.testing.assert_array_equal(filled[:, :4], dropped.transform(frame))
    assert not filled[:, 4].any()
    assert kept.draw(frame, 3).shape == (3, 300, 5)
    assert kept.predict_interval(frame).low.shape == (300, 5)
    with pytest.raises(wp.DataError, match="all 2 have none"):
        wp.GaussianImputer().fit(np.full((5, 2), np.nan))


def test_one_missing_value_and_none_at_all():
    rows = WHOLE.copy()
    rows[3, 2] = np.nan
    imputer = wp.GaussianImputer(random_state=0).fit(rows)
    filled = imputer.transform(rows)
    assert np.isfinite(filled[3, 2])
    np.testing.assert_array_equal(np.delete(filled.ravel(), 14), np.delete(WHOLE.ravel(), 14))
    np.testing.assert_array_equal(imputer.transform(WHOLE), WHOLE)


def test_another_code_for_gaps():
    coded = np.where(SEEN, GAPS, -999.0)
    imputer = wp.GaussianImputer(ridge=1.0, missing_values=-999).fit(coded)
    np.testing.assert_array_equal(imputer.transform(coded), IMPUTER.transform(GAPS))
    with pytest.raises(wp.DataError, match="missing_values=-999"):
        imputer.transform(GAPS)


def test_it_goes_through_pipelines_pickle_and_constants():
    target = WHOLE @ [1.0, -1.0, 0.5, 2.0]
    model = make_pipeline(wp.GaussianImputer(ridge=1.0, add_indicator=True), LinearRegression())
    assert model.fit(GAPS, target).score(GAPS, target) > 0.5
    again = pickle.loads(pickle.dumps(IMPUTER))
    np.testing.assert_array_equal(again.transform(GAPS), IMPUTER.transform(GAPS))
    constant = np.where(RNG.random((20, 2)) < 0.3, np.nan, 4.0)
    np.testing.assert_allclose(wp.GaussianImputer().fit_transform(constant), 4.0, atol=1e-4)


def test_hidden_entries_do_not_leak_into_the_judged_fit():
    rows = GAPS.copy()
    first = wp.GaussianImputer(ridge=1.0)
    score = holdout_score([first, wp.GaussianImputer(2)], rows, None, share=0.2, seed=3)
    assert list(score.scores) == ["GaussianImputer", "mean", "GaussianImputer, 1"]
    hidden = datasets.hide_completely_at_random(rows, 0.2, np.random.default_rng(3))
    gone = np.isnan(hidden) & SEEN
    assert score.n_hidden == gone.sum()
    rows[gone] += 100.0
    second = wp.GaussianImputer(ridge=1.0)
    holdout_score([second], rows, None, share=0.2, seed=3)
    np.testing.assert_array_equal(first.mean_, second.mean_)
    np.testing.assert_array_equal(first.covariance_, second.covariance_)


def test_none_is_nan_and_words_are_no_codes():
    imputer = wp.GaussianImputer(ridge=1.0, missing_values=None).fit(GAPS)
    np.testing.assert_array_equal(imputer.transform(GAPS), IMPUTER.transform(GAPS))
    for code in ("?", np.inf, True):
        with pytest.raises(wp.SettingError, match="missing_values"):
            wp.GaussianImputer(missing_values=code).fit(GAPS)


def test_bad_settings_and_data_are_refused():
    for settings in ({"ridge": 0.0}, {"ridge": "big"}, {"n_components": 0}, {"bootstrap": 1}):
        with pytest.raises(wp.SettingError, match=next(iter(settings))):
            wp.GaussianImputer(**settings).fit(GAPS)
    with pytest.raises(wp.SettingError, match="min"):
        wp.GaussianImputer(5).fit(GAPS)
    with pytest.raises(wp.SettingError, match="n_draws"):
        IMPUTER.transform(GAPS, n_draws=0)
    with pytest.raises(wp.SettingError, match="level"):
        IMPUTER.predict_interval(GAPS, level=1.0)
    with pytest.raises(wp.SettingError, match="share"):
        IMPUTER.holdout_score(GAPS, share=0.0)
    with pytest.raises(wp.DataError, match="leave one"):
        wp.GaussianImputer(ridge=1.0).holdout_score(GAPS[:8], share=0.99)
    infinite = GAPS.copy()
    infinite[0, 0] = np.inf
    with pytest.raises(wp.DataError, match="inf"):
        IMPUTER.transform(infinite)
    with pytest.raises(ValueError, match="features"):
        IMPUTER.transform(GAPS[:, :3])


def test_pooled_intervals_of_a_mean_cover():
    """Rubin's rules with draws that include the uncertainty of the parameters."""
    covered = 0
    rng = np.random.default_rng(5)
    root = np.array([[1.0, 0.8], [0.0, 0.6]])
    for i in range(60):
        whole = rng.normal(size=(80, 2)) @ root
        rows = whole.copy()
        rows[rng.random(80) < 0.4, 1] = np.nan
        draws = wp.GaussianImputer(ridge=0.1, random_state=i, tol=1e-5).fit(rows).draw(rows, 10)
        column = draws[:, :, 1]
        pooled = wp.pool(column.mean(axis=1), column.var(axis=1, ddof=1) / 80, n=79)
        covered += pooled.low <= 0.0 <= pooled.high
    # 57 are expected; 51 is three standard errors below.
    assert covered >= 51
