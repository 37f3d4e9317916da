"""Rows far from the data: every one has a finite score, and a further one a lower."""

import numpy as np
import pytest

import wellposed as wp
from textbook import textbook_vae
from wellposed import noise as families

pytestmark = [
    pytest.mark.filterwarnings("ignore::wellposed.LikelihoodWarning"),
    pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning"),
    pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning"),
    pytest.mark.filterwarnings("ignore::wellposed.FloorWarning"),
    pytest.mark.filterwarnings("ignore::wellposed._errors.DataHint"),
]

AWAY = np.array([10.0, 100.0, 1e3, 1e6, 1e12, 1e30])
SETTINGS = {"hidden": (8,), "max_epochs": 8, "random_state": 0, "progress": False}
RNG = np.random.default_rng(0)
CODES = RNG.normal(size=(240, 2))
X = CODES @ RNG.normal(size=(2, 5)) + 0.3 * RNG.normal(size=(240, 5))
COUNTS = RNG.poisson(np.exp(0.5 * CODES @ RNG.normal(size=(2, 5)) + 1.0)).astype(float)


def moved(data: np.ndarray, cells: slice) -> np.ndarray:
    """The first row, and what it becomes as cells go ever further away."""
    rows = np.repeat(data[:1], 1 + len(AWAY), axis=0)
    far = data.mean(0) + AWAY[:, None] * data.std(0)
    rows[1:, cells] = far[:, cells]
    return np.round(rows) if data is COUNTS else rows


def fitted(noise, data=X, **settings):
    return textbook_vae(2, noise=noise, **{**SETTINGS, **settings}).fit(data)


def assert_falls(scores):
    found = np.asarray(scores, np.float64)
    assert np.isfinite(found).all()
    assert (np.diff(found.reshape(2, -1)) < 0).all()


CASES = pytest.mark.parametrize(
    ("noise", "data"),
    [
        ("shared", X),
        pytest.param(families.StudentT(), X, marks=pytest.mark.slow),
        pytest.param(families.NegativeBinomial(), COUNTS, marks=pytest.mark.slow),
    ],
    ids=["gaussian", "student-t", "negative binomial"],
)


@pytest.mark.slow
@CASES
def test_scores_by_annealing_fall_and_stay_finite(noise, data):
    vae = fitted(noise, data)
    rows = np.concatenate([moved(data, cells) for cells in (slice(2, 3), slice(None))])
    for method in ("ais", "auto"):
        assert_falls(vae.score_samples(rows, method=method))


@CASES
def test_scores_fall_and_stay_finite(noise, data):
    vae = fitted(noise, data)
    rows = np.concatenate([moved(data, cells) for cells in (slice(2, 3), slice(None))])
    for score in (vae.score_samples, vae.elbo):
        assert_falls(score(rows))
    assert np.isfinite(vae.transform(rows)).all()
    assert np.isfinite(vae.reconstruct(rows)).all()
    assert np.isfinite(vae.score(rows))


def test_the_exact_score_of_a_linear_decoder_falls_too():
    vae = fitted("feature", hidden=())
    found = vae.score_samples(moved(X, slice(2, 3)), method="exact")
    assert np.isfinite(found).all()
    assert (np.diff(found) < 0).all()
    ppca = wp.PPCA(2).fit(X)
    exact = ppca.score_samples(moved(X, slice(0, 1)))
    assert np.isfinite(exact).all()
    assert (np.diff(exact) < 0).all()


def test_one_misplaced_decimal_does_not_spoil_the_score_of_a_test_set(shared_data):
    """UCI red wine; a density of 996.8 in place of 0.9968, 500,000 deviations away."""
    from sklearn.metrics import average_precision_score

    wine = np.loadtxt(shared_data("uci/wine-quality-red.txt"))[:, :11]
    vae = fitted("shared", wine[:1400])
    rows = wine[1400:].copy()
    rows[3, 7] = 996.8
    scores = vae.score_samples(rows)
    assert np.isfinite(scores).all()
    assert scores.argmin() == 3
    assert average_precision_score(np.arange(len(rows)) == 3, -scores) == 1.0
    assert np.abs(vae.transform(rows)).max() < 1e3


def test_training_outlives_a_row_that_no_other_is_like():
    vae = fitted("shared", max_epochs=2)
    far = moved(X, slice(None))[-1:]
    vae.partial_fit(np.concatenate([X[:60], far]))
    assert vae.outcome_ is not wp.training.Outcome.nonfinite
    vae.partial_fit(X)
    assert np.isfinite(vae.score(X))


@pytest.mark.slow
def test_a_changed_constant_costs_log_two_a_step_in_every_noise():
    """One rule: log(n + 1) and log 2 for each step of the resolution, whatever the family."""
    data = np.round(X, 2)
    data[:, 3] = 7.25
    costs = []
    for noise in ("shared", "feature", families.Laplace()):
        vae = fitted(noise, data, max_epochs=1)
        rows = np.repeat(data[:1], 4, axis=0)
        rows[1:, 3] += [1.0, 2.0, 1e20]
        scores = vae.score_samples(rows) if noise == "shared" else vae.elbo(rows)
        assert np.isfinite(scores).all()
        assert (np.diff(scores) < 0).all()
        costs.append(scores[1] - scores[2])
    np.testing.assert_allclose(costs, 100 * np.log(2.0), atol=10.0)
