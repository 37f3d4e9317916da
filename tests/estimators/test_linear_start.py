"""A training starts at the exact linear solution, and never ends below it."""

import jax
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.datasets import load_breast_cancer, load_wine

import wellposed as wp
from variants import slow_beside
from wellposed import evaluation, noise

# One epoch is cut short on purpose; features may be at their floor, and some are amounts.
pytestmark = pytest.mark.filterwarnings(
    "ignore::wellposed.TrainingWarning",
    "ignore::wellposed.FloorWarning",
    "ignore::wellposed.DataHint",
)

UNTRAINED = {"max_epochs": 1, "learning_rate": 1e-30, "validation_fraction": 0.0, "patience": None}
TABLES = {"wine": load_wine, "breast cancer": load_breast_cancer}


@pytest.fixture(params=slow_beside(TABLES, ["wine"]), scope="module")
def table(request):
    return np.asarray(TABLES[request.param](return_X_y=True)[0])


def untrained(X, **settings):
    given = {"prior": "standard", "hidden": (4,), "random_state": 0, **UNTRAINED, **settings}
    return wp.VAE(**given).fit(X)


def mean_elbo(vae, X):
    """Mean ELBO, and its error over 64 draws a row."""
    draws = [
        np.asarray(
            evaluation.elbo(vae.model_, vae.rows(X), n_samples=4, key=jax.random.key(i)).elbo
        ).mean()
        for i in range(16)
    ]
    return np.mean(draws), np.std(draws) / 4


def test_one_variance_starts_at_probabilistic_pca(table):
    vae = untrained(table, n_components=5, noise="shared")
    exact = wp.PPCA(5, transform="standardize").fit(table).score(table)
    value, error = mean_elbo(vae, table)
    assert abs(value - exact) < 4 * error + 1e-4 * abs(exact)


@pytest.mark.parametrize("word", slow_beside(["feature", "conditional"], ["conditional"]))
def test_a_variance_each_starts_at_factor_analysis(table, word):
    # The ELBO by one importance draw: σ² is not refitted after training.
    vae = untrained(table, n_components=3, noise=word, objective="iwae", n_importance=1)
    model = vae.model_
    weight = np.asarray(model.decoder.weight, np.float64).T * float(model.noise.centred.scale)
    raw = np.zeros(model.noise.n_raw * len(weight), np.float32)
    variance = np.asarray(model.noise(raw).variance, np.float64)
    # log p(x) of the linear model that the parameters state, by its dense covariance.
    y = (table - np.asarray(model.transform.mean)) / np.asarray(model.transform.scale)
    covariance = weight @ weight.T + np.diag(variance)
    centred = y - y.mean(axis=0)
    quadratic = (centred * np.linalg.solve(covariance, centred.T).T).sum(axis=1)
    d = len(weight)
    log_det = np.linalg.slogdet(covariance)[1]
    exact = -0.5 * (d * np.log(2 * np.pi) + log_det + quadratic).mean()
    exact -= np.log(np.asarray(model.transform.scale, np.float64)).sum()
    value, error = mean_elbo(vae, table)
    assert abs(value - exact) < 4 * error + 1e-4 * abs(exact)
    # A start drawn at random is far below.
    cold = untrained(table, n_components=3, noise=word, linear_start=False)
    assert mean_elbo(cold, table)[0] < exact - 1


def test_the_latents_are_active_in_the_order_of_the_forecast(table):
    vae = untrained(table, n_components=5, noise="shared")
    rates = vae.collapse(table).rates
    assert (np.diff(rates) < 1e-3).all()


def test_a_training_that_finds_nothing_returns_the_start(table):
    worse = {"learning_rate": 3.0, "max_epochs": 2, "patience": None, "ema_decay": 0.0}
    worse |= {"prior": "standard"}
    vae = wp.VAE(3, hidden=(4,), random_state=0, **worse).fit(table)
    start = wp.VAE(3, hidden=(4,), random_state=0, **{**worse, "learning_rate": 1e-30}).fit(table)
    assert_allclose(vae.elbo(table), start.elbo(table), rtol=1e-5)
    assert (vae.best_epoch_, vae.n_epochs_) == (0, 2)


def test_the_best_epoch_is_that_of_the_history(table, tmp_path):
    settings = {"hidden": (4,), "max_epochs": 5, "patience": None, "random_state": 0}
    settings |= {"prior": "standard"}
    vae = wp.VAE(3, **settings).fit(table)
    held_out = vae.history_["held_out_objective"]
    assert vae.best_epoch_ in (0, held_out.argmax() + 1)
    cold = wp.VAE(3, linear_start=False, **settings).fit(table)
    assert cold.best_epoch_ == cold.history_["held_out_objective"].argmax() + 1
    assert wp.VAE(3, validation_fraction=0, **settings).fit(table).best_epoch_ == 5
    vae.save(tmp_path / "model.wp")
    assert wp.load(tmp_path / "model.wp").best_epoch_ == vae.best_epoch_


def test_more_latents_than_directions_start_collapsed():
    X = np.random.default_rng(0).normal(size=(200, 2)) @ [[1.0, 2.0, 0.5], [0.3, -1.0, 1.0]]
    X += 0.1 * np.random.default_rng(1).normal(size=X.shape)
    vae = untrained(X, n_components=5, noise="shared")
    rates = vae.collapse(X).rates
    assert (rates[3:] < 1e-6).all()
    assert (rates[:2] > 0.5).all()


def test_features_that_never_vary_and_a_single_column(table):
    X = np.column_stack([table[:, :3], np.full(len(table), 7.0)])
    with pytest.warns(wp.ConstantFeatureWarning):
        assert np.isfinite(untrained(X, n_components=2, noise="feature").elbo(X)).all()
    assert np.isfinite(untrained(table[:, :1]).elbo(table[:, :1])).all()


@pytest.mark.parametrize(
    "family", [noise.Laplace(), noise.StudentT("feature"), noise.LowRankGaussian(1)]
)
def test_other_families_start_with_the_means_of_the_linear_solution(table, family):
    """The first reconstruction is about as near as that of probabilistic PCA."""
    vae = untrained(table, n_components=3, noise=family)
    ppca = wp.PPCA(3, transform="standardize").fit(table)
    scale = table.std(axis=0)
    ours, exact = (
        np.square((model.reconstruct(table) - table) / scale).mean() for model in (vae, ppca)
    )
    assert ours < 1.3 * exact


def test_own_networks_and_noise_without_a_linear_location_start_as_drawn():
    X = (np.random.default_rng(0).uniform(size=(60, 4)) > 0.5).astype(float)
    vae = wp.VAE(2, noise="bernoulli", hidden=(4,), max_epochs=1, random_state=0).fit(X)
    assert type(vae.model_.decoder).__name__ == "MLP"
