"""Rows with missing entries: exact, and as long as the density of what is observed states."""

import functools
import math
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import polars as pl
import pytest

import wellposed as wp
from wellposed.coding import row_codec_from_bytes
from wellposed.coding.container import blocks
from wellposed.coding.fillings import Filling
from wellposed.coding.protocol import MISSING
from wellposed.estimators.compression.containers import cells_of
from wellposed.estimators.compression.estimate import estimate_compression
from wellposed.estimators.compression.models import plan_for
from wellposed.noise.missing import Fill


@functools.cache
def table(n: int = 900) -> pd.DataFrame:
    """Two real columns, a category of three levels and a flag, of which a fifth is missing."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "size": np.round(3 + 2 * z + 0.3 * rng.normal(size=n), 2) + 0.0,
            "depth": np.round(50 * z + 5 * rng.normal(size=n)) + 0.0,
            "kind": pd.Series(
                np.select([z > 1.0, z + rng.normal(size=n) > 0], ["c", "a"], "b"), dtype=object
            ),
            "flag": (z > 0.5).astype(float),
        }
    )
    gaps = rng.random(frame.shape) < 0.2
    gaps[5] = True
    return frame.mask(gaps)


@functools.cache
def fitted() -> wp.VAE:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few epochs are intended
        settings = {"hidden": (16,), "max_epochs": 10, "random_state": 0, "prior": "standard"}
        return wp.VAE(2, missing="ignorable", **settings).fit(table())


@functools.cache
def coded() -> tuple[Any, np.ndarray]:
    """The codec, and the symbols of the table."""
    cells = cells_of(table())
    plan: Any = plan_for(fitted(), table(), cells)
    symbols, off = plan.modelled.symbols(cells.parts)
    assert not off.any()
    return plan.coder, symbols


def test_every_row_comes_back_with_its_gaps():
    codec, symbols = coded()
    assert (symbols == MISSING).mean() > 0.15
    again = row_codec_from_bytes(codec.to_bytes())
    for rows in (
        symbols,
        symbols[:1],
        symbols[:0],
        symbols[5:6],
        symbols[~(symbols == MISSING).any(1)],
    ):
        payload = codec.encode(rows)
        np.testing.assert_array_equal(again.decode(payload, len(rows)), rows)


def test_the_encoder_has_what_that_of_the_model_has():
    """Numbers, in the gaps conditional means, then indicators of the three levels, then marks.

    Conditional means are kept within the limits of the numbers, which the model does not do.
    """
    codec, symbols = coded()
    features, known = codec.beside.known(symbols)
    whole = np.ascontiguousarray(features.T)
    ours = codec.beside.encoder_inputs(codec.inputs(whole), whole, known).T
    model, rows = fitted().model_, fitted().rows(table())
    to_units = jax.vmap(lambda x: model.to_model_units(x, key=jax.random.key(0)).value)
    expected = jax.vmap(model.encoder_input)(to_units(jnp.asarray(rows, jnp.float32)))
    assert expected.shape[1] == ours.shape[1] == 4 + 3 + 4
    ours, seen = ours * 2.0**-codec.latent_bits, ~np.isnan(rows)
    np.testing.assert_allclose(ours[:, :4][seen], expected[:, :4][seen], atol=1e-3)
    np.testing.assert_array_equal(ours[:, 4:], expected[:, 4:])


@pytest.mark.slow
def test_the_code_is_as_long_as_the_elbo_of_observed_entries():
    codec, symbols = coded()
    rate = codec.rate(symbols)
    steps = np.log2([100.0, 1.0]) @ (symbols[:, :2] != MISSING).T
    bound = steps - np.asarray(fitted().elbo(table(), n_samples=4), np.float64) / math.log(2)
    error = np.std(rate.net - bound) / math.sqrt(len(symbols))
    assert abs((rate.net - bound).mean()) < 3 * error + 0.004 * bound.mean()
    total = rate.net.sum() + rate.initial + rate.states + rate.apart
    assert abs(rate.coded - total) < 128 + 0.0005 * total
    # The marks cost their entropy, or nearly.
    share = (symbols == MISSING).mean(axis=0)
    entropy = -(share * np.log2(share) + (1 - share) * np.log2(1 - share)).sum() * len(symbols)
    assert entropy < rate.apart < 1.01 * entropy + 8 * (4 + 1)


def test_a_frame_comes_back_with_marks_that_the_model_codes(monkeypatch):
    monkeypatch.setattr(blocks, "pack_plain", lambda parts: bytes(10**6))
    frame = table().copy()
    frame.loc[7, "kind"] = "never seen"
    bits = np.array([0xFFF8_0000_0000_0123], np.uint64).view(float)[0]
    frame.loc[9, "size"], frame.loc[11, "depth"] = bits, -0.0
    data = wp.compress(fitted(), frame)
    again = wp.decompress(data, fitted())
    pd.testing.assert_frame_equal(again, frame)
    assert again["size"].to_numpy().tobytes() == frame["size"].to_numpy().tobytes()
    estimate = estimate_compression(fitted(), table())
    assert estimate.n_apart == 0
    assert "missing marks" in str(estimate)


@pytest.mark.parametrize("package", [pytest.param("pandas", marks=pytest.mark.slow), "polars"])
def test_nulls_of_frames_are_missing_entries(package, monkeypatch):
    monkeypatch.setattr(blocks, "pack_plain", lambda parts: bytes(10**6))
    frame: Any = table().convert_dtypes()
    if package == "polars":
        columns = {name: [None if v is pd.NA else v for v in frame[name]] for name in frame}
        frame = pl.DataFrame(columns, strict=False)
    cells = cells_of(frame)
    plan: Any = plan_for(fitted(), frame, cells)
    symbols, off = plan.modelled.symbols(cells.parts)
    assert not off.any()
    np.testing.assert_array_equal(symbols == MISSING, table().isna())
    again = wp.decompress(wp.compress(fitted(), frame), fitted())
    assert again.equals(frame)


@pytest.mark.parametrize("k", [1, 4])
def test_missing_entries_are_filled_with_conditional_means(k):
    rng = np.random.default_rng(k)
    mean, weight, variance = rng.normal(size=9), rng.normal(size=(9, k)), rng.uniform(0.01, 1, 9)
    rows, missing = rng.normal(size=(20, 9)), rng.random((20, 9)) < 0.5
    missing[0], missing[1] = True, False
    filling = Filling.rounded(mean, weight, variance, bits=14)
    ours = filling(np.rint(rows.T * 2.0**14), missing.T).T * 2.0**-14
    with jax.enable_x64(True):
        fill = Fill(*(jnp.asarray(each) for each in (mean, weight, variance)))
        expected = jax.vmap(fill)(jnp.asarray(rows), jnp.asarray(~missing))
    np.testing.assert_allclose(ours, np.asarray(expected), atol=5e-3)
