"""p(z) of an estimator: named, adopted from codes, saved with the model."""

import dataclasses
import pickle
import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import wellposed as wp
from once import over
from textbook import textbook_vae
from wellposed import evaluation, latents
from wellposed.estimators import _priors
from wellposed.estimators._priors import aggregate, draw_codes

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")

OLD = Path(__file__).parents[1] / "data" / "models" / "settings" / "vae-prior.wp"
QUICK = {"n_components": 4, "hidden": (64,), "max_epochs": 40, "image_shape": (8, 8)}
QUICK |= {"prior": "standard", "linear_start": False, "noise": "shared"}


def fitted_on(rows, **settings) -> wp.VAE:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wp.ConstantFeatureWarning)
        return textbook_vae(**{**QUICK, "random_state": 0, **settings}).fit(rows)


@pytest.fixture(scope="module")
def rows(digits):
    order = np.random.default_rng(0).permutation(len(digits))
    return digits[order[:1_300]], digits[order[1_300:]]


@pytest.fixture(scope="module")
def standard(rows, tmp_path_factory):
    """The file of a model whose prior is N(0, I)."""
    path = tmp_path_factory.mktemp("priors") / "standard.wp"
    fitted_on(rows[0]).save(path)
    return path


@pytest.fixture(scope="module")
def vae(standard, rows):
    """The same model with the mixture of its codes."""
    return wp.load(standard).adopt_prior(rows[0])


def energy(a: np.ndarray, b: np.ndarray) -> float:
    """Energy distance 2 E|a − b| − E|a − a'| − E|b − b'|, unbiased: zero for one distribution.

    References: Székely & Rizzo (2013).
    """

    def mean_distance(u, v):
        return np.sqrt(np.maximum(((u[:, None] - v) ** 2).sum(-1), 0))

    within = sum(mean_distance(u, u).sum() / (len(u) * (len(u) - 1)) for u in (a, b))
    return 2 * mean_distance(a, b).mean() - within


def draws_of(prior, n: int = 700) -> np.ndarray:
    return evaluation.draw_prior(prior, n, key=jax.random.key(7))


# -- one p(z) --------------------------------------------------------------------------------


def test_a_mixture_that_gains_is_sampled_and_scored(standard, vae, rows):
    before = wp.load(standard)
    assert isinstance(vae.model_.prior, latents.GaussianMixture)
    gain = vae.prior_gain_
    assert gain.value > 5 * gain.standard_error > 0
    held = evaluation.codes(before.model_, rows[1], key=jax.random.key(5), most=5_000).z
    own = energy(draws_of(vae.model_.prior), held)
    assert own < 0.5 * energy(draws_of(before.model_.prior), held)
    raised = evaluation.Estimate.of(vae.elbo(rows[1]) - before.elbo(rows[1]))
    error = np.hypot(raised.standard_error, gain.standard_error)
    assert abs(raised.value - gain.value) < 4 * error + 0.2 * gain.value
    assert vae.score(rows[1][:150]) > before.score(rows[1][:150])
    key = jax.random.split(jax.random.fold_in(vae.key("sample"), 0), 256)[0]  # of the first draw
    z = vae.model_.prior.sample(key=jax.random.split(key)[0])
    np.testing.assert_allclose(
        vae.sample(1, "mean")[0], vae.inverse_transform(np.asarray(z)[None])[0], atol=1e-3
    )


def test_fitting_with_the_name_is_fitting_and_adopting(rows):
    few = rows[0][:300]
    named = fitted_on(few, prior="aggregate", max_epochs=3)
    after = fitted_on(few, max_epochs=3).adopt_prior(few)
    assert named.prior_gain_ == after.prior_gain_
    np.testing.assert_array_equal(named.sample(4), after.sample(4))
    np.testing.assert_array_equal(named.elbo(few), after.elbo(few))


def test_a_mixture_that_gains_nothing_is_not_adopted_and_that_is_said(vae, rows):
    found = pickle.loads(pickle.dumps(vae))
    before = found.model_
    with pytest.warns(wp.TrainingWarning, match="the mixture of .* Gaussians stays"):
        assert found.adopt_prior(rows[0]) is found
    assert found.model_ is before
    assert found.prior_gain_.value < 2 * found.prior_gain_.standard_error


