"""OutlierVAE: alarms at the rate asked, equal scores in any batch, cells, files, errors."""

import copy
import functools
import re
import warnings

import numpy as np
import pandas as pd
import pytest

import wellposed as wp
from variants import slow_beside
from wellposed.estimators.outliers.panel import panel_of

SMALL = wp.VAE(1, hidden=(8,), max_epochs=8, validation_folds=0, prior="standard", progress=False)
pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")


def draw(n, seed):
    """Draw rows near a line in four dimensions."""
    rng = np.random.default_rng(seed)
    return np.repeat(rng.normal(size=(n, 1)), 4, axis=1) + 0.2 * rng.normal(size=(n, 4))


X, NEW = draw(500, 0), draw(700, 1)
FAR = np.abs(NEW[:40]) * [1.0, -1.0, 1.0, -1.0] + [2.0, -2.0, 2.0, -2.0]
SCORES = ("ensemble", "log_density", "typicality", "rate")


@functools.cache
def fitted(score="auto", **settings):
    """Return a detector fitted to X, one for all tests of the same settings."""
    return wp.OutlierVAE(SMALL, score=score, random_state=0, **settings).fit(X)


def test_the_default_score_is_the_ensemble():
    assert fitted().score_ == "ensemble"
    np.testing.assert_array_equal(
        fitted().score_samples(NEW[:9]), fitted("ensemble").score_samples(NEW[:9])
    )


@pytest.mark.parametrize("score", slow_beside(SCORES, ["ensemble"]))
def test_false_alarms_have_the_rate_asked(score):
    assert_rates(score)


def assert_rates(score):
    p, m = fitted(score).p_values(NEW), len(fitted(score).calibration_scores_)
    for alpha in (0.05, 0.1):
        # Of the calibration rows and of these rows.
        error = np.sqrt(alpha * (1 - alpha) * (1 / len(NEW) + 1 / m))
        assert abs((p <= alpha).mean() - alpha) < 2.5 * error
        np.testing.assert_array_equal(fitted(score).outliers(NEW, alpha), p <= alpha + 1e-9)


def test_far_rows_are_outliers_by_each_rule():
    assert fitted().outliers(FAR, alpha=0.01).all()
    assert (fitted().predict(FAR) == -1).all()
    found = fitted().outliers(np.concatenate([NEW[:200], FAR]), fdr=0.1)
    assert found[200:].mean() > 0.9
    assert found[:200].sum() <= 0.2 * found.sum()


def test_predict_flags_rows_whose_p_value_is_at_most_the_share():
    rigid = fitted(contamination=0.1)
    np.testing.assert_array_equal(rigid.predict(NEW) == -1, rigid.p_values(NEW) <= 0.1 + 1e-9)
    assert rigid.contamination_ == 0.1
    np.testing.assert_array_equal(
        rigid.decision_function(NEW), rigid.score_samples(NEW) - rigid.offset_
    )
    assert fitted().contamination_ == 0.01  # no outliers: the least


@pytest.mark.parametrize("score", slow_beside(SCORES, ["ensemble", "log_density"]))
def test_a_score_depends_on_the_row_alone(score, tmp_path):
    assert_depends_on_the_row_alone(score, tmp_path)


def assert_depends_on_the_row_alone(score, tmp_path):
    some = fitted(score)
    whole = some.score_samples(NEW[:300])
    for rows in (slice(0, 1), slice(7, 9), slice(100, 290)):
        np.testing.assert_array_equal(some.score_samples(NEW[rows]), whole[rows])
    shuffled = np.random.default_rng(2).permutation(300)
    np.testing.assert_array_equal(some.score_samples(NEW[shuffled]), whole[shuffled])
    some.save(tmp_path / "detector.wp")
    loaded = wp.load(tmp_path / "detector.wp")
    np.testing.assert_array_equal(loaded.score_samples(NEW[:300]), whole)
    np.testing.assert_array_equal(loaded.p_values(NEW[:300]), some.p_values(NEW[:300]))
    np.testing.assert_array_equal(loaded.predict(NEW[:300]), some.predict(NEW[:300]))
    assert repr(loaded) == repr(some)


