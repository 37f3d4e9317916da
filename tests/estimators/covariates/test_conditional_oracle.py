"""At the linear end a conditional model is a linear Gaussian model after regression on c."""

import jax
import numpy as np
import pytest
from numpy.testing import assert_allclose

import wellposed as wp
from wellposed import evaluation, models
from wellposed.estimators._prepare import prepare

pytestmark = [
    pytest.mark.usefixtures("x64"),
    pytest.mark.filterwarnings("ignore::wellposed.FloorWarning"),
]

LINEAR = {"prior": "standard", "hidden": (), "random_state": 0, "validation_fraction": 0.0}


def data(n=240, seed=0):
    """Rows of four features, then a batch 0, 1, 2 and a number."""
    rng = np.random.default_rng(seed)
    batch, age = rng.integers(3, size=n), rng.normal(50.0, 10.0, size=n)
    z = rng.normal(size=(n, 2))
    x = z @ rng.normal(size=(2, 4)) + rng.normal(size=(n, 4)) * [0.3, 0.5, 0.2, 0.4]
    x += rng.normal(0.0, 2.0, size=(3, 4))[batch] + 0.1 * age[:, None] * rng.normal(size=4)
    return np.column_stack([x, batch, age])


def start(X, **settings):
    vae = wp.VAE(2, covariates={4: "category", 5: "number"}, **{**LINEAR, **settings})
    return vae, prepare(vae, X, holds_out=False)


def design(X):
    """An intercept, indicators of the batches, and the age."""
    return np.column_stack([np.ones(len(X)), np.eye(3)[X[:, 4].astype(int)], X[:, 5]])


def log_normal(x, mean, covariance):
    centred = x - mean
    quadratic = (centred * np.linalg.solve(covariance, centred.T).T).sum(axis=1)
    log_det = np.linalg.slogdet(covariance)[1]
    return -0.5 * (x.shape[1] * np.log(2 * np.pi) + log_det + quadratic)


def ppca_after_regression(X, held_out, k=2):
    """log p(x | c) of held-out rows: least squares in standardised units, then pPCA, by hand."""
    scale = X[:, :4].std(axis=0)
    y = X[:, :4] / scale
    slopes = np.linalg.lstsq(design(X), y, rcond=1e-10)[0]
    residual = y - design(X) @ slopes
    values, vectors = np.linalg.eigh(residual.T @ residual / len(X))
    values, vectors = values[::-1], vectors[:, ::-1]
    variance = values[k:].mean()
    spread = (vectors[:, :k] * (values[:k] - variance)) @ vectors[:, :k].T
    mean = design(held_out) @ slopes
    log_p = log_normal(held_out[:, :4] / scale, mean, spread + variance * np.eye(4))
    return log_p - np.log(scale).sum()


@pytest.mark.parametrize("held_out", [False, True])
def test_log_p_is_that_of_ppca_after_regression(held_out):
    X = data()
    vae, prepared = start(X, noise="shared")
    rows = (
        data(60, seed=0) if not held_out else np.column_stack([data(60, seed=1)[:, :4], X[:60, 4:]])
    )
    given = evaluation.exact_log_likelihood(
        prepared.model, vae.rows_of(prepared.model, rows, to_train=False), key=jax.random.key(0)
    )
    assert_allclose(given, ppca_after_regression(X, rows), rtol=0, atol=1e-8)


@pytest.mark.parametrize("noise", ["shared", "feature"])
def test_the_bound_at_the_start_is_log_p(noise):
    # The posterior is exact, so that one draw of z gives log p(x | c) whatever it is.
    X = data()
    vae, prepared = start(X, noise=noise)
    rows = vae.rows_of(prepared.model, X, to_train=False)
    model, one = prepared.model, {"n_importance": 1, "n_samples": 1, "key": jax.random.key(3)}
    bound = evaluation.iwae(model, rows, **one).value
    exact = evaluation.exact_log_likelihood(model, rows, key=jax.random.key(0))
    assert_allclose(bound, exact, rtol=0, atol=1e-8)


def test_factor_analysis_by_its_dense_covariance():
    X = data()
    vae, prepared = start(X, noise="feature")
    model, rows = prepared.model, vae.rows_of(prepared.model, X, to_train=False)
    coded = models.given_columns(model, rows)

    def mean(c, z):
        return np.asarray(model.at(jax.numpy.asarray(c)).decode(jax.numpy.asarray(z)).mean)

    weight = np.stack([mean(coded[0], e) for e in np.eye(2)]) - mean(coded[0], np.zeros(2))
    variance = np.asarray(model.decode(jax.numpy.zeros(2)).variance)
    centres = np.stack([mean(c, np.zeros(2)) for c in coded[:20]])
    scale = np.asarray(model.transform.scale)
    y = (X[:20, :4] - np.asarray(model.transform.mean)) / scale
    log_p = log_normal(y, centres, weight.T @ weight + np.diag(variance)) - np.log(scale).sum()
    exact = evaluation.exact_log_likelihood(model, rows[:20], key=jax.random.key(0))
    assert_allclose(exact, log_p, rtol=0, atol=1e-8)
    # The regression: the mean residual of each batch is zero.
    each = np.stack([mean(c, np.zeros(2)) for c in coded])
    residual = (X[:, :4] - np.asarray(model.transform.mean)) / scale - each
    for batch in range(3):
        assert_allclose(residual[X[:, 4] == batch].mean(axis=0), 0.0, atol=1e-8)


def test_the_start_ignores_the_scale_and_the_levels_of_covariates():
    X = data()
    other = X.copy()
    other[:, 4], other[:, 5] = 7.0 - X[:, 4], 1e6 - 30.0 * X[:, 5]
    values = []
    for rows in (X, other):
        vae, prepared = start(rows, noise="shared")
        given = vae.rows_of(prepared.model, rows, to_train=False)
        values.append(evaluation.exact_log_likelihood(prepared.model, given, key=jax.random.key(0)))
    assert_allclose(values[0], values[1], rtol=0, atol=1e-7)


def test_the_estimate_by_importance_is_the_exact_value():
    X = data(60)
    vae = wp.VAE(
        2,
        covariates={4: "category", 5: "number"},
        noise="shared",
        max_epochs=3,
        patience=None,
        **LINEAR,
    )
    with pytest.warns(wp.TrainingWarning):
        vae.fit(X)
    exact = vae.score_samples(X, method="exact")
    sampled = vae.log_likelihood(X, 512)
    error = np.maximum(np.asarray(sampled.standard_error), 1e-6)
    assert (np.abs(np.asarray(sampled.value) - exact) < 6 * error).all()
    moved = vae.score_samples(np.column_stack([X[:, :4], (X[:, 4] + 1) % 3, X[:, 5]]))
    assert np.abs(moved - exact).mean() > 0.1


def test_regression_of_rows_with_gaps_leaves_out_the_gaps():
    rng = np.random.default_rng(0)
    c = rng.normal(size=(50, 2))
    y = c @ [[1.0, -2.0], [0.5, 3.0]] + 4.0
    y[::3, 1] = np.nan
    assert_allclose(models.regress(y, c), [[1.0, -2.0], [0.5, 3.0]], atol=1e-12)
