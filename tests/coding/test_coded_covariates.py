"""Rows of conditional models: the covariates come back, and the rest costs −ELBO given them."""

import functools
import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import wellposed as wp
from wellposed.coding import row_codec_from_bytes
from wellposed.coding.container import blocks
from wellposed.estimators.compression.containers import cells_of
from wellposed.estimators.compression.estimate import estimate_compression
from wellposed.estimators.compression.models import plan_for


@functools.cache
def table(n: int = 700) -> pd.DataFrame:
    """A real column and a whole one, which depend on an age and on a batch in text."""
    rng = np.random.default_rng(0)
    age, batch = rng.integers(20, 90, n), rng.choice(["x", "y", "z"], n)
    shift = 0.2 * age + 4.0 * (batch == "y")
    z = rng.normal(size=n)
    return pd.DataFrame(
        {
            "age": age,
            "size": np.round(shift + z + 0.2 * rng.normal(size=n), 2) + 0.0,
            "batch": pd.Series(batch, dtype=object),
            "depth": np.round(10 * z + 3 * shift) + 0.0,
        }
    )


@functools.cache
def fitted() -> wp.VAE:
    settings = {"hidden": (16,), "max_epochs": 15, "random_state": 0, "prior": "standard"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few epochs are intended
        vae = wp.VAE(1, noise="feature", covariates=["age", "batch"], **settings)
        return vae.fit(table())


@pytest.mark.slow
def test_rows_come_back_and_cost_their_bound_given_covariates():
    cells = cells_of(table())
    plan: Any = plan_for(fitted(), table(), cells)
    codec = row_codec_from_bytes(plan.coder.to_bytes())
    symbols, off = plan.modelled.symbols(cells.parts)
    assert not off.any()
    for rows in (symbols, symbols[:1], symbols[:0]):
        np.testing.assert_array_equal(codec.decode(codec.encode(rows), len(rows)), rows)
    odd = symbols[:3].copy()
    odd[:, -2:] = [[-5, 77], [10**6, 0], [0, 1]]  # covariates that no row of the fit had
    np.testing.assert_array_equal(codec.decode(codec.encode(odd), 3), odd)
    rate = codec.rate(symbols)
    elbo = np.asarray(fitted().elbo(table(), n_samples=4), np.float64)
    bound = math.log2(100) - elbo / math.log(2)
    error = np.std(rate.net - bound) / math.sqrt(len(symbols))
    assert abs((rate.net - bound).mean()) < 3 * error + 0.004 * bound.mean()
    total = rate.net.sum() + rate.initial + rate.states + rate.apart
    assert abs(rate.coded - total) < 128 + 0.0005 * total


def test_a_frame_comes_back_with_its_covariates(monkeypatch):
    monkeypatch.setattr(blocks, "pack_plain", lambda parts: bytes(10**6))
    frames: list[Any] = [table(), table()[["depth", "batch", "age", "size"]][:40], table()[:0]]
    for frame in frames:
        again = wp.decompress(wp.compress(fitted(), frame, block_rows=300), fitted())
        pd.testing.assert_frame_equal(again, frame)
    estimate = estimate_compression(fitted(), table())
    assert abs(estimate.net - estimate.elbo) < 0.02 * estimate.elbo
    with pytest.raises(wp.DataError, match="age"):
        wp.compress(fitted(), table().drop(columns="age"))


@pytest.mark.slow
def test_with_a_target_covariates_are_exact_and_the_rest_is_near(monkeypatch):
    monkeypatch.setattr(blocks, "pack_plain", lambda parts: bytes(10**6))
    again = wp.decompress(wp.compress(fitted(), table(), target_bits=6), fitted())
    pd.testing.assert_frame_equal(again[["age", "batch"]], table()[["age", "batch"]])
    for name in ("size", "depth"):
        error = np.sqrt(((again[name] - table()[name]) ** 2).mean())
        assert 0 < error < 0.5 * table()[name].std()


@pytest.mark.slow
def test_images_come_back_through_convolutions_given_a_covariate(monkeypatch):
    monkeypatch.setattr(blocks, "pack_plain", lambda parts: bytes(10**6))
    digits = wp.datasets.load_digits()
    rows = np.column_stack([digits.values, np.arange(len(digits.values)) % 3])[:400]
    settings = {"encoder": "conv", "decoder": "conv", "image_shape": (8, 8), "max_epochs": 4}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few epochs are intended
        noise = wp.noise.DiscretizedLogistic(17)
        vae = wp.VAE(2, noise=noise, covariates=[64], random_state=0, **settings).fit(rows)
    data = rows[:150].astype(np.uint8)
    assert wp.decompress(wp.compress(vae, data), vae).tobytes() == data.tobytes()
    estimate = estimate_compression(vae, data)
    assert abs(estimate.net - estimate.elbo) < 0.02 * estimate.elbo