def test_a_state_that_no_fit_makes_is_refused(tmp_path):
    without, with_one = copy.copy(fitted()), copy.copy(fitted("typicality"))
    without._ensemble, with_one._ensemble = None, fitted()._ensemble
    for model, what in ((without, "what the score"), (with_one, "what only the score")):
        with pytest.raises(wp.SettingError, match=f"{what} ensemble has"):
            model.save(tmp_path / "detector.wp")


def test_quantiles_cover_and_alarm_as_their_levels_say(tmp_path):
    """One fit for all of it."""
    some, levels = fitted("quantile"), np.array([0.15, 0.5, 0.85])
    found = some.quantiles(NEW, levels)
    assert (np.diff(found, axis=1) > 0).all()
    covered = (NEW[:, None] <= found).mean(axis=0)
    # The rows held out correct the levels, column by column.
    m = len(some.calibration_scores_)
    error = np.sqrt(levels * (1 - levels) * (1 / len(NEW) + 1 / m))
    assert (np.abs(covered - levels[:, None]) < 3.5 * error[:, None]).all()
    assert_rates("quantile")
    assert_depends_on_the_row_alone("quantile", tmp_path)
    assert some.outliers(FAR, alpha=0.01).all()
    loaded = wp.load(tmp_path / "detector.wp")
    np.testing.assert_array_equal(loaded.quantiles(NEW[:9], levels), found[:9])
    with pytest.raises(wp.SettingError, match="levels must be"):
        some.quantiles(X, [0.5, 1.0])


@pytest.mark.slow
def test_two_fits_have_equal_scores():
    again = wp.OutlierVAE(SMALL, random_state=0).fit(X)
    np.testing.assert_array_equal(again.score_samples(NEW[:50]), fitted().score_samples(NEW[:50]))


def test_contributions_sum_to_the_surprise_and_wrong_cells_are_named():
    rng = np.random.default_rng(3)
    rows, cell = draw(60, 4), rng.integers(4, size=60)
    truth = rows.mean(axis=1)
    rows[np.arange(60), cell] += rng.choice([-2.5, 2.5], 60)
    found = fitted().explain(rows)
    np.testing.assert_allclose(found.contributions.sum(axis=1), found.surprise, atol=1e-9)
    np.testing.assert_array_equal(found.surprise, -fitted().vae_.score_samples(rows, 64))
    assert (found.order[:, 0] == cell).mean() > 0.95
    assert found.wrong[np.arange(60), cell].mean() > 0.95
    named = found.wrong[np.arange(60), cell]
    expected = found.expected[np.arange(60), cell][named]
    assert np.abs(expected - truth[named]).max() < 1.5  # where the cell is 2.5 off
    np.testing.assert_array_equal(found.expected[~found.wrong], rows[~found.wrong])
    assert "is expected" in str(found)


def test_right_cells_are_named_at_the_level_asked():
    found = fitted().explain(NEW[:300], level=0.05)
    # Calibration rows, and cells of a row that depend on each other.
    assert 0.02 < found.wrong.mean() < 0.09


def test_the_section_of_a_report_lists_the_worst_rows():
    rows = NEW[:60].copy()
    rows[7, 2] += 9.0
    section = panel_of(fitted(), fitted()._open(rows))(None)
    listed = section.table.rows
    assert listed[0][0] == 7
    assert "column 2 is" in listed[0][3]
    assert [row[1] for row in listed] == sorted(row[1] for row in listed)
    assert section.picture.startswith(b"\x89PNG")


