"""One contract for every continuous observation family."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import real_battery as battery
from continuous_families import (
    FAMILIES,
    RESCALED,
    D,
    fill,
    make_noise,
    moments_for,
    raw_of,
)
from scipy.special import ndtr
from scipy.stats import kstest

import wellposed as wp
from textbook import textbook_vae
from variants import slow_beside
from wellposed.noise import Gaussian, LowRankGaussian, Quantile, Rescaled
from wellposed.transforms import UNIT

# The law of each family once, however its scale is had.
LAWS = [
    name for name in FAMILIES if not name.endswith(("0.3", "0.02", "12.0", "-shared", "-given"))
]
LAWS = [name for name in LAWS if name == "quantile-skew-levels" or not name.endswith("-feature")]
UNITS = [name for name, noise in FAMILIES.items() if noise.support == UNIT]
LEARNING = [name for name in FAMILIES if name.endswith(("-shared", "-feature", "-head", "-levels"))]
LINES = [name for name in FAMILIES if name not in UNITS]
# Of the ways in which a family's scale is had, one for each of the ways of the code.
OFTEN = {
    "gaussian-conditional",
    "beta-conditional",
    "quantile-skew-levels",
    "low-rank-conditional",
}
TYPICAL = {*OFTEN, "gaussian-0.3", "gaussian-shared", "gaussian-feature"}


# Of the module's scope, so that the tests of one family follow each other, on one worker.
@pytest.fixture(params=slow_beside(FAMILIES, TYPICAL), ids=str, scope="module")
def name(request) -> str:
    return request.param


@pytest.fixture(params=slow_beside(LAWS, OFTEN), ids=str, scope="module")
def law(request) -> str:
    return request.param


def zeros(noise) -> np.ndarray:
    """Raw outputs of a fresh decoder."""
    return np.zeros(noise.n_raw * D, np.float32)


def test_the_density_has_mass_one_and_the_moments_and_the_distribution_it_states(law):
    """By quadrature over one feature: nothing is dropped from the density."""
    of = battery.panel(law)
    assert of.mass.sum() == pytest.approx(1.0, abs=1e-9)
    mean = of.mass @ of.nodes
    assert of.mean == pytest.approx(mean, abs=1e-8)
    assert of.variance == pytest.approx(of.mass @ (of.nodes - mean) ** 2, rel=1e-6)
    # Up to a node the mass is known but for half of the node's own.
    below = np.cumsum(of.mass) - 0.5 * of.mass
    assert (np.abs(of.cdf - below) <= of.mass + 1e-8).all()


def test_quantiles_undo_the_distribution_function(law):
    reached, _ = battery.undone(law)
    levels = np.broadcast_to(battery.LEVELS[:, None], reached.shape)
    np.testing.assert_allclose(reached, levels, rtol=1e-8)


@pytest.mark.parametrize("size", battery.FLOAT32_SIZES)
def test_quantiles_undo_the_distribution_function_in_float32(law, size):
    """To the rounding of the quantile itself, which a steep density magnifies."""
    of, at = battery.single(law), battery.FLOAT32_SIZES.index(size)
    rounding = of.above[at] - of.below[at]
    off = np.abs(of.reached[at] - battery.FLOAT32_LEVELS[:, None])
    assert (off <= rounding + 2e-6).all()


def test_samples_follow_the_distribution_function(law):
    of = battery.single(law)
    assert of.drawn.shape == (4000, D)
    for j in range(D):
        assert kstest(of.drawn_cdf[:, j], "uniform").pvalue > 1e-3


def test_coupled_draws_are_finite_wherever_alpha_is(law):
    """Where Φ(α) has rounded to 0 or 1, and in order."""
    far = battery.single(law).far
    assert np.isfinite(far).all()
    assert (far[0] < far[1]).all()
    assert (far[1] < far[2]).all()


def test_coupled_draws_are_one_quantile_of_every_feature(law):
    _, reached = battery.undone(law)
    levels = ndtr(battery.ALPHAS)
    np.testing.assert_allclose(reached, np.broadcast_to(levels[:, None], (3, D)), rtol=1e-7)


def test_no_density_exceeds_the_bound_and_some_density_reaches_it(name):
    """Raw outputs and learned leaves driven to ±1e4, in float32, at the data most likely then."""
    bound = make_noise(name).log_density_bound(D)
    assert math.isfinite(bound)
    highest = max(float(values.max()) for values in battery.responses(name).extreme)
    assert highest <= bound + 1e-4 * D
    assert highest >= bound - 0.01 * D


@pytest.mark.parametrize("size", battery.RANDOM_SIZES)
def test_no_density_exceeds_the_bound_at_random(name, size):
    values = battery.responses(name).random[size]
    assert float(values.max()) <= make_noise(name).log_density_bound(D) + 1e-4 * D


def test_values_and_gradients_are_finite_at_the_extremes(name):
    for leaf in jax.tree.leaves(battery.responses(name).gradients):
        assert np.isfinite(leaf).all()


@pytest.mark.parametrize("name", slow_beside(LEARNING, {"gaussian-shared", "beta-feature"}))
def test_the_floor_has_a_live_gradient(name):
    """Far from the data, with the noise on its floor, the gradient of the scale is not zero."""
    noise = make_noise(name)
    y = np.full(D, 0.97 if noise.support == UNIT else 50.0, np.float32)
    leaves = tuple(fill(leaf, -30.0) for leaf in noise.parameters())

    @jax.jit
    @jax.grad
    def gradient(leaves):
        driven = eqx.tree_at(lambda n: n.parameters(), noise, leaves)
        return driven(jnp.zeros(noise.n_raw * D)).log_prob(y)

    assert (np.abs(gradient(leaves)[0]) > 0).all()


@pytest.mark.parametrize("name", LINES)
def test_without_a_floor_on_the_line_there_is_no_bound(name):
    noise = FAMILIES[name]
    moments = moments_for(noise)
    flat = eqx.tree_at(lambda m: m.resolution, moments, jnp.zeros(D))
    given = "0.3" in name or "given" in name
    bounded = given and name != "quantile-0.3"
    assert math.isfinite(noise.initialise(flat).log_density_bound(D)) == bounded


@pytest.mark.parametrize("name", UNITS)
def test_without_a_floor_on_the_interval_there_is_no_bound(name):
    noise = FAMILIES[name]
    flat = eqx.tree_at(lambda m: m.resolution, moments_for(noise), jnp.zeros(D))
    given = name in ("truncated-normal-0.02", "beta-12.0")
    assert math.isfinite(noise.initialise(flat).log_density_bound(D)) == given


def test_raw_zeros_have_the_datas_mean(name):
    """To a thousandth, or to one deviation where one given or shared scale has no such mean."""
    noise = make_noise(name)
    of = battery.facts(noise, zeros(noise))
    free = noise.support == UNIT and not name.endswith(("0.02", "12.0", "-shared"))
    centred = name.startswith(("gaussian", "laplace", "logistic", "student", "low-rank"))
    slack = 1e-3 if free or centred else np.sqrt(of.variance[0])
    assert (np.abs(of.mean[0] - moments_for(noise).mean) <= slack).all()


@pytest.mark.parametrize("kind", ["feature", "conditional"])
@pytest.mark.parametrize("family", ["gaussian", "laplace", "student-t"])
def test_raw_zeros_have_half_the_datas_deviation(family, kind):
    noise = make_noise(f"{family}-{kind}")
    variance = battery.facts(noise, zeros(noise)).variance[0]
    np.testing.assert_allclose(variance, 0.25 * moments_for(noise).variance, rtol=1e-5)


def test_a_feature_that_never_varies_has_its_constant_whatever_the_raw_outputs(name):
    noise = make_noise(name, varies=[True, True, False, True])
    moments = moments_for(FAMILIES[name])
    bound = noise.log_density_bound(D)
    of = battery.facts(noise, *(raw_of(noise, seed=seed, size=5.0) for seed in range(3)))
    for seed in range(3):
        assert float(of.mean[seed, 2]) == float(moments.mean[2])
        assert float(of.median[seed, 2]) == pytest.approx(float(moments.mean[2]))
        if "feature" in name or "conditional" in name:
            step, exception = float(moments.resolution[2]), 1 / (moments.n + 2)
            apart = 2 * (step / math.log(2)) ** 2  # of an exception, by Laplace's rule
            expected = (1 - exception) * step**2 / 12 + exception * apart
            expected *= RESCALED**2 if "rescaled" in name else 1.0
            assert float(of.variance[seed, 2]) == pytest.approx(expected, rel=1e-4)
        assert float(of.log_prob_of_mean[seed]) <= bound + 1e-4 * D


def test_the_noise_variance_is_known_only_where_it_does_not_depend_on_z(name):
    noise = make_noise(name)
    known = noise.variance()
    one, two = battery.facts(noise, *(raw_of(noise, seed=seed) for seed in (0, 1))).variance
    if known is None:
        assert not np.allclose(one, two)
    else:
        np.testing.assert_allclose(np.broadcast_to(known, D), one, rtol=1e-5)
        np.testing.assert_allclose(one, two, rtol=1e-6)


def test_noise_on_its_floor_says_so(name):
    noise = make_noise(name)
    variance = battery.facts(noise, zeros(noise)).variance[0]
    assert noise.on_floor(variance) == ()
    # Where z sets the scale and the tails, or κ, the deviation stands for the scale, and is wider.
    if not noise.parameters() or name in ("student-t-conditional", "beta-conditional"):
        return
    low = tuple(fill(leaf, -30.0) for leaf in noise.parameters())
    rested = eqx.tree_at(lambda n: n.parameters(), noise, low)
    assert rested.on_floor(battery.facts(rested, zeros(noise)).variance[0])


@pytest.mark.parametrize("name", UNITS)
def test_the_encoder_sees_data_of_the_size_of_one(name):
    noise = make_noise(name)
    moments = moments_for(noise)
    deviation = np.sqrt(moments.variance)
    seen = np.asarray(noise.encoder_input(moments.mean + deviation))
    assert np.sqrt((seen**2).mean()) == pytest.approx(1.0, rel=1e-5)
    np.testing.assert_allclose(noise.encoder_input(moments.mean), 0.0, atol=1e-6)


def test_a_batch_is_mapped_over(law):
    of = battery.single(law)
    np.testing.assert_allclose(of.mapped, of.one_by_one, rtol=1e-5)


def test_the_learned_leaves_are_the_only_ones_that_move(name):
    """Statistics of the data, floors and given values are never the optimiser's."""
    noise = make_noise(name)
    learned = {id(leaf) for leaf in noise.parameters()}
    floats = [leaf for leaf in jax.tree.leaves(noise) if eqx.is_inexact_array(leaf)]
    assert learned <= {id(leaf) for leaf in floats}
    given = "0." in name or "12" in name or "given" in name or "bern" in name
    assert (not learned) == given


