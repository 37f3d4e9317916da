"""The variance split where it is known in closed form."""

import importlib

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import wellposed as wp
from linear_gaussian import exact_model, rows_of
from wellposed import evaluation, noise, transforms

module = importlib.import_module("wellposed.evaluation.variance.variance_split")

KEY = jax.random.key(0)
VARIANCE = 0.3


def loadings_of(model):
    return np.asarray(model.decoder.weight, np.float64).T


def near(found, exact, error, errors=4.5):
    assert (np.abs(found - exact) < errors * error + 1e-6 * (1 + np.abs(exact))).all()


def is_split(found, explained, kept):
    near(found.explained, explained, found.explained_error)
    near(found.kept, kept, found.kept_error)
    near(found.sum, explained + kept, found.sum_error)
    near(found.total_explained.value, explained.sum(), found.total_explained.standard_error)
    near(found.total_kept.value, np.sum(kept), found.total_kept.standard_error)


@pytest.mark.parametrize("exact", [True, False], ids=["moments", "draws"])
def test_a_solved_model_is_split_as_its_loadings_say(exact, monkeypatch):
    if not exact:
        monkeypatch.setattr(module, "is_affine", lambda model: False)
    model, density = exact_model()
    found = evaluation.variance_split(model, rows_of(density, 2000), key=KEY)
    explained = (loadings_of(model) ** 2).sum(axis=1)
    kept = np.full(5, VARIANCE)
    is_split(found.prior, explained, kept)
    is_split(found.posterior, explained, kept)
    near(found.data, np.diag(density.cov), found.data_error)
    near(found.total_ratio.value, 1.0, found.total_ratio.standard_error)
    near(found.prior.share.value, 1.0, found.prior.share.standard_error)
    assert found.gain.value < 0.01
    assert (found.prior.kept_error > 0).all() != exact
    assert "where the likelihood is largest" in found.verdict


def test_draws_have_the_excess_of_the_noise_that_the_data_lack():
    model, density = exact_model()
    narrow = exact_model(variance=0.1)[1]
    found = evaluation.variance_split(model, rows_of(narrow, 2000), key=KEY)
    near(found.drawn_excess, np.diag(density.cov) - np.diag(narrow.cov), found.data_error)


def test_errors_are_the_scatter_over_data():
    model, density = exact_model(spread=0.7)
    found = [
        evaluation.variance_split(model, rows_of(density, 60, seed), key=jax.random.key(seed))
        for seed in range(100)
    ]

    def agree(of):
        values = [of(f) for f in found]
        stated = np.mean([v.standard_error for v in values])
        assert stated == pytest.approx(np.std([v.value for v in values]), rel=0.25)

    agree(lambda f: f.posterior.total_explained)
    agree(lambda f: f.posterior.share)
    agree(lambda f: f.prior.total_explained)
    agree(lambda f: f.prior.share)
    agree(lambda f: f.total_ratio)
    agree(lambda f: f.total_data)
    explained = (loadings_of(model) ** 2).sum()
    mean = np.mean([f.prior.total_explained.value for f in found])
    error = np.std([f.prior.total_explained.value for f in found]) / np.sqrt(100)
    assert abs(mean - explained) < 3.5 * error  # unbiased


@pytest.mark.parametrize("kind", ["given", "feature", "rescaled"])
def test_the_gain_is_what_the_best_noise_variance_gains(kind):
    """Residuals of an encoder 1.5 times too wide, and noise of twice the variance of the data's.

    At the mean squared residual r, ½[r/σ² − 1 − log(r/σ²)] a feature.
    """
    model, density = exact_model(spread=1.5)
    wide = {
        "given": noise.Gaussian(2 * VARIANCE),
        "feature": learned("feature", density, 0.0, jnp.full(5, 2 * VARIANCE)),
        "rescaled": noise.Rescaled(model.noise, np.sqrt(2.0)),
    }[kind]
    model = eqx.tree_at(lambda m: m.noise, model, wide)
    loadings = loadings_of(model)
    precision = loadings.T @ loadings + VARIANCE * np.eye(2)
    h = np.diag(loadings @ np.linalg.solve(precision, loadings.T))
    residual = VARIANCE * (1 + (1.5**2 - 1) * h)
    found = evaluation.variance_split(model, rows_of(density, 3000), key=KEY)
    near(found.noise_ratio, 2 * VARIANCE / residual, found.noise_ratio_error)
    near(found.total_ratio.value, 10 * VARIANCE / residual.sum(), found.total_ratio.standard_error)
    error = 2 * VARIANCE * found.noise_ratio_error / found.noise_ratio**2
    near(found.noise_excess, 2 * VARIANCE - residual, error)
    at = np.full(5, residual.mean()) if kind == "given" else residual
    share = at / (2 * VARIANCE)
    gain = 0.5 * (share - 1 - np.log(share)).sum()
    near(found.gain.value, gain, found.gain.standard_error)
    assert found.gain.value > 3 * found.gain.standard_error
    assert "explain already" in found.verdict


