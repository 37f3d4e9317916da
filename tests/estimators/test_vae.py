"""The estimator as a user calls it."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import wellposed as wp
from textbook import textbook_vae
from variants import slow_beside
from wellposed import evaluation
from wellposed.estimators._build import plan_of
from wellposed.estimators._prepare import prepare
from wellposed.training import Plan

QUICK = {
    "n_components": 2,
    "hidden": (16,),
    "max_epochs": 60,
    "learning_rate": 0.005,
    "random_state": 0,
}
TRUTH = wp.datasets.linear_gaussian(600, n_features=5, n_latents=2, noise_variance=0.3, seed=0)
X = TRUTH.values


@pytest.fixture(scope="module")
def vae() -> wp.VAE:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wp.TrainingWarning)
        return textbook_vae(**QUICK).fit(X)


pytestmark = pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")


# -- densities -------------------------------------------------------------------------------


@pytest.mark.slow
def test_scores_approach_the_exact_density_from_below(vae):
    exact = TRUTH.log_density
    scores = vae.score_samples(X, n_samples=500)
    assert np.corrcoef(scores, exact)[0, 1] > 0.9
    assert 0 < exact.mean() - scores.mean() < 0.5
    assert vae.elbo(X).mean() < scores.mean()


@pytest.mark.parametrize(
    "transform",
    [
        "standardize",
        pytest.param(wp.transforms.Standardize(shared=True), marks=pytest.mark.slow),
    ],
)
def test_rescaling_the_data_changes_the_density_by_its_jacobian(transform):
    """Exactly −d·log c: the model is fitted in units of its own."""
    c = 8.0  # a power of two, so that float32 rescales without rounding
    one = textbook_vae(**QUICK, transform=transform, resolution=0.01).fit(X)
    other = textbook_vae(**QUICK, transform=transform, resolution=0.01 * c).fit(c * X)
    shift = other.elbo(c * X, n_samples=200).mean() - one.elbo(X, n_samples=200).mean()
    assert shift == pytest.approx(-X.shape[1] * np.log(c), abs=0.02)
    bounds = [vae.model_.log_density_bound(X.shape[1]) for vae in (one, other)]
    assert bounds[1] - bounds[0] == pytest.approx(-X.shape[1] * np.log(c), rel=1e-5)


def test_a_score_is_of_the_row_alone(vae):
    some = X[:130]  # of three chunks
    whole = vae.score_samples(some)
    np.testing.assert_array_equal(vae.score_samples(some), whole)
    np.testing.assert_array_equal(vae.score_samples(some[::-1])[::-1], whole)
    np.testing.assert_array_equal(vae.score_samples(some[7:8]), whole[7:8])


def test_scoring_refits_nothing(vae):
    before = vae.noise_variance_
    vae.score_samples(100 * X[:9])
    assert vae.noise_variance_ == before
    assert before == pytest.approx(float(vae.model_.noise.variance()), rel=1e-6)  # of the host


@pytest.mark.parametrize("n_samples", slow_beside([1, 2, 77, 4096, 5000], [2, 5000]))
def test_the_number_of_draws_asked_for_is_the_number_used(n_samples, x64):
    """With an exact posterior all weights are equal, and the effective sample size is the count."""
    from linear_gaussian import exact_model, rows_of

    model, density = exact_model()
    rows = rows_of(density, 3)
    import jax

    found = evaluation.log_likelihood(model, rows, n_samples=n_samples, key=jax.random.key(0))
    np.testing.assert_allclose(found.effective_sample_size, n_samples, rtol=1e-6)
    np.testing.assert_allclose(found.value, density.logpdf(rows), rtol=1e-6)


def test_no_elbo_exceeds_the_bound(vae):
    bound = vae.model_.log_density_bound(X.shape[1])
    assert np.isfinite(bound)
    assert vae.elbo(X).max() <= bound


def test_a_certain_latent_has_a_posterior_narrower_than_the_prior(vae):
    import jax
    import jax.numpy as jnp

    def scale(x):
        y = vae.model_.transform.forward(x, key=jax.random.key(0)).value
        return vae.model_.encode(y).scale

    assert float(jax.vmap(scale)(jnp.asarray(X, jnp.float32)).mean(axis=0).min()) < 0.5


def test_densities_are_exact_for_an_exact_posterior_in_other_units(vae):
    """The model solved in closed form, put behind a change of units: log p(y) − Σ log s."""
    import equinox as eqx
    import jax.numpy as jnp

    from linear_gaussian import exact_model, rows_of

    model, density = exact_model()
    scale = np.array([0.1, 3.0, 7.0, 0.5, 20.0], np.float32)
    units = eqx.tree_at(
        lambda t: (t.mean, t.scale, t.varies),
        vae.model_.transform,
        (jnp.zeros(5), jnp.asarray(scale), jnp.ones(5, bool)),
    )
    solved_vae = copy.copy(vae)
    solved_vae.model_ = eqx.tree_at(lambda m: m.transform, model, units)
    rows = rows_of(density, 50)
    exact = density.logpdf(rows) - np.log(scale).sum()
    found = solved_vae.score_samples(rows * scale)
    np.testing.assert_allclose(found, exact, atol=2e-4)
    assert solved_vae.score(rows * scale) == pytest.approx(exact.mean(), abs=2e-4)


def test_the_number_of_draws_is_passed_on(vae):
    found = vae.log_likelihood(X[:20], 7).effective_sample_size
    assert found.max() <= 7.001
    assert found.max() > 2
    np.testing.assert_array_equal(vae.score_samples(X[:20], 7), vae.log_likelihood(X[:20], 7).value)
    assert not np.array_equal(vae.score_samples(X[:20], 7), vae.score_samples(X[:20], 128))


# -- draws -----------------------------------------------------------------------------------


def test_coupled_draws_are_one_quantile_away_from_the_means(vae):
    sigma = np.sqrt(vae.noise_variance_) * np.asarray(vae.model_.transform.scale)
    mean = vae.sample(10, how="mean")
    for alpha in (-1.0, 2.0):
        coupled = vae.sample(10, how="coupled", alpha=alpha)
        np.testing.assert_allclose(coupled - mean, np.tile(alpha * sigma, (10, 1)), rtol=1e-3)


def test_draws_are_of_the_kind_asked_for(vae):
    """Ancestral draws are the means and the noise that they lack, draw by draw."""
    noise = vae.sample(2_000) - vae.sample(2_000, how="mean")
    scale = np.asarray(vae.model_.transform.scale)
    expected = np.sqrt(vae.noise_variance_) * scale
    np.testing.assert_allclose(noise.std(axis=0), expected, rtol=0.08)


def test_draws_repeat_with_their_seed_and_differ_without(vae):
    np.testing.assert_array_equal(vae.sample(3), vae.sample(3))
    assert not np.array_equal(vae.sample(3), vae.sample(3, random_state=1))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"how": "means"}, "'mean'"),
        ({"n_samples": 0}, "n_samples"),
    ],
)
def test_draws_are_asked_for_by_name(vae, arguments, words):
    with pytest.raises(wp.SettingError, match=words):
        vae.sample(**arguments)


# -- company ---------------------------------------------------------------------------------


def test_transform_and_its_inverse_reconstruct(vae):
    np.testing.assert_allclose(
        vae.inverse_transform(vae.transform(X)), vae.reconstruct(X), rtol=1e-4, atol=1e-4
    )
    residual = ((X - vae.reconstruct(X)) ** 2).mean()
    assert residual < 0.6 * X.var(axis=0).mean()
    with pytest.raises(wp.SettingError, match="2 columns"):
        vae.inverse_transform(np.zeros((1, 3)))


def test_the_setting_and_the_method_share_a_name(vae):
    assert vae.get_params()["transform"] == "auto"
    assert vae.transform(X).shape == (600, 2)
    assert clone(vae).set_params(transform="identity").get_params()["transform"] == "identity"


@pytest.mark.slow
def test_in_a_pipeline_and_a_grid_search():
    pipeline = make_pipeline(StandardScaler(), textbook_vae(**QUICK))
    assert pipeline.fit_transform(X).shape == (600, 2)
    search = GridSearchCV(textbook_vae(**QUICK), {"noise": [30.0, "shared"]}, cv=2).fit(X)
    assert search.best_params_ == {"noise": "shared"}


def test_pandas_in_and_out():
    frame = pd.DataFrame(X, columns=list("abcde"))
    vae = textbook_vae(**QUICK).set_output(transform="pandas").fit(frame)
    latents = vae.transform(frame)
    assert list(latents.columns) == ["vae0", "vae1"]
    assert list(vae.feature_names_in_) == list("abcde")
    with pytest.raises(ValueError, match="feature names"):
        vae.transform(frame.rename(columns={"a": "z"}))


def test_a_path_is_data_too(tmp_path, vae):
    np.save(tmp_path / "X.npy", X)
    again = textbook_vae(**QUICK).fit(tmp_path / "X.npy")
    np.testing.assert_array_equal(
        again.score_samples(str(tmp_path / "X.npy")), vae.score_samples(X)
    )


def test_one_seed_is_one_model_and_another_another(vae):
    np.testing.assert_array_equal(textbook_vae(**QUICK).fit(X).transform(X), vae.transform(X))
    other = textbook_vae(**{**QUICK, "random_state": 1}).fit(X)
    assert not np.array_equal(other.transform(X), vae.transform(X))


def test_no_seed_is_another_model_each_time():
    quick = {**QUICK, "random_state": None, "max_epochs": 1}
    one, other = (textbook_vae(**quick).fit(X).transform(X) for _ in range(2))
    assert not np.array_equal(one, other)


def test_settings_reach_the_training():
    vae = textbook_vae(
        batch_size=33,
        max_epochs=44,
        learning_rate=0.5,
        weight_decay=0.25,
        clip_norm=7.0,
        kl_warmup=5,
        patience=6,
    )
    assert plan_of(vae.get_params(), 1_000) == Plan(
        batch_size=33,
        max_epochs=44,
        learning_rate=0.5,
        weight_decay=0.25,
        clip_norm=7.0,
        kl_warmup=5,
        patience=6,
    )
    assert plan_of(textbook_vae().get_params(), 1_000).clip_norm == np.inf


@pytest.mark.parametrize(("n", "size"), [(10, 16), (1_000, 32), (2_560, 128), (10**6, 128)])
def test_a_small_table_gets_twenty_to_forty_steps_an_epoch(n, size):
    assert plan_of(textbook_vae().get_params(), n).batch_size == size


def test_callbacks_the_checkpoint_and_held_out_rows_are_those_asked_for(tmp_path):
    path = tmp_path / "training.ckpt"
    seen = []

    def stop(report):
        seen.append(report.epoch)
        return report.epoch == 2

    vae = textbook_vae(**{**QUICK, "validation_fraction": 0.0}, checkpoint=path).fit(
        X, callbacks=[stop]
    )
    assert seen == [1, 2]
    assert vae.n_epochs_ == 2
    assert path.exists()
    assert np.isnan(vae.history_["held_out_objective"]).all()
    half = textbook_vae(**{**QUICK, "validation_fraction": 0.5, "max_epochs": 1}).fit(X)
    assert np.isfinite(half.history_["held_out_objective"]).all()
    resumed = textbook_vae(**{**QUICK, "validation_fraction": 0.0}, checkpoint=path).fit(X)
    whole = textbook_vae(**{**QUICK, "validation_fraction": 0.0}).fit(X)
    np.testing.assert_array_equal(resumed.transform(X), whole.transform(X))


def test_a_budget_that_ran_out_is_told_from_a_training_that_settled():
    with pytest.warns(wp.TrainingWarning, match="max_epochs"):
        short = textbook_vae(**{**QUICK, "max_epochs": 3}).fit(X)
    assert short.outcome_ is wp.training.Outcome.budget_spent


def test_a_conditional_variance_is_reported_as_its_mean_over_the_data():
    """Untrained: half a standard deviation of each feature, which have unit variance.

    Without a hidden layer, so that the decoder's outputs are odd in z and their mean is zero.
    """
    quick = {**QUICK, "max_epochs": 1, "learning_rate": 1e-12, "hidden": ()}
    vae = textbook_vae(**quick, noise="conditional").fit(X)
    np.testing.assert_allclose(vae.noise_variance_, 0.25, rtol=0.1)


@pytest.mark.slow
def test_encoder_and_decoder_start_from_draws_of_their_own():
    """With as many latents as features their first layers have one shape."""
    quick = {**QUICK, "n_components": 5, "max_epochs": 1, "learning_rate": 1e-12}
    model = textbook_vae(**quick).fit(X).model_
    first, second = (np.asarray(net.layers[0].weight) for net in (model.encoder, model.decoder))
    assert first.shape == second.shape
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.5


@pytest.mark.parametrize("top", [100, 300, 40_000, 10**6])
def test_integers_of_any_size_keep_their_values(top):
    counts = np.random.default_rng(0).integers(-top, top, size=(100, 3))
    mean = prepare(textbook_vae(**QUICK), counts).model.transform.mean
    np.testing.assert_allclose(mean, counts.mean(axis=0), rtol=1e-5)


@pytest.mark.slow
def test_features_of_one_unit_share_a_scale():
    """Pixels and answers on one scale do; counts of unlike ranges and real columns do not."""
    counts = np.random.default_rng(0).integers(0, [5, 50, 9, 99], size=(100, 4))
    answers = np.random.default_rng(0).integers(1, 8, size=(100, 4))
    quick = {**QUICK, "max_epochs": 1}
    for vae, data, shared in (
        (textbook_vae(**quick), answers, True),
        (textbook_vae(**quick), counts, False),
        (textbook_vae(**quick, image_shape=(2, 2)), counts, True),
        (textbook_vae(**quick, image_shape=(2, 2)), counts + 0.5, True),
        (textbook_vae(**quick), counts + 0.5, False),
    ):
        scale = np.asarray(vae.fit(data).model_.transform.scale)
        assert (np.ptp(scale) == 0) == shared


def test_the_next_piece_goes_on_from_the_one_before():
    """The optimiser's memory and its count of steps, which a fresh start would lose."""
    pieces = textbook_vae(**QUICK, batch_size=100)
    counts = [float(pieces.partial_fit(X)._advance.state.step) for _ in range(3)]
    assert counts == [6.0, 12.0, 18.0]
    assert len(set(pieces.history_["objective"])) == 3


