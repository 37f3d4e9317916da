"""Files with a target: the model's columns come back as it reconstructs them, all else exactly."""

import copy
import functools
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from byte_codec import ByteCodec

import wellposed as wp
from variants import slow_beside
from wellposed.coding.container import blocks
from wellposed.coding.quantised import QuantisedCodec
from wellposed.estimators.compression import files

MODELS = Path(__file__).parents[2] / "data" / "models"
SCORES = json.loads((MODELS / "scores.json").read_text())
LEVELS = "levels/vae-discretized-logistic"
# Models of families of integers; the streams of .ci/decode have the others.
FAMILIES = [
    "levels/vae-bernoulli",
    "levels/vae-beta-binomial",
    "levels/vae-categorical",
    "levels/vae-causal-logistic",
    "counts/vae-composition",
    "counts/vae-negative-binomial",
    "real/vae-low-rank",
]

# Features by themselves, places one after another, counts given their total, and real rows.
OFTEN = [
    "levels/vae-beta-binomial",
    "levels/vae-causal-logistic",
    "counts/vae-composition",
    "real/vae-low-rank",
]

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")


@functools.cache
def saved(name: str) -> tuple[Any, np.ndarray]:
    (path,) = MODELS.glob(f"*/{name.split('/')[1]}.wp")
    rows = np.array(SCORES[path.stem]["rows"], float)
    rng = np.random.default_rng(0)
    many = np.tile(rows, (80, 1))
    if "levels" in name or "counts" in name:
        many = rng.permuted(many, axis=0)
        return wp.load(path), many.astype(np.uint8)
    return wp.load(path), np.round(many + rng.normal(size=many.shape) * many.std(axis=0), 2)


DIGITS = wp.datasets.load_digits().values[:500].astype(np.uint8)


@functools.cache
def digits_vae() -> Any:
    noise = wp.noise.DiscretizedLogistic(17)
    settings = {"hidden": (32,), "max_epochs": 12, "random_state": 0, "prior": "standard"}
    return wp.VAE(4, noise=noise, **settings).fit(DIGITS)


@pytest.fixture(autouse=True)
def by_model(monkeypatch):
    """Code every block by the model, as a better model would."""
    monkeypatch.setattr(blocks, "pack_plain", lambda parts: bytes(10**6))


def middle(model, X) -> float:
    """A target that is reached: half way between the ends."""
    with pytest.raises(wp.SettingError) as caught:
        wp.compress(model, X, target_bits=1e9)
    low, high = str(caught.value).split("reach, ")[1].split(" bits")[0].split(" to ")
    return (float(low) + float(high)) / 2


@pytest.mark.parametrize("name", slow_beside(FAMILIES, OFTEN))
def test_rows_of_every_family_come_back_in_kind(name):
    model, X = saved(name)
    bits = middle(model, X)
    data = wp.compress(model, X, target_bits=bits, include_model=True)
    again = wp.decompress(data)
    assert (again.shape, again.dtype) == (X.shape, X.dtype)
    assert np.isfinite(again).all()
    both = wp.compress(model, X, target_bits=bits, keep_residual=True)
    assert wp.decompress(both, model).tobytes() == X.tobytes()
    assert wp.decompress(both, model, residual=False).tobytes() == again.tobytes()


def test_blocks_of_other_sizes_have_the_same_rows(monkeypatch):
    kept, found = files.quantised_plan, []

    def once(*args):
        found[:] = found or [kept(*args)]
        return found[0]

    monkeypatch.setattr(files, "quantised_plan", once)
    model = digits_vae()
    packed = [wp.compress(model, DIGITS, target_rmse=3.5, block_rows=n) for n in (None, 150, 61)]
    rows = [wp.decompress(data, model).tobytes() for data in packed]
    assert rows[0] == rows[1] == rows[2]
    expected = found[0].quantised.reconstruct(DIGITS.astype(np.int64))
    assert rows[0] == expected.astype(np.uint8).tobytes()


def test_targets_are_met_within_three_hundredths():
    model = digits_vae()
    for bits in (5, 15):
        size = 8 * len(wp.compress(model, DIGITS, target_bits=bits)) / len(DIGITS)
        assert 0.97 * bits < size < 1.03 * bits + 8 * 64 / len(DIGITS)
    for target in (3.2, 3.8):
        again = wp.decompress(wp.compress(model, DIGITS.astype(float), target_rmse=target), model)
        assert again.dtype == float
        assert 0.97 * target < np.sqrt(((again - DIGITS) ** 2).mean()) <= target


def test_what_the_model_does_not_code_is_exact():
    X = DIGITS.astype(float)
    X[3, 1], X[5, 2], X[6, 0] = 200.0, np.nan, 2.5
    again = wp.decompress(wp.compress(digits_vae(), X, target_bits=10), digits_vae())
    assert again[3].tobytes() == X[3].tobytes()
    assert np.isnan(again[5, 2])
    assert again[6, 0] == 2.5
    assert (again != X).any(axis=1).sum() > len(X) / 2


