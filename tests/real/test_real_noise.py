"""Noise that sees its neighbours, on real images and on the lines of real images."""

import math
import warnings

import numpy as np
import pytest

import wellposed as wp
from textbook import textbook_vae
from wellposed import evaluation

pytestmark = pytest.mark.slow


def quietly(vae: wp.VAE, rows: np.ndarray) -> wp.VAE:
    """Fit on a budget, with features that never vary."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return vae.fit(rows)


def test_causal_noise_on_mnist(shared_data):
    """Six epochs: shorter codes than any published VAE of one layer, and draws without bands."""
    folder = shared_data("mnist")
    train = wp.datasets.read(folder / "train-images-idx3-ubyte.gz")
    test = wp.datasets.read(folder / "t10k-images-idx3-ubyte.gz").values[:2_000]
    vae = textbook_vae(
        32,
        noise=wp.noise.CausalLogistic(256),
        image_shape=train.image_shape,
        hidden=(512, 512),
        max_epochs=6,
        kl_warmup=3,
        patience=None,
        validation_fraction=0.02,
        random_state=0,
    )
    quietly(vae, train.values)
    bits = -vae.elbo(test, n_samples=1).mean(dtype=float) / (784 * math.log(2))
    assert bits < 1.267  # four layers of Bit-Swap; 1.391 the beta-binomial VAE
    vae.adopt_prior(train.values[::10])  # of all rows it takes minutes
    assert vae.prior_gain_.value > 2 * vae.prior_gain_.standard_error
    drawn = vae.sample(1_000)
    assert evaluation.artefact_bands(drawn, (28, 28), full=255).share == 0
    held = evaluation.coverage(vae.model_, test[:200], key=vae.key("score"), n_draws=49)
    assert held.coverage[2] == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize("regression", ["shared", "feature", "conditional"])
def test_causal_noise_along_the_lines_of_faces(shared_data, regression):
    """Ordered vectors: 64 grey values from left to right, whose neighbours go together."""
    faces = np.load(shared_data("olivetti-faces") / "olivetti_faces_uint8_400x64x64.npy")
    lines = faces.reshape(400, 64, 64)[:, 20:40].reshape(-1, 64)
    rows, held_out = lines[:7_000], lines[7_000:]
    scores = {}
    for name, noise in (
        ("independent", wp.noise.Gaussian("shared")),
        ("causal", wp.noise.CausalGaussian(5, regression=regression)),
    ):
        vae = textbook_vae(8, noise=noise, max_epochs=30, random_state=0, patience=None)
        scores[name] = quietly(vae, rows).elbo(held_out).mean(dtype=float)
    assert scores["causal"] > scores["independent"] + 5
    assert np.abs(vae.sample(200) - lines.mean()).max() < 10 * lines.std()


def test_negative_binomials_beat_poissons_on_single_cells(shared_data):
    """All 10,000 cells and 1,000 genes; held-out bounds of 1,000 cells, paired."""
    path = shared_data("single-cell") / "mouse_brain_10x_10000x1000_counts_csr.npz"
    rows = np.random.default_rng(0).permutation(wp.datasets.read(path).values)
    poisson, negative_binomial = wp.noise.Poisson, wp.noise.NegativeBinomial
    bounds = {}
    for noise in (poisson(), negative_binomial(), poisson(True), negative_binomial(True)):
        vae = textbook_vae(
            5, noise=noise, hidden=(128,), max_epochs=40, random_state=0, patience=None
        )
        bounds[type(noise), noise.library] = quietly(vae, rows[:9_000]).elbo(rows[9_000:])
    for better, worse in (
        ((negative_binomial, False), (poisson, False)),
        ((negative_binomial, True), (poisson, True)),
        ((poisson, True), (poisson, False)),
    ):
        gain = (bounds[better] - bounds[worse]).astype(float)
        assert gain.mean() > 3 * gain.std() / math.sqrt(len(gain))
