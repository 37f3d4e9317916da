"""p(z) of pseudo-inputs and p(z) by a flow, learned by an estimator with its ELBO."""

import copy
import dataclasses
import functools
import pickle
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import wellposed as wp
from once import over
from variants import slow_beside
from wellposed import evaluation, latents, training
from wellposed.estimators._build import member_of
from wellposed.estimators._prepare import prepare
from wellposed.estimators._settings import settings_of
from wellposed.training._rows import pad_rows
from wellposed.training._training import Training

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")

QUICK = {"n_components": 2, "hidden": (8,), "max_epochs": 3, "noise": "shared", "random_state": 0}
KEY = jax.random.key(0)


def clumps(n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = np.array([[-2.0, 0.0, 1.0, 0.5], [2.0, 1.0, 0.0, -1.0], [0.0, 3.0, -1.0, 0.0]])
    return centres[rng.integers(3, size=n)] + 0.4 * rng.normal(size=(n, 4))


@pytest.fixture(scope="module")
def rows():
    return clumps(160)


@functools.cache
def fitted_once(prior):
    return wp.VAE(prior=prior, **QUICK).fit(clumps(160))


def fitted(prior):
    if prior == "flow":
        pytest.importorskip("flowjax", reason="needs flowjax: pip install 'wellposed[flow]'")
    return copy.copy(fitted_once(prior))


@pytest.fixture(scope="module", params=slow_beside(["vamp", "flow"], ["vamp"]))
def vae(request):
    return fitted(request.param)


def start_of(prior, rows, **settings):
    """The model before training."""
    return prepare(wp.VAE(prior=prior, **{**QUICK, **settings}), rows).model


# -- the start -------------------------------------------------------------------------------


def test_a_flow_starts_with_the_elbo_of_the_linear_solution(rows):
    pytest.importorskip("flowjax")
    model = start_of("flow", rows)
    one = latents.GaussianMixture(jnp.zeros(1), jnp.zeros((1, 2)), jnp.eye(2)[None])
    plain = dataclasses.replace(model, prior=one)  # N(0, I), its rate by draws as well
    found, truth = (
        np.asarray(evaluation.elbo(m, rows, n_samples=4, key=KEY).elbo) for m in (model, plain)
    )
    np.testing.assert_allclose(found, truth, atol=1e-3)
    exact = wp.PPCA(2, transform="standardize").fit(rows).score(rows)
    mean = evaluation.elbo(model, rows, n_samples=64, key=KEY).elbo.mean()
    assert mean == pytest.approx(exact, abs=1e-3 * abs(exact))


def test_pseudo_inputs_start_at_rows_of_the_data(rows):
    model = start_of("vamp", rows, n_prior_components=40)
    inputs = np.asarray(model.prior.pseudo_inputs)
    assert (inputs.shape, model.prior.k) == ((40, 4), 2)
    mapped = np.asarray(
        over(
            lambda x: model.encoder_input(model.to_model_units(x, key=KEY).value),
            jnp.asarray(rows, jnp.float32),
        )
    )
    distance = np.abs(inputs[:, None] - mapped).max(-1)
    assert distance.min(axis=1).max() < 0.06
    assert len(set(distance.argmin(axis=1))) == 40


@pytest.mark.parametrize("fraction", [0.0, 0.5])
def test_pseudo_inputs_start_at_no_row_that_is_held_out(rows, fraction):
    vae = wp.VAE(prior="vamp", n_prior_components=80, validation_fraction=fraction, **QUICK)
    prepared = prepare(vae, rows)
    data, model = prepared.rows, prepared.model
    member = member_of(settings_of(vae), model, len(data), key=vae.key("fit"))
    split = Training.of(member, len(data), jnp.asarray(pad_rows(data))).split
    held_out = np.array([], int) if split.held is None else split.held.host
    mapped = np.asarray(
        over(
            lambda x: model.encoder_input(model.to_model_units(x, key=KEY).value),
            jnp.asarray(rows, jnp.float32),
        )
    )
    inputs = np.asarray(model.prior.pseudo_inputs)
    nearest = np.abs(inputs[:, None] - mapped).max(-1).argmin(axis=1)
    assert len(set(nearest)) == 80
    assert not set(nearest) & set(held_out)
    assert len(held_out) == fraction * len(rows)


def test_more_pseudo_inputs_than_rows_to_train_on_are_refused(rows):
    with pytest.raises(wp.SettingError, match=r"that are trained on, 80; got n_prior_compon.*=81"):
        start_of("vamp", rows, n_prior_components=81, validation_fraction=0.5)
    # A pass over a piece of the data holds nothing out.
    start = prepare(
        wp.VAE(prior="vamp", n_prior_components=81, validation_fraction=0.5, **QUICK),
        rows,
        holds_out=False,
    ).model
    assert len(start.prior.pseudo_inputs) == 81


def test_equal_rows_give_unequal_pseudo_inputs():
    inputs = np.asarray(start_of("vamp", np.repeat(clumps(8), 20, axis=0)).prior.pseudo_inputs)
    gaps = np.abs(inputs[:, None] - inputs).max(-1) + np.eye(len(inputs))
    assert gaps.min() > 1e-4


# -- the trained model -----------------------------------------------------------------------


def test_a_fit_keeps_the_mixture_at_the_trained_encoder():
    model = fitted("vamp").model_
    assert isinstance(model.prior, latents.GaussianMixture)
    assert len(model.prior.log_weights) == 8  # one for twenty rows
    scales = np.asarray(model.prior.cholesky)
    np.testing.assert_array_equal(scales, scales * np.eye(2))


def test_pseudo_inputs_move_in_training(rows):
    start = start_of("vamp", rows)
    seen = []
    run = training.fit(
        start,
        rows,
        key=KEY,
        plan=training.Plan(max_epochs=2),
        callbacks=[lambda r: seen.append(r.model)],
    )
    for model in (*seen, run.model):
        assert isinstance(model.prior, latents.GaussianMixture)
    first = dataclasses.replace(run.model, prior=start.prior).with_fixed_prior().prior
    assert np.abs(first.means - run.model.prior.means).max() > 1e-4


@pytest.mark.slow
def test_both_learn_clumps(rows):
    """A little training suffices to leave N(0, I)."""
    plain = fitted("standard")
    for prior in ("vamp", "flow"):
        longer = {**QUICK, "max_epochs": 60}
        assert wp.VAE(prior=prior, **longer).fit(rows).score(rows) > plain.score(rows) + 0.05


def test_saved_and_loaded_it_scores_and_draws_the_same_bits(vae, rows, tmp_path):
    vae.save(tmp_path / "model.wp")
    for again in (wp.load(tmp_path / "model.wp"), pickle.loads(pickle.dumps(vae))):
        np.testing.assert_array_equal(
            again.score_samples(rows[:9], 8), vae.score_samples(rows[:9], 8)
        )
        np.testing.assert_array_equal(again.sample(5), vae.sample(5))
        np.testing.assert_array_equal(again.elbo(rows[:9]), vae.elbo(rows[:9]))


@pytest.mark.slow
def test_every_measure_takes_it(vae, rows):
    few = rows[:60]
    collapse = vae.collapse(few)
    assert np.isfinite(collapse.rates).all()
    mismatch = vae.prior_mismatch(few)
    assert mismatch.prior == vae.model_.prior.notation
    score = vae.log_likelihood(few, 256)
    assert np.isfinite(score.value).all()
    annealed = evaluation.ais(vae.model_, few[:3], n_chains=8, n_steps=60, key=KEY)
    np.testing.assert_allclose(annealed.value, score.value[:3], atol=0.2)
    assert (vae.elbo(few, 64) < score.value + 0.1).all()


def test_passes_over_pieces_train_it_further(rows):
    vae = wp.VAE(prior="vamp", **QUICK).partial_fit(rows)
    first = np.asarray(vae.model_.prior.means)
    vae.partial_fit(rows)
    assert isinstance(vae.model_.prior, latents.GaussianMixture)
    assert np.abs(np.asarray(vae.model_.prior.means) - first).max() > 1e-5
    scales = np.asarray(vae.model_.prior.cholesky)
    np.testing.assert_array_equal(scales, scales * np.eye(2))  # pseudo-inputs still


@pytest.mark.slow
def test_a_grid_trains_it(rows):
    grid = wp.fit_grid(wp.VAE(prior="vamp", **QUICK), {"learning_rate": [1e-3, 2e-3]}, rows)
    assert all(np.isfinite(row["elbo"]) for row in grid.rows)
    assert isinstance(grid.best.model_.prior, latents.GaussianMixture)


# -- bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize("prior", ["vamp", "flow"])
@pytest.mark.slow
def test_a_single_latent_of_a_single_feature(prior, rows):
    vae = wp.VAE(prior=prior, **{**QUICK, "n_components": 1, "max_epochs": 1}).fit(rows[:, :1])
    assert np.isfinite(vae.elbo(rows[:5, :1])).all()
    assert np.isfinite(vae.sample(3)).all()


def test_more_pseudo_inputs_than_rows_are_refused(rows):
    with pytest.raises(wp.SettingError, match="trained on, 18; got n_prior_components=21"):
        wp.VAE(prior="vamp", n_prior_components=21, **QUICK).fit(rows[:20])


@pytest.mark.parametrize("prior", ["flow", "standard", "aggregate", latents.StandardNormal(2)])
def test_a_prior_without_components_has_no_number_of_them(prior, rows):
    with pytest.raises(wp.SettingError, match=r'n_prior_components=5 .* Leave .* "auto"'):
        wp.VAE(prior=prior, n_prior_components=5, **QUICK).fit(rows)


def test_pseudo_inputs_of_other_features_are_refused(rows):
    prior = latents.VampPrior(jnp.zeros((5, 3)), 2)
    with pytest.raises(wp.SettingError, match=r"as the encoder's input, 4; .* have 3"):
        wp.VAE(prior=prior, **QUICK).fit(rows)


def test_without_its_package_a_flow_is_neither_fitted_nor_loaded(rows, tmp_path, monkeypatch):
    fitted("flow").save(tmp_path / "model.wp")
    monkeypatch.setitem(sys.modules, "flowjax", None)
    with pytest.raises(wp.SettingError, match=r"needs flowjax.*wellposed\[flow\]"):
        wp.VAE(prior="flow", **QUICK).fit(rows)
    with pytest.raises(wp.SettingError, match=r"model\.wp: .*needs flowjax.*wellposed\[flow\]"):
        wp.load(tmp_path / "model.wp")


def test_a_flow_with_arrays_of_other_shapes_is_not_saved(rows, tmp_path):
    vae = fitted("flow")
    prior = vae.model_.prior
    for spoiled in (
        dataclasses.replace(prior, width=10_000),
        dataclasses.replace(prior, arrays=prior.arrays[:3]),
        latents.VampPrior(jnp.zeros((5, 4)), 2),
    ):
        vae.model_ = dataclasses.replace(vae.model_, prior=spoiled)
        with pytest.raises(wp.SettingError):
            vae.save(tmp_path / "model.wp")


WORDS = {"vamp": "more pseudo-inputs", "flow": "replaces the flow", "mixture": "more components"}


@pytest.mark.parametrize("prior", slow_beside(WORDS, ["mixture"]))
def test_the_remedy_of_a_mismatch_fits_the_prior(prior, rows):
    if prior == "flow":
        pytest.importorskip("flowjax")
    vae = fitted(prior)
    remedy = vae.prior_mismatch(rows[:60]).remedy
    assert WORDS[prior] in remedy
    assert not any(words in remedy for name, words in WORDS.items() if name != prior)
    finding = next(
        f for f in wp.diagnose(vae, rows[:60]).findings if f.question == "Does q(z) match p(z)?"
    )
    assert finding.remedy in ("", remedy, "Pass more rows.")
    assert vae.prior_setting == prior


def test_the_remedy_of_an_adopted_mixture_is_its_own(rows):
    vae = fitted("standard")
    assert 'prior="mixture"' in vae.prior_mismatch(rows[:60]).remedy
    adopted = vae.adopt_prior(rows)
    expected = {"standard": "prior=", "aggregate": "again"}[vae.prior_setting]
    assert expected in adopted.prior_mismatch(rows[:60]).remedy


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_pseudo_inputs_of_rows_with_gaps_have_the_marks_as_well():
    """Four features, and a mark for each."""
    settings = {"hidden": (4,), "max_epochs": 1, "missing": "ignorable", "random_state": 0}
    rows = np.random.default_rng(0).normal(size=(60, 4))
    rows[::7, 1] = np.nan
    whole = wp.latents.VampPrior(pseudo_inputs=np.ones((5, 8), np.float32), k=2)
    assert np.isfinite(wp.VAE(2, prior=whole, **settings).fit(rows).score(rows))
    narrow = wp.latents.VampPrior(pseudo_inputs=np.ones((5, 4), np.float32), k=2)
    with pytest.raises(wp.SettingError, match="encoder's input, 8"):
        wp.VAE(2, prior=narrow, **settings).fit(rows)
