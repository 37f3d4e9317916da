"""Rows coded by a trained model: exact, as small as the ELBO says, or refused."""

import copy
import functools
import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

import wellposed as wp
from variants import slow_beside
from wellposed import coding
from wellposed.coding.container import blocks
from wellposed.estimators.compression.estimate import estimate_compression

DIGITS = wp.datasets.load_digits().values.astype(np.uint8)
TRAIN, TEST = DIGITS[:1400], DIGITS[1400:]


@functools.cache
def digits_vae():
    noise = wp.noise.DiscretizedLogistic(17)
    settings = {"hidden": (32,), "max_epochs": 20, "random_state": 0, "prior": "standard"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few epochs are intended
        return wp.VAE(6, noise=noise, **settings).fit(TRAIN)


@functools.cache
def coder():
    return coding.integer_model(digits_vae().model_)


@pytest.fixture
def by_model(monkeypatch):
    """Code every block by the model, as a better model would."""
    monkeypatch.setattr(blocks, "pack_plain", lambda parts: bytes(10**6))


@pytest.mark.parametrize(
    "case",
    slow_beside(
        [(dtype, n) for dtype in ("u1", ">i2", "f4", "f8") for n in (None, 100)],
        [("u1", None), (">i2", 100), ("f8", 100)],
    ),
    ids=str,
)
def test_held_out_rows_come_back(case, by_model):
    dtype, block_rows = case
    X = TEST.astype(dtype)
    again = wp.decompress(wp.compress(digits_vae(), X, block_rows=block_rows), digits_vae())
    assert again.dtype == X.dtype
    assert again.tobytes() == X.tobytes()


def test_the_file_is_as_long_as_the_elbo_says(by_model):
    X = np.concatenate([TEST] * 3)
    parts = estimate_compression(digits_vae(), X)
    assert parts.by_model == parts.blocks == 1
    assert abs(parts.net - parts.elbo) < 0.01 * parts.elbo
    total = parts.net + parts.initial + parts.states
    assert 0 <= parts.coded - total < 100
    assert parts.coded == len(wp.compress(coder(), X))
    assert f"{parts.overhead:+.2%} over −ELBO" in str(parts)


def test_one_small_image_does_not_pay_for_a_coder_of_many():
    """A head for each lane made one small image grow from 1 kB to 6 kB elsewhere."""
    parts = estimate_compression(digits_vae(), TEST[:1])
    assert parts.initial + parts.states < 24
    assert parts.coded <= parts.raw + 64


def test_values_never_seen_and_gaps_are_apart(by_model):
    X = TEST[:200].astype(float)
    X[3, 5], X[4, 6], X[5, 7], X[6, 0], X[7, 0] = 17, -1, np.nan, -0.0, 2.5
    again = wp.decompress(wp.compress(coder(), X), coder())
    assert again.tobytes() == X.tobytes()
    assert estimate_compression(digits_vae(), X).n_apart == 5


@pytest.mark.parametrize("package", [pd, pl])
def test_frames_are_coded_by_their_names_in_any_order(package, by_model):
    names = [f"p{i}" for i in range(64)]
    frame = package.DataFrame({name: TEST[:50, i] for i, name in enumerate(names)})
    vae = copy.copy(digits_vae())
    vae.feature_names_in_ = np.array(names)
    turned = frame[names[::-1]]
    again = wp.decompress(wp.compress(vae, turned), vae)
    assert again.equals(turned)
    assert list(again.columns) == names[::-1]


def test_a_model_from_a_file_is_the_same_model(tmp_path, by_model):
    digits_vae().save(tmp_path / "model.wp")
    data = wp.compress(digits_vae(), TEST)
    again = wp.load(tmp_path / "model.wp")
    assert wp.compress(again, TEST) == data
    assert np.array_equal(wp.decompress(data, again), TEST)


def test_a_file_with_its_model_opens_by_itself(by_model):
    data = wp.compress(coder(), TEST, include_model=True)
    assert np.array_equal(wp.decompress(data), TEST)
    with pytest.raises(wp.SettingError, match=coder().fingerprint()[:32]):
        wp.decompress(wp.compress(coder(), TEST))


def test_models_that_cannot_code_are_refused_with_a_remedy():
    for model in (wp.PPCA(2).fit(np.random.default_rng(0).normal(size=(50, 5))), wp.VAE(2)):
        with pytest.raises(wp.SettingError, match="fitted VAE"):
            wp.compress(model, TEST)


PROGRAM = """
import os, sys
import numpy as np
import wellposed as wp
data = open(sys.argv[1], "rb").read()
np.save(sys.argv[2], wp.decompress(data))
"""


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("flags", ["", "--xla_cpu_enable_fast_math=true"])
def test_another_process_with_other_threads_and_flags_decodes(tmp_path, threads, flags, by_model):
    source, target = tmp_path / "rows.wpz", tmp_path / "rows.npy"
    source.write_bytes(wp.compress(coder(), TEST, include_model=True))
    settings = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "XLA_FLAGS": flags}
    command = [sys.executable, "-c", PROGRAM, str(source), str(target)]
    subprocess.run(command, check=True, env={**os.environ, **settings})
    assert np.array_equal(np.load(target), TEST)