def learned(kind, density, floor, variance):
    """Noise at a variance, for networks in model units, which centred outputs are not."""
    of_data = noise.Gaussian(kind, floor=floor).initialise(moments_of(density))
    return eqx.tree_at(lambda n: n.centred, of_data.refit(variance), None)


def moments_of(density):
    of = np.diag(density.cov)
    return transforms.Moments(
        jnp.zeros(5), jnp.asarray(of), jnp.full(5, 0.01), jnp.ones(5, bool), n=100
    )


def test_a_floor_bounds_the_gain():
    """σ cannot go where the floor does not let it."""
    model, density = exact_model()
    floored = learned("shared", density, 1.0, jnp.full(5, 0.1))
    model = eqx.tree_at(lambda m: m.noise, model, floored)
    found = evaluation.variance_split(model, rows_of(density, 300), key=KEY)
    assert found.total_ratio.value > 3
    assert found.gain.value == pytest.approx(0, abs=0.01)


def test_data_units_are_those_of_the_rows():
    """The same model seen through a scale and an offset, where float32 has few digits."""
    model, density = exact_model()
    rows = rows_of(density, 800)
    units = transforms.Standardize().fit(transforms.summarise(rows, np.zeros(5)))
    scale, mean = np.asarray([1.0, 10.0, 0.1, 3.0, 1.0]), np.array([0, 1000.0, 0, -3, 0])
    units = eqx.tree_at(lambda t: (t.mean, t.scale), units, (jnp.asarray(mean), jnp.asarray(scale)))
    moved = eqx.tree_at(lambda m: m.transform, model, units)
    found = evaluation.variance_split(moved, rows * scale + mean, key=KEY)
    is_split(found.posterior, scale**2 * (loadings_of(model) ** 2).sum(1), scale**2 * VARIANCE)
    own = evaluation.variance_split(model, rows, key=KEY)
    np.testing.assert_allclose(found.linear.explained, scale**2 * own.linear.explained, rtol=1e-4)
    np.testing.assert_allclose(found.linear.kept, scale**2 * own.linear.kept, rtol=1e-4)


def test_ppca_beside_it_is_ppca():
    model, density = exact_model()
    rows = rows_of(density, 500)
    ppca = wp.PPCA(2).fit(rows)
    found = evaluation.variance_split(model, rows, key=KEY).linear
    np.testing.assert_allclose(found.explained, (ppca.components_**2).sum(axis=0), rtol=1e-10)
    np.testing.assert_allclose(found.kept, ppca.noise_variance_, rtol=1e-10)
    few = evaluation.variance_split(model, rows[:3], key=KEY).linear
    assert few.n_components == 1  # two directions vary: one is left to the noise


@pytest.mark.parametrize("kind", ["counts", "levels"])
def test_whole_numbers_are_split_too(kind):
    """The sum of the prior's two parts is the variance of the model's own draws."""
    model, _ = exact_model(d=3)
    decoder = wp.nn.Linear(0.5 * model.decoder.weight, jnp.zeros(3))
    if kind == "counts":
        rows = np.random.default_rng(0).poisson(3.0, size=(400, 3))
        summary = transforms.summarise(rows, None)
        units, law = transforms.Identity(), noise.Poisson()
    else:
        rows = np.random.default_rng(0).binomial(15, 0.4, size=(400, 3))
        summary = transforms.summarise(rows, None)
        units, law = transforms.Logit(16, alpha=1e-3).fit(summary), noise.Gaussian(0.5)
    law = law.initialise(units.moments(summary, key=KEY))
    parts = (units, decoder, law)
    model = eqx.tree_at(lambda m: (m.transform, m.decoder, m.noise), model, parts)
    found = evaluation.variance_split(model, rows, key=KEY, n_draws=20)
    drawn = evaluation.samples(model, 20_000, how="ancestral", alpha=1.0, key=KEY)
    error = np.hypot(found.prior.sum_error, drawn.var(axis=0) * np.sqrt(3 / 20_000))
    near(found.prior.sum, drawn.var(axis=0), error)
    assert (found.gain is None) == (kind == "counts")
    if kind == "counts":
        z = np.random.default_rng(1).normal(size=(50_000, 2))
        mean = np.exp(np.asarray(law.start) + z @ np.asarray(decoder.weight))
        near(found.prior.kept, mean.mean(axis=0), found.prior.kept_error)


def test_constants_are_left_out_of_the_verdict():
    model, density = exact_model()
    rows = rows_of(density, 300)
    rows[:, 3] = 7.0
    found = evaluation.variance_split(model, rows, key=KEY)
    assert np.isnan(found.noise_ratio[3])
    assert np.isfinite(found.prior.share.value)
    assert "4 features that vary" in str(found)


def test_too_little_is_refused():
    model, density = exact_model()
    with pytest.raises(wp.DataError, match="3 rows or more"):
        evaluation.variance_split(model, rows_of(density, 2), key=KEY)
    with pytest.raises(wp.DataError, match="are constant"):
        evaluation.variance_split(model, np.ones((5, 5)), key=KEY)
    with pytest.raises(wp.SettingError, match="n_draws"):
        evaluation.variance_split(model, rows_of(density, 5), key=KEY, n_draws=0)
