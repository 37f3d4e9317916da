"""The source of z: priors fitted to the codes, through the estimator."""

import pickle
import warnings

import jax
import numpy as np
import pytest
from sklearn.base import clone

import wellposed as wp
from variants import slow_beside
from wellposed import evaluation, latents, models
from wellposed.estimators import _priors
from wellposed.estimators._priors import FITTED, PRIORS, aggregate, second_stage

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")

QUICK = {"n_components": 4, "hidden": (64,), "max_epochs": 40, "image_shape": (8, 8)}


def fitted_on(rows, **settings) -> wp.VAE:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wp.ConstantFeatureWarning)
        return wp.VAE(**{**QUICK, "random_state": 0, **settings}).fit(rows)


@pytest.fixture(scope="module", autouse=True)
def short_second_stage():
    """A few epochs: what is tested is what the second stage is, not how good it can get."""
    patch = pytest.MonkeyPatch()
    patch.setitem(_priors._SECOND_STAGE, "max_epochs", 40)
    patch.setitem(_priors._SECOND_STAGE, "hidden", (64,))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def rows(digits):
    order = np.random.default_rng(0).permutation(len(digits))
    return digits[order[:1_300]], digits[order[1_300:]]


@pytest.fixture(scope="module")
def fresh(rows, tmp_path_factory):
    """The file of a model none of whose priors have been fitted."""
    path = tmp_path_factory.mktemp("priors") / "fresh.wp"
    fitted_on(rows[0]).save(path)
    return path


@pytest.fixture(scope="module")
def vae(fresh):
    """A model with all its priors."""
    found = wp.load(fresh)
    for name in FITTED:
        found.fit_prior(name)
    return found


def energy(a: np.ndarray, b: np.ndarray) -> float:
    """Energy distance 2 E|a − b| − E|a − a'| − E|b − b'|, unbiased: zero for one distribution.

    References: Székely & Rizzo (2013).
    """

    def mean_distance(u, v):
        return np.sqrt(np.maximum(((u[:, None] - v) ** 2).sum(-1), 0))

    within = sum(mean_distance(u, u).sum() / (len(u) * (len(u) - 1)) for u in (a, b))
    return 2 * mean_distance(a, b).mean() - within


def draws_of(prior, n: int = 700) -> np.ndarray:
    keys = jax.random.split(jax.random.key(7), n)
    return np.asarray(jax.vmap(lambda key: prior.sample(key=key))(keys))


# -- what they draw --------------------------------------------------------------------------


@pytest.mark.parametrize("name", slow_beside(FITTED, ["second-stage"]))
def test_draws_are_closer_to_held_out_codes_than_those_of_the_standard_prior(vae, rows, name):
    """By energy distance; N(0, I) is further off than fitted priors and a second set of codes."""
    held = evaluation.codes(vae.model_, rows[1], key=jax.random.key(5), most=5_000).z
    half = len(held) // 2
    own = energy(draws_of(vae.priors_[name]), held)
    standard = energy(draws_of(vae.model_.prior), held)
    assert own < 0.5 * standard
    assert energy(held[:half], held[half:]) < 0.5 * standard


def test_the_aggregate_is_denser_on_held_out_codes(vae, rows):
    found = vae.prior_mismatch(rows[1])
    assert set(found.priors) == set(PRIORS)
    gain = found.priors["aggregate"].gain
    assert gain.value > 10 * gain.standard_error > 0
    assert found.priors["aggregate"].outside.value < found.priors["standard"].outside.value
    for name in FITTED:
        assert f"Prior {name!r}" in str(found)


def test_each_prior_gives_other_data_and_the_standard_one_is_the_models_own(vae):
    drawn = {name: vae.sample(6, "mean", prior=name, random_state=3) for name in PRIORS}
    assert len({values.tobytes() for values in drawn.values()}) == len(PRIORS)
    np.testing.assert_array_equal(drawn["standard"], vae.sample(6, "mean", random_state=3))
    key = jax.random.key(3)
    again = evaluation.samples(
        vae.model_, 6, how="mean", alpha=1.0, key=key, prior=vae.model_.prior
    )
    own = evaluation.samples(vae.model_, 6, how="mean", alpha=1.0, key=key)
    np.testing.assert_array_equal(again, own)


