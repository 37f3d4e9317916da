"""Weights of rows: zero leaves a row out, two counts twice."""

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

import wellposed as wp
from wellposed.estimators.few_labels.spreading import LabelSpread
from wellposed.estimators.few_labels.train import Setup

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
RNG = np.random.default_rng(0)
N = 120
KIND = RNG.integers(2, size=N)
X = RNG.normal(size=(N, 3)) + 3.0 * KIND[:, None]
FEW = np.where(np.arange(N) < 10, KIND, -1)
WEIGHTS = RNG.uniform(0.5, 2.0, size=N) * (np.arange(N) % 5 > 0)


def small(method, **settings):
    settings = {"calibration_folds": 0, "progress": False, "random_state": 0, **settings}
    if method == "stacked":
        settings["second_vae"] = wp.VAE(1, hidden=(4,), max_epochs=3)
    vae = wp.VAE(2, hidden=(4,), max_epochs=3, prior="standard")
    return wp.SemiSupervisedVAE(method, vae=vae, **settings)


@pytest.mark.parametrize(
    "method", [*(pytest.param(m, marks=pytest.mark.slow) for m in ("features", "stacked")), "joint"]
)
def test_a_weight_of_zero_leaves_a_row_out_with_its_label(method):
    kept = WEIGHTS > 0
    y = FEW.copy()
    y[~kept] = 7  # a class of rows that do not count
    weighted = small(method).fit(X, y, sample_weight=WEIGHTS)
    without = small(method).fit(X[kept], FEW[kept], sample_weight=WEIGHTS[kept])
    assert weighted.classes_.tolist() == [0, 1]
    np.testing.assert_array_equal(weighted.predict_proba(X), without.predict_proba(X))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["features", "joint"])
def test_a_common_scale_changes_nothing_and_weights_do(method):
    own = WEIGHTS + 0.5
    one, other, none = (
        small(method).fit(X, FEW, sample_weight=w).predict_proba(X) for w in (own, 64 * own, None)
    )
    np.testing.assert_array_equal(one, other)
    assert np.abs(one - none).max() > 1e-4


def test_alpha_is_that_of_the_repeated_rows():
    def alpha(labels, weights):
        nothing: Any = None
        rows = np.zeros((len(labels), 1))
        setup = Setup(nothing, rows, np.array([], int), nothing, nothing, "auto", False, weights)
        return setup.alpha_of(labels)

    labels, weights = np.array([0.0, np.nan, 1.0, np.nan]), np.array([2.0, 1.0, 1.0, 2.0])
    repeated = np.repeat(labels, weights.astype(int))
    assert alpha(labels, weights / weights.mean()) == pytest.approx(alpha(repeated, None))


@pytest.mark.slow
def test_the_moments_of_real_labels_are_weighted():
    y, weights = np.where(np.arange(N) < 10, X[:, 0], np.nan), np.ones(N)
    weights[:5] = 3.0
    vae = wp.VAE(2, hidden=(4,), max_epochs=3, prior="standard")
    model = wp.SemiSupervisedRegressor("features", vae=vae, progress=False, random_state=0)
    model.fit(X, y, sample_weight=weights)
    repeated = np.repeat(y[:10], weights[:10].astype(int))
    assert model.label_mean_ == pytest.approx(repeated.mean())
    assert model.label_scale_ == pytest.approx(repeated.std())
    zero = np.where(np.arange(N) == 0, 0.0, weights)
    assert model.fit(X, y, sample_weight=zero).n_labelled_ == 9


def test_a_classifier_gets_the_weights_or_is_refused():
    model = small("features", classifier=LogisticRegression())
    heavy = np.where(KIND == 1, 50.0, 1.0)
    plain, weighted = (
        model.fit(X, FEW, sample_weight=w).predict_proba(X)[:, 1].mean() for w in (None, heavy)
    )
    assert weighted > plain
    with pytest.raises(
        wp.SettingError, match="sample_weight needs a predictor with sample weights"
    ):
        small("features", classifier=KNeighborsClassifier(1)).fit(X, FEW, sample_weight=heavy)
    with pytest.raises(wp.DataError, match="one number a row"):
        small("features").fit(X, FEW, sample_weight=np.ones(3))


def test_a_spread_label_of_weight_two_is_two_labels():
    """F is linear in the labels: a heavier one moves the shares of its class to its side."""
    line = np.arange(30.0)[:, None]
    y = np.full(30, -1)
    y[[0, 20, 29]] = 0, 0, 1
    graph = LabelSpread(2, 0.9).of_graph(line)
    only = [graph.relabelled(np.where(np.isin(np.arange(30), [i, 29]), y, -1)) for i in (0, 20)]
    heavy = graph.relabelled(y, np.where(np.arange(30) == 20, 1e6, 1.0))
    np.testing.assert_allclose(heavy.transduction_, only[1].transduction_, atol=1e-3)
    light = graph.relabelled(y, np.where(np.arange(30) == 20, 1e-6, 1.0))
    np.testing.assert_allclose(light.transduction_, only[0].transduction_, atol=1e-3)