def test_a_loaded_model_has_the_same_prior_to_the_bit(vae, rows, tmp_path):
    vae.save(tmp_path / "model.wp")
    again = wp.load(tmp_path / "model.wp")
    assert again.prior_gain_ == vae.prior_gain_
    for one, other in zip(
        jax.tree.leaves(again.model_.prior), jax.tree.leaves(vae.model_.prior), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(again.sample(5), vae.sample(5))
    np.testing.assert_array_equal(again.score_samples(rows[1][:9]), vae.score_samples(rows[1][:9]))


def test_further_passes_train_the_adopted_prior(vae, rows):
    found = pickle.loads(pickle.dumps(vae))
    before = np.asarray(found.model_.prior.means)
    found.partial_fit(rows[0][:100])
    assert found.prior_gain_ is None
    moved = np.asarray(found.model_.prior.means)
    assert moved.shape == before.shape
    assert 0 < np.abs(moved - before).max() < 0.1


def test_files_with_priors_beside_the_models_keep_the_models(tmp_path):
    found = wp.load(OLD)
    assert isinstance(found.model_.prior, latents.StandardNormal)
    assert found.prior_gain_ is None
    assert not hasattr(found, "priors_")
    assert not hasattr(found, "_codes")
    found.save(tmp_path / "again.wp")
    np.testing.assert_array_equal(wp.load(tmp_path / "again.wp").sample(3), found.sample(3))


def test_the_mismatch_is_that_of_the_models_own_prior(standard, vae, rows):
    before = wp.load(standard).prior_mismatch(rows[1], rows[0])
    after = vae.prior_mismatch(rows[1])
    assert set(before.priors) == {"own", "aggregate"}
    assert set(after.priors) == {"own"}
    assert "codes and N(0, I)" in str(before)
    assert "Prior 'aggregate'" in str(before)
    assert "codes and the mixture of" in str(after)
    gain = before.priors["aggregate"].gain
    fallen = before.rate.value - after.rate.value
    assert abs(fallen - gain.value) < 5 * np.hypot(gain.standard_error, after.rate.standard_error)
    assert after.priors["own"].outside.value < before.priors["own"].outside.value


# -- the fit ---------------------------------------------------------------------------------


def three_clumps(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = np.array([[-3.0, 0.0], [3.0, 1.0], [0.0, 4.0]])
    return (centres[rng.integers(3, size=n)] + 0.3 * rng.normal(size=(n, 2))).astype(np.float32)


def test_the_mixture_finds_clumps():
    codes = three_clumps(900)
    found = aggregate(codes[:, None], key=jax.random.key(0), progress=False)
    assert len(found.prior.log_weights) >= 3
    held = three_clumps(900, seed=1)
    density = np.asarray(over(found.prior.log_prob, held))
    truth = np.log(1 / 3) - np.log(2 * np.pi * 0.09) - 1  # the clumps do not meet
    assert density.mean() == pytest.approx(truth, abs=0.15)
    gain = found.gain(latents.StandardNormal(2))
    own = evaluation.log_prior(latents.StandardNormal(2), held).mean()
    assert gain.value == pytest.approx(truth - own, abs=5 * gain.standard_error)


def test_codes_of_the_prior_gain_nothing():
    plain = np.random.default_rng(0).normal(size=(900, 3, 2)).astype(np.float32)
    found = aggregate(plain, key=jax.random.key(0), progress=False)
    assert len(found.prior.log_weights) == 1
    gain = found.gain(latents.StandardNormal(2))
    assert gain.value < 2 * gain.standard_error


def test_three_draws_of_a_row_tell_more_than_one():
    """q(z) = E q(z | x) over 300 rows, at draws of other rows."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(2_300, 1, 12))
    codes = (centres + rng.normal(size=(2_300, 3, 12))).astype(np.float32)
    fresh = codes[300:, 0]
    reached = [
        evaluation.log_prior(aggregate(some, key=jax.random.key(0), progress=False).prior, fresh)
        for some in (codes[:300, :1], codes[:300])
    ]
    assert reached[1].mean() > reached[0].mean() + 0.05


@pytest.mark.parametrize("n", [10, 13])
def test_a_handful_of_codes_still_makes_a_prior(n):
    codes = np.random.default_rng(0).normal(size=(n, 1, 3)).astype(np.float32)
    found = aggregate(np.repeat(codes, 3, axis=1), key=jax.random.key(0), progress=False)
    assert np.isfinite(draws_of(found.prior, 5)).all()
    assert np.isfinite(found.gain(latents.StandardNormal(3)).standard_error)


def test_at_most_so_many_codes_are_drawn(vae, rows, monkeypatch):
    monkeypatch.setattr(_priors, "MOST_CODES", 30)
    codes = draw_codes(vae.model_, rows[0][:100], key=jax.random.key(0))
    assert (codes.shape, codes.dtype) == ((30, 3, 4), np.float32)


# -- bad input -------------------------------------------------------------------------------


def test_unknown_priors_are_refused_with_the_closest(rows):
    with pytest.raises(wp.SettingError, match="Did you mean 'aggregate'"):
        textbook_vae(prior="agregate").fit(rows[0])
    with pytest.raises(TypeError, match="prior"):
        wp.load(OLD).sample(1, prior="aggregate")


def test_a_prior_needs_ten_rows(standard, rows):
    with pytest.raises(wp.DataError, match="at least 10 rows"):
        wp.load(standard).adopt_prior(rows[0][:9])
    with pytest.raises(wp.DataError, match="at least 10 rows"):
        textbook_vae(1, prior="aggregate", hidden=(8,)).fit(rows[0][:9, 20:24])


def test_codes_that_are_not_finite_are_refused(standard, rows):
    found = wp.load(standard)
    spoiled = jax.tree.map(lambda leaf: leaf + jnp.inf, found.model_.encoder)
    model = dataclasses.replace(found.model_, encoder=spoiled)
    with pytest.raises(wp.DataError, match="not finite"):
        draw_codes(model, rows[0][:20], key=jax.random.key(0))