def test_data_in_pieces(vae):
    pieces = textbook_vae(**QUICK)
    for _ in range(60):
        for piece in np.array_split(X, 3):
            pieces.partial_fit(piece)
    assert pieces.n_epochs_ == 180
    assert pieces.score(X[:100]) == pytest.approx(vae.score(X[:100]), abs=0.3)


def test_a_fit_forgets_the_pieces_before_it(vae):
    started = textbook_vae(**QUICK).partial_fit(10 * X)
    np.testing.assert_array_equal(started.fit(X).transform(X), vae.transform(X))


@pytest.mark.parametrize("loaded", [False, True])
def test_pieces_go_on_from_a_fit_or_a_loaded_model(vae, tmp_path, loaded):
    vae.save(tmp_path / "model.wp")
    started = wp.load(tmp_path / "model.wp") if loaded else textbook_vae(**QUICK).fit(X)
    before = started.score(X[:100])
    started.set_params(learning_rate=1e-4).partial_fit(X)
    assert started.n_epochs_ == vae.n_epochs_ + 1
    assert started.score(X[:100]) == pytest.approx(before, abs=0.1)
    assert not np.array_equal(started.transform(X), vae.transform(X))


# -- bad input -------------------------------------------------------------------------------


def refused(error, words, data=X, **settings):
    with pytest.raises(error, match=words):
        textbook_vae(**{**QUICK, **settings}).fit(data)