# -- one seed, one prior ---------------------------------------------------------------------


@pytest.mark.parametrize("name", FITTED)
def test_a_loaded_model_draws_the_same_bits_saved_before_or_after_the_first_use(
    fresh, vae, tmp_path, name
):
    expected = vae.sample(5, prior=name)
    np.testing.assert_array_equal(wp.load(fresh).sample(5, prior=name), expected)
    vae.save(tmp_path / "used.wp")
    again = wp.load(tmp_path / "used.wp")
    assert jax.tree.structure(again.priors_) == jax.tree.structure(vae.priors_)
    np.testing.assert_array_equal(again.sample(5, prior=name), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(vae)).sample(5, prior=name), expected)


def test_a_prior_is_fitted_once(fresh, monkeypatch):
    found = wp.load(fresh)
    first = found.sample(3, prior="aggregate")
    monkeypatch.setitem(FITTED, "aggregate", None)
    np.testing.assert_array_equal(found.sample(3, prior="aggregate"), first)


@pytest.mark.slow
def test_fitting_anew_forgets_the_priors(rows):
    found = fitted_on(rows[0][:200], max_epochs=2)
    found.sample(1, prior="aggregate")
    assert set(found.priors_) == {"aggregate"}
    assert not hasattr(clone(found), "priors_")
    before = found._codes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wp.ConstantFeatureWarning)
        found.fit(rows[0][200:300])
    assert found.priors_ == {}
    assert found._codes.shape == (100, 3, 4)
    assert before.shape == (200, 3, 4)
    found.sample(1, prior="aggregate")
    found.partial_fit(rows[0][:50])
    assert found.priors_ == {}
    assert found._codes.shape == (50, 3, 4)


def test_other_data_can_be_named(vae, rows, fresh):
    found = wp.load(fresh)
    assert found.fit_prior("aggregate", rows[1]) is found
    assert (found.sample(3, prior="aggregate") != vae.sample(3, prior="aggregate")).any()


def test_a_member_of_a_grid_has_a_prior_before_it_has_codes(fresh, rows):
    """``measure=`` of a grid sees a model whose codes are drawn once all measures are taken."""
    member = wp.load(fresh)
    del member._codes
    with pytest.raises(wp.DataError, match="does not have"):
        member.sample(3, prior="aggregate")
    drawn = member.fit_prior("aggregate", rows[1]).sample(3, prior="aggregate")
    assert drawn.shape == (3, 64)


def test_at_most_so_many_codes_are_kept(rows, monkeypatch):
    monkeypatch.setattr(_priors, "MOST_CODES", 30)
    found = fitted_on(rows[0][:100], max_epochs=1)
    assert found._codes.shape == (30, 3, 4)
    assert found._codes.dtype == np.float32


# -- the fits --------------------------------------------------------------------------------


