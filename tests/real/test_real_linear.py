"""The linear models on MNIST and Fashion-MNIST, against published and computed figures."""

import jax
import numpy as np
import pytest

import wellposed as wp
from wellposed import evaluation, models

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning"),
]

# Images scaled by 255: k, σ², mean log p on the training images and on the test images.
MNIST = [
    (2, 0.056096, 12.4, 14.4),
    (10, 0.034867, 182.2, 186.0),
    (20, 0.024597, 299.758, 306.5),
    (50, 0.012596, 507.9, 517.6),
    (100, 0.006581, 681.0, 689.3),
    (200, 0.003029, 839.544, 844.7),
    (400, 0.000574, 1073.9, 1083.3),
]
FASHION = [
    (2, 0.046413, 85.3, 86.9),
    (10, 0.024686, 314.8, 315.2),
    (20, 0.019188, 396.8, 396.7),
    (50, 0.012761, 513.9, 512.9),
    (100, 0.008742, 602.3, 600.9),
    (200, 0.005414, 685.3, 681.9),
]
TOP = {
    "mnist": [5.11678773, 3.74132848, 3.25265424, 2.84157334, 2.56707496],
    "fashion-mnist": [19.80948, 12.11201, 4.10609, 3.38177, 2.62473],
}
TRACE = {"mnist": 52.72503549512684, "fashion-mnist": 68.21626}


@pytest.fixture
def images(shared_data):
    def read(name, part):
        return wp.datasets.read(shared_data(name) / f"{part}-images-idx3-ubyte.gz").values

    return read


def last_digit(printed):
    """One unit of the last digit that a figure is printed with."""
    return 10.0 ** -len(str(printed).split(".")[1])


@pytest.mark.parametrize(("name", "rows"), [("mnist", MNIST), ("fashion-mnist", FASHION)])
def test_ppca_reproduces_every_row(images, name, rows):
    """One decomposition serves all k: the spectrum does not depend on it."""
    training, held_out = images(name, "train") / 255.0, images(name, "t10k") / 255.0
    spectrum = evaluation.spectrum(training, evaluation.IDENTITY)
    assert spectrum.total_variance == pytest.approx(TRACE[name], rel=1e-7)
    near = 1e-8 if name == "mnist" else 1e-5
    assert spectrum.eigenvalues[:5].tolist() == pytest.approx(TOP[name], abs=near)
    for k, variance, train, test in rows:
        best = models.optimum(spectrum, k)
        assert best.noise_variance == pytest.approx(variance, abs=1e-6)
        assert best.log_likelihood == pytest.approx(train, abs=last_digit(train))
        assert best.model.log_density(held_out).mean() == pytest.approx(test, abs=0.1)


def test_eigenvalues_above_a_noise_are_the_latents_that_live(images):
    """Published: with unit variance at most 12 latents of a linear VAE can be active."""
    rows = images("mnist", "train") / 255.0
    spectrum = evaluation.spectrum(rows, evaluation.IDENTITY)
    counts = {3: 3, 1: 12, 0.3: 35, 0.1: 69, 0.03: 136, 0.01: 251, 0.003: 404, 0.001: 487}
    for variance, alive in counts.items():
        found = evaluation.forecast_spectrum(spectrum, noise_variance=variance)
        assert found.n_active == alive
        for beta in (0.5, 2.0):
            other = evaluation.forecast_spectrum(
                spectrum, noise_variance=variance / beta, beta=beta
            )
            assert other.n_active == alive
    # Wang & Ziyin (2022): modes collapse one after the other as β passes them, η = 1.
    for j, beta in enumerate(TOP["mnist"]):
        for factor, alive in ((1 - 1e-6, j + 1), (1 + 1e-6, j)):
            found = evaluation.forecast_spectrum(spectrum, noise_variance=1.0, beta=beta * factor)
            assert found.n_active == alive


def test_the_estimator_on_bytes_is_that_on_the_unit_interval(images):
    """The published figures through the front door; log p differs by 784·log 255."""
    training = images("mnist", "train")
    ppca = wp.PPCA(20).fit(training)
    assert ppca.noise_variance_ / 255**2 == pytest.approx(0.024597, abs=1e-6)
    per_unit = 784 * np.log(255)
    assert ppca.log_likelihood_ + per_unit == pytest.approx(299.758, abs=1e-3)
    assert ppca.score(images("mnist", "t10k")) + per_unit == pytest.approx(306.5, abs=0.1)


