"""The whole of it on real data: minutes, so marked slow."""

import numpy as np
import pytest

import wellposed as wp
from textbook import textbook_vae

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning"),
    pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning"),
    pytest.mark.filterwarnings("ignore::wellposed.FloorWarning"),
]


def split(rows: np.ndarray, held_out: float = 0.2, seed: int = 0):
    order = np.random.default_rng(seed).permutation(len(rows))
    cut = int(len(rows) * (1 - held_out))
    return rows[order[:cut]], rows[order[cut:]]


def test_unit_variance_on_mnist_costs_at_least_its_constant(shared_data):
    """(784/2)·log 2π = 720.5 nats; a VAE with ten latents reaches about 732 (Stirn & Knowles)."""
    images = wp.datasets.read(shared_data("mnist") / "t10k-images-idx3-ubyte.gz").values / 255.0
    rows, held_out = split(images.astype(np.float32))
    vae = textbook_vae(10, noise=1.0, transform="identity", max_epochs=10, random_state=0).fit(rows)
    elbo = vae.elbo(held_out).mean()
    constant = 784 / 2 * np.log(2 * np.pi)
    assert -745 < elbo < -constant
    assert vae.log_likelihood(held_out).value.max() <= -constant + 1e-3


def test_the_logit_of_mnist_is_scored_in_pixel_units(shared_data):
    """Between the linear model of as many latents and the best that was ever reported.

    pPCA with 50 latents has −1480.2 nats in logit space, and 272.6 of Jacobian to pixel units.
    """
    folder = shared_data("mnist")
    images = wp.datasets.read(folder / "train-images-idx3-ubyte.gz").values
    held_out = wp.datasets.read(folder / "t10k-images-idx3-ubyte.gz").values[:2_000]
    vae = textbook_vae(
        50,
        hidden=(512, 256),
        transform=wp.transforms.Logit(levels=256),
        max_epochs=12,
        validation_fraction=0.02,
        random_state=0,
    ).fit(images)
    assert 272.6 - 1480.2 < vae.elbo(held_out, n_samples=2).mean() < -1000
    draws = vae.sample(20)
    assert draws.min() >= 0
    assert draws.max() <= 255
    np.testing.assert_array_equal(draws, np.round(draws))


@pytest.mark.filterwarnings("ignore::wellposed.DataHint")
@pytest.mark.parametrize(
    "name", ["concrete", "energy", "kin8nm", "power-plant", "wine-quality-red"]
)
def test_tables_of_every_kind(shared_data, name, tmp_path):
    source = wp.datasets.read(shared_data("uci") / f"{name}.txt")
    rows, held_out = split(source.values)
    k = min(4, rows.shape[1] - 1)
    vae = textbook_vae(k, hidden=(64, 64), noise="feature", random_state=0).fit(rows)
    scores = vae.score_samples(held_out)
    exact = wp.PPCA(k, transform="standardize").fit(rows).score_samples(held_out)
    assert scores.mean() > exact.mean()
    assert scores.max() <= vae.model_.log_density_bound(rows.shape[1])
    vae.save(tmp_path / "model.wp")
    np.testing.assert_array_equal(wp.load(tmp_path / "model.wp").score_samples(held_out), scores)


def test_convolutions_on_frey_faces(shared_data):
    source = wp.datasets.read(shared_data("frey-faces") / "frey_faces_uint8_1965x28x20.npy")
    rows, held_out = split(source.values)
    vae = textbook_vae(
        10,
        encoder="conv",
        decoder="conv",
        image_shape=source.image_shape,
        max_epochs=40,
        random_state=0,
    ).fit(rows)
    assert vae.score(held_out) > wp.PPCA(10).fit(rows).score(held_out)


def test_faces_fewer_than_pixels(shared_data):
    source = wp.datasets.read(shared_data("olivetti-faces") / "olivetti_faces_uint8_400x64x64.npy")
    vae = textbook_vae(8, image_shape=source.image_shape, max_epochs=20, random_state=0)
    vae.fit(source.values)
    assert vae.sample(3).shape == (3, 4096)
    assert np.isfinite(vae.score_samples(source.values[:20])).all()


@pytest.mark.filterwarnings("ignore::wellposed.DataHint")
def test_counts_of_single_cells_with_genes_never_seen(shared_data):
    source = wp.datasets.read(
        shared_data("single-cell") / "mouse_brain_10x_10000x1000_counts_csr.npz"
    )
    with pytest.warns(wp.ConstantFeatureWarning, match="285 of 1000 features"):
        vae = textbook_vae(10, max_epochs=5, random_state=0).fit(source.values)
    silent = source.values.max(axis=0) == 0
    assert (vae.sample(5)[:, silent] == 0).all()


def test_fashion_mnist_in_pieces(shared_data):
    images = wp.datasets.read(shared_data("fashion-mnist") / "train-images-idx3-ubyte.gz")
    vae = textbook_vae(10, image_shape=images.image_shape, random_state=0)
    scores = []
    for piece in np.array_split(images.values[:24_000], 4):
        vae.partial_fit(piece)
        scores.append(vae.elbo(images.values[-1_000:], n_samples=1).mean())
    assert np.diff(scores).min() > 0
