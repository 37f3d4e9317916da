"""What there is to see of a model, apart from how it is served."""

import dataclasses
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from serving import scene

import wellposed as wp
from linear_gaussian import exact_model
from wellposed import models, noise
from wellposed.explorer import _look, make_scene
from wellposed.explorer._look import look
from wellposed.explorer._scene import _classes
from wellposed.explorer._shown import Features, Pictures, image_of
from wellposed.latents import DiagonalNormal, StandardNormal
from wellposed.nn import Linear
from wellposed.transforms import Identity, Moments

KEY = jax.random.key(0)


def with_noise(family, d=9, k=2):
    """A model of d features with a noise of one's own, its networks at random."""
    draws = np.random.default_rng(0)
    ones = jnp.ones(d)
    moments = Moments(0.4 * ones, 0.2 * ones, 0.1 * ones, ones > 0, 100, (3, 3), ones)
    family = family.initialise(moments, key=KEY)
    decoder = Linear(
        jnp.asarray(draws.normal(size=(k, family.n_raw * d)), jnp.float32),
        jnp.zeros(family.n_raw * d),
    )
    encoder = Linear(jnp.zeros((d, 2 * k)), jnp.zeros(2 * k))
    return models.VAEModel(
        Identity(), StandardNormal(k), encoder, DiagonalNormal(), decoder, family
    )


def test_a_look_is_the_models_own_mean_draw_and_quantile():
    model, _ = exact_model(5, 2, variance=0.3)
    z = np.array([0.5, -1.5], np.float32)
    found = look(model, z, alpha=-0.5, draw=3, key=KEY)
    density = model.decode(z)
    np.testing.assert_allclose(found.mean, density.mean, rtol=1e-5)
    np.testing.assert_allclose(found.quantile, density.mean - 0.5 * np.sqrt(0.3), rtol=1e-5)
    drawn = density.sample(jax.random.fold_in(KEY, 3))
    np.testing.assert_allclose(found.draw, drawn, rtol=1e-5, atol=1e-6)


def test_the_noise_of_a_draw_stays_while_z_moves():
    model, _ = exact_model(5, 2)
    here, there = (look(model, [x, 0.0], alpha=0, draw=1, key=KEY) for x in (0.0, 1.0))
    np.testing.assert_allclose(here.draw - here.mean, there.draw - there.mean, atol=1e-5)
    other = look(model, [0.0, 0.0], alpha=0, draw=2, key=KEY)
    assert np.all(np.abs(other.draw - here.draw) > 1e-6)


def test_draws_have_the_variance_of_the_noise():
    model, _ = exact_model(5, 2, variance=0.3)
    looks = [look(model, [0.0, 0.0], alpha=0, draw=i, key=KEY) for i in range(400)]
    residual = np.stack([one.draw - one.mean for one in looks])
    assert np.mean(residual**2) == pytest.approx(0.3, rel=0.1)


def test_one_program_for_every_kind_of_number():
    model, _ = exact_model(3, 2)
    before = _look._decode._cached._cache_size()
    for z in ([0, 1], [0.5, 1.0], np.zeros(2), np.ones(2, np.float32)):
        for alpha, draw in ((0, 0), (1.5, 2**31 - 1), (np.float64(2), np.int64(3))):
            look(model, z, alpha=alpha, draw=draw, key=KEY)
    assert _look._decode._cached._cache_size() == before + 1


@pytest.mark.parametrize(
    "family",
    [
        noise.Bernoulli(),
        noise.CausalGaussian(3),
        *(
            pytest.param(family, marks=pytest.mark.slow)
            for family in (noise.Poisson(), noise.Laplace(), noise.LowRankGaussian())
        ),
    ],
    ids=lambda family: type(family).__name__,
)
def test_noise_that_is_not_gaussian_is_shown_at_its_quantiles(family):
    model = with_noise(family)
    z = np.array([0.3, -0.2], np.float32)
    low, high = (look(model, z, alpha=a, draw=0, key=KEY).quantile for a in (-1.0, 1.0))
    assert np.all(low <= high)
    assert np.all(np.isfinite(look(model, z, alpha=0, draw=0, key=KEY).draw))
    np.testing.assert_allclose(high, model.decode(z).coupled(1.0), rtol=1e-4, atol=1e-6)


def test_the_latents_that_say_most_come_first():
    made = scene(6, 3, 200)
    assert made.order.tolist() == [0, 1, 2]
    rates = np.asarray(made.points.posterior.rates).mean(axis=0)
    assert made.order.tolist() == np.argsort(-rates).tolist()
    assert made.unit == "nats"
    told = made.facts()
    plane = made.order[:2]
    np.testing.assert_allclose(told["points"], made.points.posterior.mean[:, plane])
    turned = dataclasses.replace(made, weights=made.weights[::-1])
    assert [latent["index"] for latent in turned.facts()["latents"]] == [2, 1, 0]
    np.testing.assert_allclose(turned.facts()["points"], made.points.posterior.mean[:, [2, 1]])