def test_the_linear_vae_is_ppca_on_mnist(images):
    training = images("mnist", "train") / 255.0
    vae = wp.LinearVAE(200, random_state=0).fit(training)
    assert vae.elbo_ == pytest.approx(839.544, abs=1e-3)
    exact = models.optimum(evaluation.spectrum(training, evaluation.IDENTITY), 200)
    assert vae.elbo_ == pytest.approx(exact.log_likelihood, rel=1e-6)
    assert vae.noise_variance_ == pytest.approx(0.003029, abs=1e-6)
    held_out = images("mnist", "t10k") / 255.0
    assert vae.score(held_out) == pytest.approx(844.7, abs=0.1)


def test_the_first_thousand_images(images):
    """Lucas et al. print 941.654 for "the first 1000 images" with q = 200.

    Their first thousand are of another order of the same images (that of the copy they loaded,
    which is shuffled). In the order of the original files the first thousand give 962.38352, and
    random thousands 946 ± 7; so their figure is no target here, and a closed form is.
    """
    rows = images("mnist", "train")[:1_000] / 255.0
    values = np.linalg.eigvalsh(np.cov(rows.T, bias=True))[::-1]
    d, k = 784, 200
    variance = values[k:].sum() / (d - k)
    closed = -0.5 * (
        d * np.log(2 * np.pi) + np.log(values[:k]).sum() + (d - k) * np.log(variance) + d
    )
    assert closed == pytest.approx(962.38352, abs=1e-4)
    ppca = wp.PPCA(k).fit(rows)
    assert ppca.log_likelihood_ == pytest.approx(closed, abs=1e-7)
    assert ppca.score(rows) == pytest.approx(closed, abs=1e-6)
    vae = wp.LinearVAE(k, random_state=0).fit(rows)
    assert vae.elbo_ == pytest.approx(closed, rel=1e-6)
    assert vae.elbo(rows).mean() == pytest.approx(closed, rel=1e-6)


LOGIT = [  # k, σ², active, rate, mean log p of training and test data, in logit space
    (200, 10.0, 74, 51.6, -1771.1, -1769.9),
    (160, 10.0, 74, 51.6, -1771.1, -1769.9),
    (200, 1.0, 200, 219.5, -1372.9, -1371.9),
    (200, None, 200, 206.3, -1370.3, -1369.0),
    (160, None, 160, 187.5, -1375.9, -1373.9),
    (50, None, 50, None, -1486.6, -1480.2),
]


def test_logits_of_mnist(images):
    """Dequantised pixels, α = 1e-6: figures vary by less than a nat with the dequantisation.

    The log of a uniform has variance 1, and 784 pixels and 10,000 images leave the mean of the
    Jacobian a standard error of 0.28 nats.
    """
    training, held_out = images("mnist", "train"), images("mnist", "t10k")
    ppca = wp.PPCA(200, noise=10.0, transform="logit", random_state=0).fit(training)
    assert ((ppca.components_**2).sum(1) > 0).sum() == 74
    spectrum = ppca.spectrum_
    units = evaluation.ModelUnits(ppca.transform_, jax.random.key(1))
    assert units.whole(training[:10_000])[1].mean() == pytest.approx(271.6, abs=0.9)
    values, jacobian = units.whole(held_out)
    assert jacobian.mean() == pytest.approx(272.6, abs=0.9)
    assert ppca.score(held_out) == pytest.approx(-1497.4, abs=1.0)
    for k, variance, alive, rate, train, test in LOGIT:
        best = models.optimum(spectrum, k, noise_variance=variance)
        assert len(best.active) == alive
        if rate is not None:
            assert best.rates.sum() == pytest.approx(rate, abs=0.15)
        assert best.log_likelihood - spectrum.log_det == pytest.approx(train, abs=1.0)
        assert best.model.log_density(values).mean() == pytest.approx(test, abs=1.0)
    assert models.optimum(spectrum, 200).noise_variance == pytest.approx(1.1404, abs=1e-3)
    assert models.optimum(spectrum, 160).noise_variance == pytest.approx(1.2137, abs=1e-3)