def test_entries_that_are_not_finite_are_counted_and_placed():
    bad = X.copy()
    bad[3, 2], bad[9, 1] = np.nan, np.inf
    refused(wp.DataError, r"2 of 3000 entries .* the first \(NaN\) at row 3, column 2", bad)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (X[0], "2D array"),
        (X[:0], "0 sample"),
        (X[:1], "1 sample"),
        (np.array([["a", "b"]] * 3), "numbers"),
        (np.array([["1", "x"]] * 3, dtype=object), "column 0 holds text at row 0"),
        (np.ones((9, 3)), "At least one feature must vary"),
        (X[None], "1 sample"),  # one image of as many pixels
    ],
    ids=["1-d", "empty", "one-row", "text", "objects", "constant", "3-d"],
)
def test_data_of_the_wrong_form(data, words):
    refused(ValueError, words, data)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"noise": 0}, "finite number > 0"),
        ({"noise": -2.0}, "finite number > 0"),
        ({"noise": "sharde"}, "'shared'"),
        ({"transform": "logits"}, "'logit'"),
        ({"objective": "elbow"}, "'elbo'"),
        ({"encoder": "mpl"}, "'mlp'"),
        ({"activation": "rleu"}, "relu"),
        ({"encoder": "conv"}, "image_shape"),
        ({"image_shape": (2, 3)}, "multiply to the number of features"),
        ({"n_components": 0}, "n_components"),
        ({"n_components": 2.5}, "n_components"),
        ({"hidden": (0,)}, "hidden"),
        ({"beta": -1.0}, "beta"),
        ({"beta": float("nan")}, "beta"),
        ({"max_epochs": 0}, "max_epochs"),
        ({"validation_fraction": 1.0}, "validation_fraction"),
        ({"kl_warmup": 60}, "warm-up"),
        ({"resolution": -1.0}, "resolution"),
        ({"resolution": [1.0, 2.0]}, "resolution"),
        ({"resolution": "fine"}, "resolution"),
        ({"progress": "yes"}, "progress"),
        ({"objective": "iwae", "beta": 2.0}, "no beta"),
    ],
    ids=str,
)
def test_settings_that_break_a_rule(settings, words):
    refused(wp.SettingError, words, **settings)