def test_without_data_the_latents_that_move_most_come_first():
    made = scene(6, 3)
    assert made.weights[made.order].tolist() == sorted(made.weights, reverse=True)
    assert made.points is None
    assert made.facts()["points"] is None
    moved = 2 * made.model.decoder.weight / (made.shown.high - made.shown.low)
    np.testing.assert_allclose(made.weights, 100 * np.sqrt(np.mean(moved**2, axis=1)), rtol=1e-4)


def test_the_plane_holds_nearly_all_points():
    vae = SimpleNamespace(model_=exact_model(4, 2)[0], image_shape_=None)
    rows = 40 * np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    made = make_scene(vae, rows, key=KEY)
    reach, points = made.facts()["reach"], np.abs(made.facts()["points"])
    assert 0.98 < np.mean(points < reach) < 1.0
    assert scene(4, 2, 20).facts()["reach"] >= 3.0


def test_at_most_so_many_rows_spread_over_all():
    vae = SimpleNamespace(model_=exact_model(3, 2)[0], image_shape_=None)
    rows = np.random.default_rng(0).normal(size=(5_000, 3)).astype(np.float32)
    made = make_scene(vae, rows, np.arange(5_000), key=KEY)
    assert len(made.points.at) == len(made.facts()["points"]) == 2_000
    assert (made.points.at[0], made.points.at[-1]) == (0, 4_999)
    np.testing.assert_array_equal(made.points.rows, rows[made.points.at])
    assert made.facts()["classes"] is None  # more than there are colours
    with pytest.raises(wp.SettingError, match="1 to 2,000; got 2001"):
        make_scene(vae, rows, key=KEY, most_rows=2_001)


def test_a_row_without_a_posterior_is_named():
    rows = np.zeros((5, 3), np.float32)
    rows[2] = np.nan
    vae = SimpleNamespace(model_=exact_model(3, 2)[0], image_shape_=None)
    with pytest.raises(wp.DataError, match="row 2 and 0 others"):
        make_scene(vae, rows, key=KEY)


def test_another_estimator_is_refused():
    vae = SimpleNamespace(model_=Linear(jnp.zeros((2, 2)), jnp.zeros(2)), image_shape_=None)
    with pytest.raises(wp.SettingError, match=r"takes a fitted wellposed\.VAE; got Simple"):
        make_scene(vae, None, key=KEY)


def test_grey_is_dark_where_high_and_colour_is_not():
    row = np.array([[-1.0, 0.0, 5.0, 20.0, np.nan, np.inf]])
    grey = Pictures((2, 3, 1), 0.0, 10.0).packed(row)
    assert list(grey) == [255, 255, 128, 0, 255, 0]
    assert list(Pictures((1, 2, 3), 0.0, 10.0).packed(row)) == [0, 0, 128, 255, 0, 255]
    assert list(Pictures((1, 1, 1), 3.0, 3.0).packed(np.array([[3.0]]))) == [255]


def test_numbers_are_sent_as_they_are():
    shown = Features(["a", "b"], np.zeros(2), np.ones(2))
    rows = np.array([[1.5, -2.0], [np.nan, 1e30]])
    back = np.frombuffer(shown.packed(rows), "<f4").reshape(2, 2)
    np.testing.assert_array_equal(back, rows.astype(np.float32))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((8, 6), (8, 6, 1)),
        ((8, 6, 1), (8, 6, 1)),
        ((8, 6, 3), (8, 6, 3)),
        ((8, 6, 2), None),
        ((8,), None),
        (None, None),
    ],
)
def test_what_is_an_image(shape, expected):
    assert image_of(shape) == expected


def test_a_feature_that_never_varies_has_a_range():
    rows = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    rows[:, 1] = 7.0
    made = make_scene(
        SimpleNamespace(model_=exact_model(3, 2)[0], image_shape_=None), rows, key=KEY
    )
    told = made.shown.facts()
    assert told["low"][1] == 7.0
    assert told["high"][1] > 7.0
    assert told["names"] == ["feature 0", "feature 1", "feature 2"]


def test_any_name_and_label_can_be_sent():
    shown = Features(["<b>", "\ud800", "a\x1b[31m"], np.zeros(3), np.ones(3)).facts()
    assert shown["names"] == ["<b>", r"\ud800", r"a\x1b[31m"]
    names, which = _classes(np.array(["\ud800", 2, None, 2], dtype=object))
    assert names == ["2", "None", r"\ud800"]
    assert which == [2, 0, 1, 0]
