"""Tables of real numbers and of mixed columns: exact, and as long as the density states."""

import dataclasses
import functools
import math
import warnings
from typing import Any

import jax
import numpy as np
import pytest

import wellposed as wp
from wellposed import evaluation
from wellposed._errors import OutsideSupport, SettingError
from wellposed.coding import integer_model, row_codec_from_bytes

STEP = np.array([0.01, 0.5, 1e-3, 0.02, 1.0])
OFFSET = np.array([3.0, -1000.0, 0.0, 7.0, 40.0])


def symbols(n: int = 900) -> np.ndarray:
    """Five correlated columns, whole steps of different sizes."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(n, 2)) @ rng.normal(size=(2, 5))
    real = (z + 0.3 * rng.normal(size=(n, 5))) * [2.0, 300.0, 0.05, 10.0, 80.0] + OFFSET
    return np.rint((real - OFFSET) / STEP).astype(np.int64)


@functools.cache
def fitted(noise: Any, kind: str = "real", **settings: Any) -> Any:
    data = {
        "real": OFFSET + STEP * symbols(),
        "mixed": mixed(),
        "counts": counted(),
        "amounts": UNITS * spent(),
        "paid": UNITS * spent(always=True),
        "shares": SHARES * shared(),
        "levels": levels(),
        "uneven": uneven(),
    }
    rows = data[kind]
    chosen = {"hidden": (16,), "max_epochs": 10, "random_state": 0, "prior": "standard"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few epochs are intended
        noise = noise() if callable(noise) else noise
        return wp.VAE(2, noise=noise, **(chosen | settings)).fit(rows).model_


def mixed(n: int = 900) -> np.ndarray:
    """A real column, a flag, a category, a level and a constant."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=n)
    flag, category = x + rng.normal(size=n) > 0, rng.integers(0, 4, n)
    level = np.clip(np.rint(5 + 2 * x + rng.normal(size=n)), 0, 10)
    return np.stack([np.rint(50 * x), flag, category, level, np.full(n, 3)], 1).astype(np.int64)


def uneven(n: int = 900) -> np.ndarray:
    """A real column, and a category of which one level has nine rows of ten."""
    rng = np.random.default_rng(4)
    category = rng.choice(3, size=n, p=[0.05, 0.9, 0.05])
    return np.stack([np.rint(50 * rng.normal(size=n)), category], axis=1).astype(np.int64)


def columns() -> wp.noise.Columns:
    level = wp.noise.DiscretizedLogistic(11)
    return wp.noise.Columns(
        ["conditional", "bernoulli", wp.noise.Categorical(4), level, "conditional"]
    )


def counted(n: int = 600) -> np.ndarray:
    """Counts of nine columns that vary more than Poisson, one of them a constant."""
    rng = np.random.default_rng(0)
    mean = np.exp(rng.normal(size=(n, 2)) @ rng.normal(size=(2, 9)) * 0.6 + np.linspace(-2, 3, 9))
    rows = rng.negative_binomial(2.0, 2 / (2 + mean)).astype(np.int64)
    rows[:, 4] = 3
    return rows


UNITS = np.array([0.01, 1.0, 0.5, 10.0])


def spent(n: int = 900, *, always: bool = False) -> np.ndarray:
    """Steps of four amounts, dozens to thousands; a third of those of three are zero."""
    rng = np.random.default_rng(2)
    z, errors = rng.normal(size=(n, 1)), rng.normal(size=(n, 4))
    steps = np.exp([7.0, 6.0, 8.0, 6.5] + z * [1.0, 0.5, -1.0, 0.0] + 0.4 * errors)
    paid = (z + rng.normal(size=(n, 4)) > -0.5) | [True, False, False, False]
    return np.where(paid | always, np.rint(steps), 0.0).astype(np.int64)


SHARES = np.array([0.01, 1 / 255, 1e-3])


def shared(n: int = 600) -> np.ndarray:
    """Steps of three shares."""
    rng = np.random.default_rng(3)
    odds = rng.normal(size=(n, 1)) * [1.0, 0.5, -1.5] + 0.4 * rng.normal(size=(n, 3)) + [0, 1, -1]
    return np.rint(1 / (1 + np.exp(-odds)) / SHARES).astype(np.int64)


def levels() -> np.ndarray:
    """Levels 0 to 15, and a constant."""
    rows = np.clip(16 * shared() * SHARES, 0, 15).astype(np.int64)
    return np.append(rows, np.full((len(rows), 1), 7), axis=1)


