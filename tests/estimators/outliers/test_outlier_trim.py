"""Rows of the fit that are left out of training: which, and what it changes."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.covariance import MinCovDet
from sklearn.metrics import roc_auc_score

import wellposed as wp
from wellposed.estimators.outliers.neighbours import distances
from wellposed.estimators.outliers.trim import distance_of_most, far_rows

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")  # few epochs


def with_group(n, d, share, seed):
    """Correlated rows, and a tight group of others beside them; which are of the group."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, d)) @ rng.normal(size=(d, d))
    group = np.zeros(n, bool)
    group[rng.choice(n, round(share * n), replace=False)] = True
    rows[group] = rows.max(axis=0) + 0.1 * rng.normal(size=(group.sum(), d))
    return rows, group


def test_the_distances_rank_rows_as_the_minimum_covariance_determinant_does():
    rows, group = with_group(400, 4, 0.15, seed=0)
    ours = distance_of_most(rows)
    theirs = MinCovDet(support_fraction=0.75, random_state=0).fit(rows).mahalanobis(rows)
    assert spearmanr(ours, theirs).statistic > 0.98
    assert set(far_rows(rows, 0.15)) == set(np.flatnonzero(group))


def test_each_step_lowers_the_determinant(monkeypatch):
    rows, found = with_group(300, 3, 0.2, seed=1)[0], []
    own = wp.estimators.outliers.trim._distances

    def noted(all_rows, some):
        found.append(np.linalg.slogdet(np.cov(some, rowvar=False))[1])
        return own(all_rows, some)

    monkeypatch.setattr(wp.estimators.outliers.trim, "_distances", noted)
    distance_of_most(rows)
    assert len(found) > 2
    assert np.all(np.diff(found) < 1e-9)


@pytest.mark.parametrize("d", [1, 60, 250])
def test_any_number_of_columns_and_constant_ones_are_trimmed(d):
    rows, group = with_group(300, d, 0.1, seed=2)
    rows = np.concatenate([rows, np.ones((300, 1))], axis=1)
    found = far_rows(rows, 0.2)
    assert len(found) == 60
    assert set(np.flatnonzero(group)) <= set(found)


def test_distinct_neighbours_are_those_of_other_content():
    rng = np.random.default_rng(0)
    known = np.repeat(rng.integers(0, 3, (60, 2)).astype(float), 3, axis=0)
    rows = np.concatenate([known[::7], rng.normal(size=(5, 2)), [[-0.0, 0.0]]])
    found = distances(rows, known, 4, distinct=True)
    for row, ours in zip(rows, found, strict=True):
        each = np.sqrt(np.square(known - row).sum(axis=1))
        np.testing.assert_allclose(ours, np.sort(each[each > 0])[:4], rtol=1e-12)


def test_the_last_distance_is_repeated_where_few_others_are_left():
    known = np.array([[0.0], [0.0], [2.0]])
    assert distances(np.zeros((1, 1)), known, 3, distinct=True).tolist() == [[2.0, 2.0, 2.0]]


@pytest.fixture(scope="module")
def detector():
    rows, _ = with_group(4_600, 4, 0.1, seed=3)
    small = wp.VAE(
        1, hidden=(8,), max_epochs=8, validation_folds=0, prior="standard", progress=False
    )
    return wp.OutlierVAE(small, trim=0.2, random_state=0).fit(rows[:500])


def test_a_group_of_outliers_in_the_fit_is_found_among_its_own_rows(detector):
    rows, group = (part[:500] for part in with_group(4_600, 4, 0.1, seed=3))
    assert roc_auc_score(group, -detector.score_samples(rows)) > 0.99


@pytest.mark.slow
def test_without_a_trim_the_densities_learn_the_group(detector):
    rows, group = (part[:500] for part in with_group(4_600, 4, 0.1, seed=3))
    plain = wp.OutlierVAE(detector.vae, random_state=0).fit(rows)
    assert roc_auc_score(group, -plain.score_samples(rows)) < 0.9


def test_alarms_of_rows_like_those_of_the_fit_have_the_rate_asked(detector):
    rows = with_group(4_600, 4, 0.1, seed=3)[0][500:2_500]
    share = detector.outliers(rows, alpha=0.2).mean()
    m = len(detector.calibration_scores_)
    assert abs(share - 0.2) < 3 * np.sqrt(0.2 * 0.8 * (1 / m + 1 / len(rows)))


def test_a_loaded_detector_scores_rows_of_its_fit_alike(detector, tmp_path):
    rows, _ = with_group(4_600, 4, 0.1, seed=3)
    detector.save(tmp_path / "detector.wp")
    again = wp.load(tmp_path / "detector.wp")
    assert np.array_equal(again.score_samples(rows[:50]), detector.score_samples(rows[:50]))


def test_settings_that_cannot_be_trimmed_are_refused():
    rows, _ = with_group(100, 3, 0.1, seed=0)
    with pytest.raises(wp.SettingError, match="trim"):
        wp.OutlierVAE(trim=0.5).fit(rows)
    gaps = rows.copy()
    gaps[0, 0] = np.nan
    with pytest.raises(wp.SettingError, match=r"trim=0\.2 with missing='ignorable'"):
        wp.OutlierVAE(wp.VAE(missing="ignorable"), trim=0.2).fit(gaps)
