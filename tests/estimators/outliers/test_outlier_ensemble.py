"""The ensemble: its Gaussians, and alarms at the rate asked where held-out rows train it."""

import numpy as np
import pytest
from scipy import stats
from sklearn.mixture import GaussianMixture

from wellposed.estimators.outliers.calibration import split
from wellposed.estimators.outliers.densities import gaussian_mixture
from wellposed.estimators.outliers.ensemble import Ensemble
from wellposed.evaluation import conformal_p_values


def draw(n, rng):
    """Draw rows of two clusters with heavy tails."""
    which, z = rng.integers(2, size=n), rng.standard_t(5, size=(n, 3))
    return z * np.where(which, 1.0, 3.0)[:, None] + 4.0 * which[:, None]


def norm(rows):
    """Return the score that stands for the VAE."""
    return np.square(rows).sum(axis=1)


def test_the_gaussians_are_those_of_scikit_learn():
    rows = draw(400, np.random.default_rng(0))
    theirs = GaussianMixture(5, reg_covar=1e-3, random_state=0).fit(rows)
    found = gaussian_mixture(rows, 5, seed=0).log_density(rows)
    np.testing.assert_allclose(found, theirs.score_samples(rows), rtol=1e-9)


def test_of_many_columns_the_directions_beyond_forty_have_one_variance():
    rows = np.random.default_rng(1).normal(size=(1_500, 50)) * np.repeat([9.0, 1.0], [40, 10])
    centred = rows - rows.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    leading, rest = centred @ axes[:40].T, centred @ axes[40:].T
    theirs = GaussianMixture(5, reg_covar=1e-3, random_state=0).fit(leading)
    expected = theirs.score_samples(leading)
    expected += stats.norm.logpdf(rest, scale=np.sqrt(np.square(rest).mean())).sum(axis=1)
    np.testing.assert_allclose(
        gaussian_mixture(rows, 5, seed=0).log_density(rows), expected, rtol=1e-8
    )


def test_a_row_held_out_does_not_train_what_scores_it():
    rng = np.random.default_rng(2)
    rows = draw(120, rng)
    parts = split(len(rows), "auto", rng, with_reference=True)
    far = parts.held[0]
    rows[far] = 40.0
    own, scores = Ensemble.fit(rows, parts, norm(rows[parts.out]), seed=0)
    assert scores[0] == scores.max()
    # All rows train the models of new rows: the far one is a component of a mixture there.
    assert scores[0] > own.surprise(rows[far][None], norm(rows[far][None]))[0]


@pytest.mark.slow
def test_false_alarms_have_the_rate_asked_where_all_rows_train():
    """Rows scored by folds, and new rows by models of all rows, are close to exchangeable."""
    alphas, found = (0.1, 0.2), []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        rows, new = draw(100, rng), draw(300, rng)
        parts = split(len(rows), "auto", rng, with_reference=True)
        own, scores = Ensemble.fit(rows, parts, norm(rows[parts.out]), seed=seed)
        p = conformal_p_values(own.surprise(new, norm(new)), scores)
        found.append([(p <= alpha + 1e-9).mean() for alpha in alphas])
    rate = np.mean(found, axis=0)
    error = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    expected = np.array([2, 4]) / 21  # of 20 calibration rows
    assert (np.abs(rate - expected) < 2.5 * error).all()


@pytest.mark.parametrize("n", [12, 40])
def test_few_rows_have_finite_scores(n):
    rng = np.random.default_rng(3)
    rows = draw(n, rng)
    parts = split(n, "auto", rng, with_reference=True)
    own, scores = Ensemble.fit(rows, parts, norm(rows[parts.out]), seed=0)
    assert np.isfinite(scores).all()
    assert np.isfinite(own.surprise(rows, norm(rows))).all()
