"""The readers on the published files, against what is published of them."""

import hashlib

import numpy as np
import pytest

from wellposed.datasets import DATASETS, fetch, load, read

# Mean and standard deviation of the training pixels in [0, 1], as widely quoted.
MOMENTS = {"mnist": (0.13066, 0.30811), "fashion-mnist": (0.28604, 0.35302)}
UCI = {
    "concrete": (1030, 9),
    "energy": (768, 9),
    "kin8nm": (8192, 9),
    "power-plant": (9568, 5),
    "wine-quality-red": (1599, 12),
}


@pytest.mark.parametrize("name", DATASETS)
def test_the_catalogue_states_the_published_sums(shared_data, name):
    folder = shared_data(name)
    for file in DATASETS[name].files:
        body = (folder / file.name).read_bytes()
        assert len(body) == file.size
        assert hashlib.sha256(body).hexdigest() == file.sha256
        assert hashlib.md5(body, usedforsecurity=False).hexdigest() == file.md5


@pytest.mark.parametrize("name", DATASETS)
def test_fetched_images_are_the_published_ones(shared_data, tmp_path, name):
    folder = fetch(name, source=shared_data(name), cache=tmp_path)
    assert folder == tmp_path / name
    splits = load(name, cache=tmp_path)
    assert splits.train.values.shape == (60000, 784)
    assert splits.test.values.shape == (10000, 784)
    assert splits.train.values.dtype == np.uint8
    assert splits.train.image_shape == (28, 28)
    counts = np.bincount(splits.train.values.ravel(), minlength=256) / splits.train.values.size
    levels = np.arange(256) / 255
    mean = counts @ levels
    std = np.sqrt(counts @ (levels - mean) ** 2)
    np.testing.assert_allclose((mean, std), MOMENTS[name], atol=6e-6)
    assert splits.train.labels.shape == (60000,)
    # Fashion-MNIST has equal classes; MNIST's first ten labels are a known sequence.
    if name == "mnist":
        np.testing.assert_array_equal(splits.train.labels[:10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
    else:
        np.testing.assert_array_equal(np.bincount(splits.train.labels), [6000] * 10)


@pytest.mark.parametrize(
    ("name", "n", "shape"),
    [
        ("frey-faces/frey_faces_uint8_1965x28x20.npy", 1965, (28, 20)),
        ("olivetti-faces/olivetti_faces_uint8_400x64x64.npy", 400, (64, 64)),
    ],
)
def test_faces_are_images(shared_data, name, n, shape):
    source = read(shared_data(name))
    assert source.values.shape == (n, shape[0] * shape[1])
    assert source.values.dtype == np.uint8
    assert source.image_shape == shape
    # Neighbouring rows of a face are alike; cut into half-rows, left follows right.
    right = np.abs(np.diff(source.images.astype(int), axis=1)).mean()
    halves = source.values.astype(int).reshape(n, 2 * shape[0], shape[1] // 2)
    assert right < 0.8 * np.abs(np.diff(halves, axis=1)).mean()


@pytest.mark.parametrize(("name", "shape"), UCI.items(), ids=UCI)
def test_uci_tables_have_their_published_shapes(shared_data, name, shape):
    source = read(shared_data(f"uci/{name}.txt"))
    assert source.values.shape == shape
    assert source.feature_names is None
    assert np.isfinite(source.values).all()


def test_single_cell_counts_become_dense(shared_data):
    path = shared_data("single-cell/mouse_brain_10x_10000x1000_counts_csr.npz")
    source = read(path)
    assert source.values.shape == (10000, 1000)
    assert source.values.dtype == np.uint16
    assert source.feature_names[:2] == ("Xkr4", "Gm1992")
    assert np.sum(source.values.any(axis=0)) == 1000 - 285
    with np.load(path) as parts:
        assert source.values.sum(dtype=np.int64) == parts["data"].sum(dtype=np.int64)
        row = slice(parts["indptr"][7], parts["indptr"][8])
        np.testing.assert_array_equal(source.values[7, parts["indices"][row]], parts["data"][row])