def bound(model: Any, data: np.ndarray) -> np.ndarray:
    terms = evaluation.elbo(model, data, n_samples=8, key=jax.random.key(0))
    return -np.asarray(terms.elbo, np.float64) / math.log(2)


@pytest.mark.parametrize(
    "noise",
    [
        "conditional",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("shared", "feature", "laplace")),
        pytest.param("student-t", marks=pytest.mark.slow),
        pytest.param("causal-gaussian", marks=pytest.mark.slow),
    ],
)
def test_real_columns_come_back_and_cost_their_density(noise):
    model, rows = fitted(noise), symbols()
    codec = integer_model(model, offset=OFFSET, resolution=STEP)
    np.testing.assert_array_equal(codec.decode(codec.encode(rows), len(rows)), rows)
    again = row_codec_from_bytes(codec.to_bytes())
    assert again.encode(rows[:40]) == codec.encode(rows[:40])
    net, density = codec.rate(rows).net, bound(model, OFFSET + STEP * rows) - np.log2(STEP).sum()
    error = np.std(net - density) / math.sqrt(len(rows))
    assert abs((net - density).mean()) < 3 * error + 0.003 * density.mean()


GAMMA = functools.partial(wp.noise.Gamma, "conditional")
BESIDE_ZERO = functools.partial(wp.noise.ZeroInflated, wp.noise.Gamma())


@pytest.mark.parametrize(
    ("noise", "always"),
    [
        ("zero-inflated", False),
        pytest.param(GAMMA, True, marks=pytest.mark.slow),
        pytest.param("log-normal", True, marks=pytest.mark.slow),
        pytest.param("gamma", True, marks=pytest.mark.slow),
        pytest.param(BESIDE_ZERO, False, marks=pytest.mark.slow),
    ],
)
def test_amounts_come_back_and_cost_their_density(noise, always):
    rows = spent(always=always)
    model = fitted(noise, "paid" if always else "amounts")
    codec = integer_model(model, resolution=UNITS)
    np.testing.assert_array_equal(codec.decode(codec.encode(rows), len(rows)), rows)
    again = row_codec_from_bytes(codec.to_bytes())
    assert again.encode(rows[:40]) == codec.encode(rows[:40])
    # A zero has a probability, and an amount a density, whose integral over a step is coded.
    steps = np.where((rows > 0) | always, np.log2(UNITS), 0.0).sum(axis=1)
    net, density = codec.rate(rows).net, bound(model, UNITS * rows) - steps
    error = np.std(net - density) / math.sqrt(len(rows))
    assert abs((net - density).mean()) < 3 * error + 0.003 * density.mean()
    seen = jax.vmap(model.noise.encoder_input)(np.float32(UNITS * rows))
    np.testing.assert_allclose(codec.inputs(rows.T).T / 2.0**codec.latent_bits, seen, atol=1e-3)
    far = rows[:3].copy()
    far[0, 1], far[1, 2] = 100_000, -1
    assert codec.outside(far).tolist() == [False, True, False]


def test_mixed_columns_come_back_and_cost_their_density():
    model, rows = fitted(columns, "mixed"), mixed()
    codec = integer_model(model)
    np.testing.assert_array_equal(codec.decode(codec.encode(rows), len(rows)), rows)
    net, density = codec.rate(rows).net, bound(model, rows.astype(float))
    # The constant column has a density in the model and a probability in the code.
    varying = 0.25 * len(rows[0])
    error = np.std(net - density) / math.sqrt(len(rows))
    assert (net - density).mean() < 3 * error + varying + 64


def test_a_level_of_most_rows_costs_its_share():
    """Without the shares that its noise starts at, a row costs a bit more."""
    noise = functools.partial(wp.noise.Columns, ("conditional", "categorical"))
    model, rows = fitted(noise, "uneven"), uneven()
    net, density = integer_model(model).rate(rows).net, bound(model, rows.astype(float))
    assert abs((net - density).mean()) < 0.2


BETA = functools.partial(wp.noise.Beta, "conditional")