def test_a_feature_that_float32_cannot_tell_apart():
    """Counts cannot be shifted: only real numbers have an offset."""
    counts = np.random.default_rng(0).integers(0, 3, size=(60, 2))
    counts[:, 1] += 10**9
    refused(wp.DataError, r"features 1 do not: the first .* Subtract", counts, noise="poisson")


def test_no_resolution_is_no_bound():
    refused(wp.UnboundedLikelihoodError, "allow_unbounded", resolution=0.0)
    textbook_vae(**QUICK, resolution=0.0, allow_unbounded=True).fit(X)


def test_the_logit_is_for_an_interval():
    refused(wp.DataError, "needs data in", transform="logit")


def test_data_of_another_width(vae):
    with pytest.raises(ValueError, match="5 features"):
        vae.score_samples(X[:, :4])


def test_constant_features_are_named_and_modelled_as_their_constant():
    data = np.column_stack([X[:, :4], np.full(len(X), 4.0)])
    with pytest.warns(wp.ConstantFeatureWarning, match=r"1 of 5 .* \(4\)"):
        vae = textbook_vae(**{**QUICK, "max_epochs": 2}, noise="feature").fit(data)
    np.testing.assert_array_equal(vae.sample(50)[:, 4], 4.0)
    assert np.isfinite(vae.score_samples(data[:64], 8)).all()


