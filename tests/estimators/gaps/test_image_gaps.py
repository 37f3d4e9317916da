"""A VAE of images with missing pixels: every kind of network and noise that images have."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import wellposed as wp
from variants import slow_beside
from wellposed import evaluation
from wellposed.estimators._prepare import prepare

KEY = jax.random.key(0)
NOISE = {
    "bernoulli": lambda pixels: (pixels > 7).astype(np.float32),
    "continuous-bernoulli": lambda pixels: (pixels / 16).astype(np.float32),
    "shared": lambda pixels: (pixels / 16).astype(np.float32),
    "discretized-logistic": lambda pixels: pixels.astype(np.float32),
}
CASES = slow_beside(
    [("conv", noise) for noise in NOISE] + [("mlp", "bernoulli"), ("mlp", "shared")],
    [("conv", "discretized-logistic"), ("mlp", "bernoulli")],
)
pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")


class WithoutMask(eqx.Module):
    """The encoder for a datum without missing entries: its mask is zero."""

    net: Any

    def __call__(self, y):
        return self.net(jnp.concatenate([y, jnp.zeros_like(y)]))


@pytest.fixture(scope="module")
def digits():
    return wp.datasets.load_digits().values[:200].reshape(-1, 8, 8)


def pixels_hidden(images: np.ndarray, share: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(images.shape) < share, np.nan, images)


def unfitted(images: np.ndarray, network: str, noise: str) -> Any:
    vae = wp.VAE(
        3, noise=noise, encoder=network, decoder=network, missing="ignorable", random_state=0
    )
    return prepare(vae, images).model


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_pixels_are_left_out_of_the_density_and_shown_to_the_encoder(digits, case):
    network, noise = case
    images = NOISE[noise](digits)
    model = unfitted(pixels_hidden(images, 0.4), network, noise)
    rows = pixels_hidden(images[:6], 0.5, seed=1).reshape(6, 64)
    for row in rows:
        y = model.to_model_units(row, key=KEY).value
        q = model.encode(y)
        assert np.isfinite(q.loc).all()
        assert np.isfinite(q.scale).all()
        seen = ~np.isnan(row)
        whole = model.noise.noise(model.decoder(q.loc))
        each = np.asarray(whole.feature_log_prob(jnp.where(seen, y, model.noise.typical)))
        found = float(model.decode(q.loc).log_prob(y))
        assert found == pytest.approx(each[seen].sum(dtype=np.float64), rel=1e-5)


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_images_without_gaps_score_as_in_a_model_of_whole_images(digits, case):
    network, noise = case
    images = NOISE[noise](digits)
    model = unfitted(images, network, noise)
    whole = dataclasses.replace(model, noise=model.noise.noise, encoder=WithoutMask(model.encoder))
    rows = images[:10].reshape(10, 64)
    found, expected = (
        evaluation.log_likelihood(each, rows, n_samples=64, key=KEY, proposal="encoder")
        for each in (model, whole)
    )
    np.testing.assert_allclose(found.value, expected.value, rtol=1e-6)


def test_the_mask_reaches_a_convolution(digits):
    """Entries that equal their conditional mean differ from missing ones in the mask alone."""
    images = NOISE["continuous-bernoulli"](digits)
    model = unfitted(pixels_hidden(images, 0.4), "conv", "continuous-bernoulli")
    y = model.to_model_units(jnp.asarray(images[0].reshape(-1)), key=KEY).value
    gap = jnp.where(jnp.arange(64) < 32, jnp.nan, y)
    net = jax.tree.map(lambda leaf: leaf + 0.1, model.encoder)  # the last layer starts at zero
    shown = model.noise.encoder_input(gap)
    filled = jnp.concatenate([shown[:64], jnp.zeros(64)])
    assert np.abs(np.asarray(net(shown) - net(filled))).max() > 1e-3


@pytest.mark.slow
def test_a_fit_of_images_with_missing_pixels_learns_and_survives_a_file(digits, tmp_path):
    images = NOISE["continuous-bernoulli"](digits)
    gaps = pixels_hidden(images, 0.3)
    vae = wp.VAE(
        3,
        noise="continuous-bernoulli",
        encoder="conv",
        decoder="conv",
        missing="ignorable",
        max_epochs=8,
        random_state=0,
        progress=False,
    ).fit(gaps)
    start = prepare(vae, gaps).model
    held = vae.rows(gaps[150:])
    first = evaluation.elbo(start, held, n_samples=8, key=KEY).elbo.mean()
    assert evaluation.elbo(vae.model_, held, n_samples=8, key=KEY).elbo.mean() > first
    vae.save(tmp_path / "images.wp")
    again = wp.load(tmp_path / "images.wp")
    np.testing.assert_array_equal(again.transform(gaps[:5]), vae.transform(gaps[:5]))


def test_an_imputer_takes_the_shape_of_images_from_the_images(digits):
    images = NOISE["continuous-bernoulli"](digits)
    gaps = pixels_hidden(images, 0.3)
    networks = {"encoder": "conv", "decoder": "conv", "prior": "standard"}
    vae = wp.VAE(3, noise="continuous-bernoulli", max_epochs=1, **networks)
    imputer = wp.VAEImputer(vae, n_models=1, n_samples=16, random_state=0).fit(gaps)
    assert imputer.vaes_[0].image_shape_ == (8, 8)
    filled = imputer.transform(gaps[:5])
    np.testing.assert_array_equal(
        filled[~np.isnan(gaps[:5].reshape(5, 64))], gaps[:5][~np.isnan(gaps[:5])]
    )
    assert ((filled >= 0) & (filled <= 1)).all()