def test_columns_beside_the_model_are_exact_in_a_frame():
    names = [f"p{i}" for i in range(64)]
    frame = pd.DataFrame(dict(zip(names, DIGITS.T, strict=True)))
    frame["note"] = np.random.default_rng(0).choice(["a", "b"], len(frame))
    frame["other"] = np.random.default_rng(1).normal(size=len(frame))
    model = copy.copy(digits_vae())
    model.feature_names_in_ = np.array(names)
    again = wp.decompress(wp.compress(model, frame, target_bits=10), model)
    assert (again.dtypes == frame.dtypes).all()
    pd.testing.assert_frame_equal(again[["note", "other"]], frame[["note", "other"]])
    alone = wp.decompress(wp.compress(digits_vae(), DIGITS, target_bits=10), digits_vae())
    np.testing.assert_array_equal(again[names].to_numpy(), alone)


def test_a_table_of_text_comes_back_with_levels_that_it_has():
    rng = np.random.default_rng(0)
    number = rng.normal(size=400).round(2)
    text = np.array(["low", "middle", "high"])[np.digitize(number, [-0.5, 0.5])]
    frame = pd.DataFrame({"number": number, "text": text})
    settings = {
        "hidden": (8,),
        "max_epochs": 40,
        "kl_warmup": 10,
        "prior": "standard",
        "random_state": 0,
    }
    model = wp.VAE(1, **settings).fit(frame)
    some = frame[frame["text"] != "middle"].reset_index(drop=True)
    again = wp.decompress(wp.compress(model, some, target_bits=2), model)
    assert (again.dtypes == some.dtypes).all()
    assert set(again["text"]) <= {"low", "high"}
    assert (again["text"] == some["text"]).mean() > 0.5
    assert not again["number"].equals(some["number"])


def test_a_damaged_file_and_another_version_are_refused():
    model, X = digits_vae(), DIGITS
    data = bytearray(wp.compress(model, X, target_bits=10, block_rows=100))
    assert data[4] == 2
    for at in (4, len(data) // 2):
        damaged = bytearray(data)
        damaged[at] ^= 3
        with pytest.raises(wp.DamagedFileError):
            wp.decompress(bytes(damaged), model)
    with pytest.raises(wp.SettingError, match="none was given"):
        wp.decompress(bytes(data))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"target_bits": 1, "target_rmse": 1}, "both target_bits and target_rmse. Leave one out"),
        ({"target_bits": 1e5}, r"reach, .* to .* bits a row; got 100000.*more latents"),
        ({"target_bits": -1}, "number from 0 on; got -1"),
        ({"target_rmse": "small"}, "number from 0 on; got 'small'"),
        ({"target_rmse": 1e-9}, r"\(latents not quantised\) to .*keep_residual"),
        ({"target_rmse": 1e9}, "or target_bits"),
        ({"keep_residual": True}, "Give target_bits or target_rmse"),
    ],
)
def test_targets_that_make_no_sense_are_refused(settings, said):
    with pytest.raises(wp.SettingError, match=said):
        wp.compress(digits_vae(), DIGITS, **settings)


def test_a_target_needs_a_model_with_latents():
    _, X = saved(LEVELS)
    with pytest.raises(wp.SettingError, match="Pass a fitted VAE"):
        wp.compress(None, X, target_bits=3)
    with pytest.raises(wp.SettingError, match="a ByteCodec"):
        wp.compress(ByteCodec(X.shape[1]), X, target_bits=3)
    with pytest.raises(wp.SettingError, match="Pass its integer model"):
        wp.compress(QuantisedCodec(wp.coding.integer_model(digits_vae().model_)), DIGITS)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_rows_come_back(n):
    model, X = saved(LEVELS)
    bits = middle(model, X[:n]) if n else 3
    assert wp.decompress(wp.compress(model, X[:n], target_bits=bits), model).shape == (n, 4)


def test_missing_entries_come_back_as_missing():
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(300, 1)) @ rng.normal(size=(1, 4)) + rng.normal(size=(300, 4)), 1)
    X[rng.random(X.shape) < 0.2] = np.nan
    settings = {"hidden": (4,), "max_epochs": 2, "random_state": 0, "missing": "ignorable"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = wp.VAE(1, noise="shared", prior="standard", **settings).fit(X)
    again = wp.decompress(wp.compress(model, X, target_bits=4), model)
    assert (np.isnan(again) == np.isnan(X)).all()
    known = ~np.isnan(X)
    assert np.sqrt(((again - X)[known] ** 2).mean()) < X[known].std()