@pytest.mark.slow
def test_more_latents_than_features_is_noted_and_works():
    with pytest.warns(wp.TrainingWarning, match="exceeds the 5 features"):
        vae = textbook_vae(**{**QUICK, "n_components": 9}).fit(X)
    assert vae.transform(X).shape == (600, 9)


def test_integers_have_resolution_one():
    counts = np.random.default_rng(0).integers(0, 30, size=(200, 4))
    vae = textbook_vae(**QUICK, noise="feature", transform="identity")
    floor = prepare(vae, counts).model.noise.scale.floor
    np.testing.assert_allclose(floor, 1 / np.sqrt(12), rtol=1e-6)


def test_a_noise_on_its_floor_is_a_warning():
    data = np.round(X)
    with pytest.warns(wp.FloorWarning, match="at its floor"):
        textbook_vae(**QUICK, resolution=30.0).fit(data)
    with pytest.warns(wp.FloorWarning, match="at its floor"):
        textbook_vae(**QUICK, noise="conditional", resolution=30.0).fit(data)
    with pytest.warns(wp.FloorWarning, match="below the data's own rounding"):
        textbook_vae(**QUICK, transform="identity", noise=1e-4).fit(data)


@pytest.fixture(scope="module")
def seedless() -> wp.VAE:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wp.TrainingWarning)
        return textbook_vae(**{**QUICK, "max_epochs": 2, "random_state": None}).fit(X)


@pytest.mark.parametrize(
    ("method", "settings", "data"),
    [
        ("fit", {}, np.full((4, 5), np.nan)),
        ("fit", {}, np.full((4, 7), np.nan)),
        ("fit", {"transform": "logit"}, X),
        ("fit", {"resolution": 0.0}, 2 * X),
        ("partial_fit", {}, np.full((4, 5), np.nan)),
        ("partial_fit", {}, np.ones((4, 7))),
    ],
    ids=["nan", "wider", "domain", "unbounded", "piece-nan", "piece-wider"],
)
def test_a_failed_fit_loses_nothing(seedless, method, settings, data):
    """Neither the model, nor the width of its data, nor the seed of its draws and scores."""
    vae, some = pickle.loads(pickle.dumps(seedless)), X[:60]
    before = vae.transform(X), vae.score_samples(some), vae.sample(3)
    with pytest.raises(ValueError):  # noqa: PT011 - each has its own words, tested above
        getattr(vae.set_params(**settings), method)(data)
    for found, expected in zip(
        (vae.transform(X), vae.score_samples(some), vae.sample(3)), before, strict=True
    ):
        np.testing.assert_array_equal(found, expected)