def three_clumps(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = np.array([[-3.0, 0.0], [3.0, 1.0], [0.0, 4.0]])
    return (centres[rng.integers(3, size=n)] + 0.3 * rng.normal(size=(n, 2))).astype(np.float32)


def test_the_mixture_finds_clumps_and_one_component_does_for_a_normal():
    codes = three_clumps(900)
    found = aggregate(codes[:, None], key=jax.random.key(0), progress=False)
    assert len(found.log_weights) >= 3
    held = three_clumps(900, seed=1)
    density = np.asarray(jax.vmap(found.log_prob)(held))
    truth = np.log(1 / 3) - np.log(2 * np.pi * 0.09) - 1  # the clumps do not meet
    assert density.mean() == pytest.approx(truth, abs=0.15)
    plain = np.random.default_rng(0).normal(size=(900, 2)).astype(np.float32)
    assert len(aggregate(plain[:, None], key=jax.random.key(0), progress=False).log_weights) == 1


def test_three_draws_of_a_row_tell_more_than_one():
    """q(z) = E q(z | x) over 300 rows, at draws of other rows."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(2_300, 1, 12))
    codes = (centres + rng.normal(size=(2_300, 3, 12))).astype(np.float32)
    fresh = codes[300:, 0]
    reached = [
        np.mean(jax.vmap(aggregate(some, key=jax.random.key(0), progress=False).log_prob)(fresh))
        for some in (codes[:300, :1], codes[:300])
    ]
    assert reached[1] > reached[0] + 0.05


@pytest.mark.parametrize("n", [2, 3, 7])
def test_a_handful_of_codes_still_makes_a_prior(n):
    codes = np.random.default_rng(0).normal(size=(n, 3)).astype(np.float32)
    found = aggregate(codes[:, None], key=jax.random.key(0), progress=False)
    assert np.isfinite(draws_of(found, 5)).all()


def bent(n: int, seed: int = 0) -> np.ndarray:
    """Two codes, the second the first's square with noise."""
    rng = np.random.default_rng(seed)
    first = rng.normal(size=n)
    return np.stack([first, first**2 + 0.3 * rng.normal(size=n)], axis=1).astype(np.float32)


@pytest.mark.slow
def test_the_second_stage_bends_where_one_normal_does_not(monkeypatch):
    monkeypatch.setitem(_priors._SECOND_STAGE, "max_epochs", 80)
    codes, fresh = bent(900), bent(700, seed=1)
    found = second_stage(codes[:, None], key=jax.random.key(0), progress=False)
    assert isinstance(found.model.prior, latents.StandardNormal)
    assert float(found.model.noise.variance()) < 0.5  # learned: of standardised codes
    normal = np.random.default_rng(2).multivariate_normal(codes.mean(0), np.cov(codes.T), size=700)
    assert energy(draws_of(found), fresh) < 0.5 * energy(normal, fresh)


def test_the_second_stages_noise_is_part_of_its_draws():
    """One u, many z: the spread around the decoder's mean is γ, in units of the codes."""
    codes = 5 * three_clumps(200)
    found = second_stage(codes[:, None], key=jax.random.key(0), progress=False).model
    u = np.zeros(2, np.float32)
    keys = jax.random.split(jax.random.key(1), 4_000)
    z = jax.vmap(lambda key: models.SAMPLERS["ancestral"](found, u, 1.0, key=key))(keys)
    expected = np.sqrt(found.noise.variance()) * np.asarray(found.transform.scale)
    np.testing.assert_allclose(np.std(z, axis=0), expected, rtol=0.05)
    prior = models.SecondStage(found)
    key = jax.random.key(2)
    latent_key, noise_key = jax.random.split(key)
    own = found.prior.sample(key=latent_key)
    np.testing.assert_array_equal(
        prior.sample(key=key), found.transform.inverse(found.decode(own).sample(noise_key))
    )


def test_an_interrupted_second_stage_is_not_kept(fresh, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    found = wp.load(fresh)
    monkeypatch.setattr("wellposed.training._fit.epoch_program", lambda n_rows: interrupted)
    with pytest.raises(KeyboardInterrupt):
        found.sample(1, prior="second-stage")
    assert found.priors_ == {}


# -- bad input -------------------------------------------------------------------------------


def test_unknown_priors_are_refused_with_the_closest(vae):
    with pytest.raises(wp.SettingError, match="Did you mean 'aggregate'"):
        vae.sample(1, prior="agregate")
    with pytest.raises(wp.SettingError, match="prior must be one of"):
        vae.sample(1, prior=None)
    with pytest.raises(wp.SettingError, match="to fit must be one of aggregate, second-stage"):
        vae.fit_prior("standard")


def test_exact_models_have_the_standard_prior_alone(rows):
    exact = wp.PPCA(2).fit(rows[0] + np.random.default_rng(0).random(rows[0].shape))
    np.testing.assert_array_equal(exact.sample(2, prior="standard"), exact.sample(2))
    with pytest.raises(wp.SettingError, match="must be one of standard"):
        exact.sample(2, prior="aggregate")


def test_a_prior_needs_two_codes(fresh, rows):
    with pytest.raises(wp.DataError, match="at least 2 codes"):
        wp.load(fresh).fit_prior("aggregate", rows[0][:1])


def test_a_file_without_codes_is_of_another_version(vae, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        state = tuple(name for name in vae._file_state if name != "_codes")
        patch.setattr(wp.VAE, "_file_state", state)
        vae.save(tmp_path / "old.wp")
    with pytest.raises(wp.DamagedFileError, match="must hold _codes"):
        wp.load(tmp_path / "old.wp")
