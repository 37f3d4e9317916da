"""Rows in buckets: filling changes no number, and a few rows more or fewer compile nothing."""

import jax
import numpy as np
import pytest

import wellposed as wp
from programs import count_programs
from textbook import textbook_vae
from wellposed.training import _rows
from wellposed.training._rows import Rows, bucket, pad_rows


@pytest.mark.parametrize("n", [1, 63, 64, 65, 390, 455, 8_192, 8_193, 60_000, 1_000_000])
def test_a_bucket_holds_its_rows_and_little_more(n):
    size = bucket(n)
    assert n <= size
    assert size == 64 or size < 2 * n
    assert n <= 8_192 or size <= 1.125 * n
    assert bucket(size) == size


def test_folds_share_a_bucket():
    assert {bucket(n) for n in (379, 380, 390, 455, 456)} == {512}
    assert bucket(47_999) == bucket(48_000)


def test_filling_is_beyond_the_rows():
    data = np.arange(1.0, 7.0).reshape(3, 2)
    filled = pad_rows(data)
    np.testing.assert_array_equal(filled[:3], data)
    assert filled.shape == (64, 2)
    assert not filled[3:].any()


def test_an_order_is_a_permutation_that_the_bucket_does_not_change(monkeypatch):
    key = jax.random.key(3)
    places = np.arange(100)[::-1]
    order = Rows.of(places).shuffled(key=key).host
    assert sorted(order) == list(range(100))
    assert (order != places).mean() > 0.9
    monkeypatch.setattr(_rows, "_LEAST", 4_096)
    np.testing.assert_array_equal(Rows.of(places).shuffled(key=key).host, order)


def test_every_place_is_equally_likely():
    """Mean place of each row over 2,000 orders, in standard errors."""
    shuffled = jax.jit(jax.vmap(lambda key: Rows.of(np.arange(20)).shuffled(key=key).index))
    orders = np.asarray(shuffled(jax.random.split(jax.random.key(0), 2_000)))[:, :20]
    mean_place = np.argsort(orders, axis=1).mean(axis=0)
    error = np.sqrt((20**2 - 1) / 12 / 2_000)
    assert np.abs(mean_place - 9.5).max() < 4 * error


@pytest.mark.parametrize("rows", [20, pytest.param(83, marks=pytest.mark.slow), 130])
def test_a_bucket_changes_no_number(rows, monkeypatch):
    """The same fit in buckets of other sizes: one log p, one history, one best epoch."""
    X = np.random.default_rng(0).normal(size=(rows, 4)) @ np.diag([1.0, 2.0, 3.0, 4.0])

    def fitted():
        vae = textbook_vae(2, hidden=(8,), max_epochs=6, random_state=0, progress=False)
        with pytest.warns(wp.TrainingWarning, match="still rising"):
            return vae.fit(X)

    one = fitted()
    monkeypatch.setattr(_rows, "_LEAST", 512)
    other = fitted()
    for name, column in one.history_.items():
        np.testing.assert_allclose(other.history_[name], column, rtol=1e-6, err_msg=name)
    np.testing.assert_allclose(other.score_samples(X), one.score_samples(X), rtol=1e-6)
    held = "held_out_objective"
    assert one.history_[held].argmax() == other.history_[held].argmax()


def test_a_first_fit_is_few_programs_and_folds_share_them():
    """A table of the shape of breast cancer."""
    X = np.random.default_rng(0).normal(size=(456, 30))

    def fit(n, k=5, noise="shared"):
        settings = {"hidden": (9,), "max_epochs": 1, "random_state": 0, "progress": False}
        return count_programs(lambda: textbook_vae(k, noise=noise, **settings).fit(X[:n]))

    jax.clear_caches()
    assert fit(455) <= 12
    assert fit(456) == 0
    assert fit(390) == 0
    assert fit(455, k=6) <= 3
    assert fit(455, noise="feature") <= 3