@pytest.mark.parametrize(
    "noise",
    [
        BETA,
        *(
            pytest.param(each, marks=pytest.mark.slow)
            for each in ("beta", "truncated-normal", "continuous-bernoulli")
        ),
    ],
)
def test_shares_come_back_and_cost_their_density(noise):
    model, rows = fitted(noise, "shares"), shared()
    codec = integer_model(model, resolution=SHARES)
    net, density = codec.rate(rows).net, bound(model, SHARES * rows) - np.log2(SHARES).sum()
    error = np.std(net - density) / math.sqrt(len(rows))
    assert abs((net - density).mean()) < 3 * error + 0.003 * density.mean()
    rows[3], rows[4] = 0, [100, 255, 1000]
    np.testing.assert_array_equal(codec.decode(codec.encode(rows), len(rows)), rows)
    again = row_codec_from_bytes(codec.to_bytes())
    assert again.encode(rows[:40]) == codec.encode(rows[:40])
    rows[5, 1], rows[6, 2] = 256, -1
    assert np.flatnonzero(codec.outside(rows)).tolist() == [5, 6]


@pytest.mark.slow
def test_dequantised_levels_come_back_and_cost_less_than_their_density():
    model, rows = fitted(BETA, "levels"), levels()
    assert isinstance(model.transform, wp.transforms.Unit)
    codec = integer_model(model)
    rows[3, :3], rows[4, :3] = 0, 15
    np.testing.assert_array_equal(codec.decode(codec.encode(rows), len(rows)), rows)
    net, density = codec.rate(rows).net, bound(model, rows)
    # The constant has a density in the model and a probability in the code.
    assert net.mean() < density.mean() + 6


@pytest.mark.parametrize(
    "noise",
    [
        functools.partial(wp.noise.NegativeBinomial, library=True),
        pytest.param(functools.partial(wp.noise.Poisson, library=True), marks=pytest.mark.slow),
    ],
)
def test_compositions_come_back_and_cost_their_probability(noise):
    model, rows = fitted(noise, "counts"), counted()
    codec = integer_model(model)
    net, exact = codec.rate(rows).net, bound(model, rows)
    error = np.std(net - exact) / math.sqrt(len(rows))
    assert (net - exact).mean() < 3 * error + 0.004 * exact.mean()
    seen = jax.vmap(model.noise.encoder_input)(np.float32(rows))
    np.testing.assert_allclose(codec.inputs(rows.T).T / 2.0**codec.latent_bits, seen, atol=1e-3)
    rows[3, 8], rows[4, 8], rows[5, 0], rows[6, :] = 70_000, 301, 10_000_000, 0
    np.testing.assert_array_equal(codec.decode(codec.encode(rows), len(rows)), rows)
    again = row_codec_from_bytes(codec.to_bytes())
    assert again.encode(rows[:40]) == codec.encode(rows[:40])
    rows[2, 1], rows[7, 0] = 2**24, -1
    assert np.flatnonzero(codec.outside(rows)).tolist() == [2, 7]


@pytest.mark.parametrize("noise", ["poisson", "negative-binomial"])
@pytest.mark.slow
def test_counts_come_back_and_cost_their_probability(noise):
    model, rows = fitted(noise, "counts"), counted()
    codec = integer_model(model)
    net, exact = codec.rate(rows).net, bound(model, rows)
    # The tail of a Poisson costs less by the escape.
    error = np.std(net - exact) / math.sqrt(len(rows))
    assert (net - exact).mean() < 3 * error + 0.004 * exact.mean()
    rows[3, 8], rows[4, 8], rows[5, 0] = 70_000, 301, 10_000_000
    np.testing.assert_array_equal(codec.decode(codec.encode(rows), len(rows)), rows)
    again = row_codec_from_bytes(codec.to_bytes())
    assert again.encode(rows[:40]) == codec.encode(rows[:40])


def test_values_beyond_the_codes_are_named():
    codec = integer_model(fitted("conditional"), offset=OFFSET, resolution=STEP)
    rows = symbols(20)
    rows[4, 2] = 10**9
    with pytest.raises(OutsideSupport, match="rows 4 have"):
        codec.encode(rows)
    assert np.flatnonzero(codec.outside(rows)).tolist() == [4]


def test_a_resolution_too_fine_and_noise_without_a_twin_are_refused():
    with pytest.raises(SettingError, match=r"resolution must be at least 2\^-18"):
        integer_model(fitted("conditional"), offset=OFFSET, resolution=1e-9 * STEP)
    other = dataclasses.replace(fitted("conditional"), noise=wp.noise.Quantile())
    with pytest.raises(SettingError, match="no twin of Quantile noise"):
        integer_model(other, offset=OFFSET, resolution=STEP)
    with pytest.raises(SettingError, match="one over a whole number from 2 to 2"):
        integer_model(fitted(BETA, "shares"), resolution=1e-7)
    with pytest.raises(SettingError, match="their own symbols"):
        integer_model(fitted(columns, "mixed"), resolution=0.5)