@pytest.mark.slow
def test_gaps_kinds_and_covariates_are_as_the_vae_has_them():
    rng = np.random.default_rng(5)
    gappy = np.where(rng.random(X.shape) < 0.1, np.nan, X)
    settings = SMALL.get_params()
    with pytest.raises(wp.DataError, match="ignorable"):
        wp.OutlierVAE(SMALL).fit(gappy)
    found = wp.OutlierVAE(wp.VAE(**{**settings, "missing": "ignorable"})).fit(gappy)
    assert found.score_ == "log_density"
    assert np.isfinite(found.score_samples(gappy)).all()
    explained = found.explain(gappy[:20])
    np.testing.assert_allclose(explained.contributions.sum(axis=1), explained.surprise, atol=1e-9)
    assert (explained.contributions[np.isnan(gappy[:20])] == 0).all()
    frame = pd.DataFrame(X, columns=list("abcd")).assign(e=np.where(X[:, 0] > 0, "u", "v"))
    mixed = wp.OutlierVAE(SMALL, random_state=0).fit(frame)
    wrong = frame.assign(e=np.where(X[:, 0] > 0, "v", "u"))[np.abs(X[:, 0]) > 1]
    right = frame[np.abs(X[:, 0]) > 1]
    assert mixed.score_samples(wrong).mean() < mixed.score_samples(right).mean() - 0.5
    named = mixed.explain(wrong[:20])
    assert (named.expected["e"].to_numpy() == right["e"][:20].to_numpy()).mean() > 0.7
    given = wp.OutlierVAE(wp.VAE(**{**settings, "covariates": ["e"]})).fit(frame)
    assert given.n_features_in_ == 4
    assert np.isfinite(given.score_samples(frame)).all()


@pytest.mark.slow
def test_a_constant_column_that_varies_is_an_outlier_with_a_warning():
    rows = np.column_stack([X, np.full(len(X), 5.0)])
    fixed = wp.OutlierVAE(SMALL, random_state=0).fit(rows)
    new = np.column_stack([NEW[:50], np.full(50, 5.0)])
    calm = fixed.score_samples(new)
    new[3, 4] = 6.0
    with pytest.warns(wp.DataWarning, match="1 rows have other values in 4"):
        changed = fixed.score_samples(new)
    assert changed[3] < calm.min()
    np.testing.assert_array_equal(np.delete(changed, 3), np.delete(calm, 3))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: wp.OutlierVAE(contamination=0.0).fit(X), "contamination must be"),
        (lambda: wp.OutlierVAE(contamination=0.6).fit(X), "contamination must be"),
        (lambda: wp.OutlierVAE(score="distance").fit(X), "score must be one of"),
        (lambda: wp.OutlierVAE(n_calibration=699).fit(X), "a minimum of 751"),
        (lambda: wp.OutlierVAE(SMALL).fit(np.ones((50, 3))), "all 50 rows are equal"),
        (lambda: wp.OutlierVAE(wp.PPCA(1)).fit(X), "vae must be a wellposed.VAE"),
        (lambda: fitted().outliers(X, alpha=0.001), "needs at least 999 rows"),
        (lambda: fitted().outliers(X, alpha=0.2, fdr=0.1), "Alarms have one rate"),
        (lambda: fitted().explain(X, level=2.0), "level must be"),
        (lambda: fitted().quantiles(X), "quantiles need score"),
    ],
)
def test_errors_name_the_rule_and_the_remedy(call, text):
    with pytest.raises(wp.WellposedError, match=text):
        call()


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_too_few_rows_to_name_cells_are_said_with_what_to_pass():
    X = np.random.default_rng(0).normal(size=(60, 3))
    detector = wp.OutlierVAE(wp.VAE(1, hidden=(4,), max_epochs=1), random_state=0).fit(X)
    with pytest.warns(wp.DataWarning, match="No cell can be named at level=0.01") as caught:
        detector.explain(X[:2])
    passed = float(re.search(r"level=([0-9.e-]+) or more", str(caught[0].message))[1])
    with warnings.catch_warnings():
        warnings.simplefilter("error", wp.DataWarning)
        detector.explain(X[:2], level=passed)
    with pytest.raises(wp.SettingError, match="alpha=") as refused:
        detector.outliers(X[:2], alpha=0.001)
    detector.outliers(X[:2], alpha=float(re.search(r"alpha=(\S+) or more", str(refused.value))[1]))