@pytest.mark.parametrize("name", UNITS)
def test_data_off_the_interval_are_refused_with_the_family_that_fits(name):
    rows = np.random.default_rng(0).normal(size=(40, 3))
    with pytest.raises(wp.DataError, match="Laplace or StudentT"):
        textbook_vae(noise=FAMILIES[name]).fit(rows)
    with pytest.raises(wp.DataError, match=f"{type(FAMILIES[name]).__name__}.*Divide the data"):
        textbook_vae(noise=FAMILIES[name], transform="identity").fit(np.abs(rows) * 10)


@pytest.mark.filterwarnings("ignore::wellposed._errors.ConstantFeatureWarning")
@pytest.mark.filterwarnings("ignore::wellposed._errors.TrainingWarning")
@pytest.mark.filterwarnings("ignore::wellposed._errors.FloorWarning")
@pytest.mark.parametrize(
    "law",
    slow_beside(LAWS, {"low-rank-conditional"}),
)
def test_a_trained_model_scores_the_same_when_loaded(law, digits, tmp_path):
    rows = digits[:120, 8:24]  # two of its features never vary
    vae = textbook_vae(2, noise=FAMILIES[law], hidden=(8,), max_epochs=2, random_state=0)
    vae.fit(rows if FAMILIES[law].support == UNIT else rows.astype(np.float32))
    scores = vae.score_samples(rows[:7], n_samples=4)
    assert np.isfinite(scores).all()
    vae.save(tmp_path / "model.wp")
    own = {"noise": type(FAMILIES[law])} if law.startswith("logistic") else {}
    again = wp.load(tmp_path / "model.wp", **own)
    np.testing.assert_array_equal(again.score_samples(rows[:7], n_samples=4), scores)
    assert (scores <= vae.model_.log_density_bound(16)).all()


@pytest.mark.parametrize(
    "word",
    [
        "beta",
        "continuous-bernoulli",
        "laplace",
        "low-rank",
        "quantile",
        "student-t",
        "truncated-normal",
    ],
)
def test_a_word_is_a_family_with_its_defaults(word):
    noise = wp.noise.resolve(word)
    assert type(noise).__name__.lower().startswith(word.replace("-", ""))


def test_squares_train_no_family_but_the_gaussian(name):
    noise = FAMILIES[name]
    law = noise.noise if isinstance(noise, Rescaled) else noise
    assert noise.has_exact_refit == (isinstance(law, Gaussian) and law.kind != "conditional")
    assert isinstance(law, (Gaussian, LowRankGaussian, Quantile)) or law.refit(jnp.ones(D)) is law
