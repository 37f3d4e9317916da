"""Rows by quantised latents: the reconstruction comes back exactly, at the size of its cells."""

import dataclasses
import functools
import warnings

import numpy as np
import pytest
from digit_models import digits, trained
from threadpoolctl import threadpool_limits

import wellposed as wp
from wellposed._errors import DamagedFileError, OutsideSupport
from wellposed.coding import BitsBackCodec, RowCodec, integer_model
from wellposed.coding.beside import Known
from wellposed.coding.quantised import Finenesses, QuantisedCodec, Quantiser
from wellposed.coding.quantised.shares import Shares
from wellposed.coding.symbols.cells import Cells, LevelCurve

ROWS = digits()[:300]


@functools.cache
def tried() -> tuple[BitsBackCodec, Finenesses]:
    codec = integer_model(trained("logistic"))
    return codec, Finenesses(QuantisedCodec(codec), ROWS, np.ones(64), len(ROWS))


def at(halvings: float, **settings) -> QuantisedCodec:
    """The codec whose cells are the finest ones, widened."""
    codec, finenesses = tried()
    fineness = finenesses.finest - round(64 * halvings)
    return QuantisedCodec(codec, finenesses.quantiser(fineness), **settings)


def test_the_reconstruction_or_with_the_residual_the_rows_come_back():
    codec = at(4)
    assert isinstance(codec, RowCodec)
    for n in (0, 1, 37):
        back = codec.decode(codec.encode(ROWS[:n]), n)
        np.testing.assert_array_equal(back, codec.reconstruct(ROWS[:n]))
    whole = dataclasses.replace(codec, residual=True)
    payload = whole.encode(ROWS[:37])
    np.testing.assert_array_equal(whole.decode(payload, 37), ROWS[:37])
    front = dataclasses.replace(whole, exact=False)
    np.testing.assert_array_equal(front.decode(payload, 37), codec.reconstruct(ROWS[:37]))


def test_the_reconstruction_is_the_same_in_any_batch_and_on_any_number_of_threads(monkeypatch):
    codec, found = at(4), []
    for n in (1, 2):
        with threadpool_limits(n):
            found.append(codec.encode(ROWS))
    assert found[0] == found[1]
    back = codec.decode(found[0], len(ROWS))
    monkeypatch.setattr("wellposed.coding.quantised.codec._BATCH", 700)
    np.testing.assert_array_equal(codec.decode(found[0], len(ROWS)), back)
    np.testing.assert_array_equal(codec.reconstruct(ROWS[7:29]), back[7:29])


def test_the_size_is_the_entropy_of_the_cells():
    codec, rows = at(5), digits()
    cells = codec.quantiser.cells(codec.latents(rows)[0])
    entropy = 0.0
    for row in cells:
        _, counts = np.unique(row, return_counts=True)
        entropy -= float((counts * np.log2(counts / len(rows))).sum())
    size = 8 * len(codec.encode(rows))
    # Beside it: widths, centres and shares of four latents, and the coder's states.
    assert entropy < size < 1.005 * entropy + 4 * 8 * 40 + 200


def test_finer_cells_cost_more_and_err_less_down_to_latents_that_are_not_quantised():
    _, finenesses = tried()
    each = range(0, finenesses.finest, 64)
    bits = [finenesses.bits(i) for i in each]
    errors = [finenesses.rmse(i) for i in each]
    assert (np.diff(bits) > 0).all()
    assert (np.diff(errors) < 0.002).all()
    assert errors[-1] == pytest.approx(finenesses.rmse_of_means(), rel=2e-3)
    assert finenesses.rmse(finenesses.for_rmse(errors[2])) <= errors[2]
    assert finenesses.bits(finenesses.for_bits(bits[2])) == pytest.approx(bits[2], rel=0.01)


def test_a_latent_that_no_row_moves_is_one_cell():
    codec, finenesses = tried()
    assert finenesses.quantiser(0).active.size == 0
    means = np.stack([np.zeros(50), np.linspace(-9.0, 9.0, 50)]) * 65536
    quantiser = Quantiser.fitted(means, np.array([65536, 65536]), np.zeros(2, np.int64))
    assert quantiser.active.tolist() == [1]
    assert codec.prior.grid.k == 4


def test_few_rows_have_a_normal_and_many_have_counts():
    rng = np.random.default_rng(0)
    cells = np.rint(rng.normal(size=20_000) * 5).astype(np.int64)
    cells[cells == 3] = 4
    few, many = Shares.fitted(cells[:30]), Shares.fitted(cells)
    assert len(few.packed) <= 5
    for own, rows in ((few, cells[:30]), (many, cells)):
        start, freq = own.intervals(rows)
        assert own.cumulative[-1] == 1 << 24
        np.testing.assert_array_equal(own.find(start + freq - np.uint64(1)), rows)
    counts = np.bincount(cells - many.low)
    entropy = -(counts[counts > 0] * np.log2(counts[counts > 0] / len(cells))).sum()
    assert many.bits(counts) - 8 * len(many.packed) == pytest.approx(entropy, rel=1e-4)


def test_damage_is_refused():
    payload = at(4).encode(ROWS[:80])
    codec, rng = at(2), np.random.default_rng(0)
    for cut in (0, 1, 9, len(payload) - 1):
        with pytest.raises(DamagedFileError):
            codec.decode(payload[:cut], 80)
    for n in (0, 79, 81):
        with pytest.raises(DamagedFileError):
            codec.decode(payload, n)
    refused = 0
    for _ in range(40):
        damaged = bytearray(payload)
        damaged[rng.integers(len(payload))] ^= 1 << rng.integers(8)
        try:
            codec.decode(bytes(damaged), 80)  # the checksum of a file finds the others
        except DamagedFileError:
            refused += 1
    assert refused > 20


def test_rows_outside_the_support_are_named():
    rows = ROWS[:4].copy()
    rows[2, 5] = 40
    with pytest.raises(OutsideSupport) as caught:
        at(4).encode(rows)
    assert list(caught.value.rows) == [2]


def test_the_mean_is_that_of_the_frequencies():
    codec, _ = tried()
    (part,) = [part for part in codec.parts if part.family.d > 1 and part.first < part.last]
    places = codec.prior.grid.places(np.arange(0, 4096, 97)[:40].reshape(4, 10))
    outputs = codec.outputs(places, Known())[part.first : part.last]
    means = part.family.expected(outputs)
    ends = [part.family.intervals(outputs, np.full_like(means, v)).start for v in range(17)]
    tails = (1 << 24) - np.stack(ends[1:]).astype(float)
    assert np.abs(means - tails.sum(axis=0) / (1 << 24)).max() <= 0.5


def test_many_levels_have_the_mean_of_their_quantiles():
    rng = np.random.default_rng(0)
    shape = (3, 1, 200)
    locations, scales = rng.uniform(-30, 280, shape) * 2**10, rng.uniform(0.5, 20, shape) * 2**16
    cells = Cells.of(np.rint(locations), np.rint(scales), np.rint(rng.normal(size=shape)), 256)
    levels = LevelCurve("logistic", 256, 24)
    flat = cells.feature(0)
    tails = sum((1 << 24) - levels.below(flat, np.full(200, v)) for v in range(1, 256))
    # Sixteen quantiles of three separate components miss up to one part of 32 of their distance.
    assert np.abs(levels.means(cells)[0] - tails / (1 << 24)).max() < 256 / 32
    one = Cells.of(np.rint(locations[:1]), np.full((1, 1, 200), 2.0**17), None, 256)
    tails = sum((1 << 24) - levels.below(one.feature(0), np.full(200, v)) for v in range(1, 256))
    # Half a level of rounding, and a fifth of one at the ends, which cut a tail off.
    assert np.abs(levels.means(one)[0] - tails / (1 << 24)).max() < 0.7


def test_a_linear_model_follows_the_gaussian_rate_distortion_line():
    """A cell of width s adds s²/12 times the squared column, and half of it costs a bit."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 2)) @ rng.normal(size=(2, 5)) * 3 + 0.3 * rng.normal(size=(1500, 5))
    X = X.round(3)
    settings = {"hidden": (4,), "max_epochs": 1, "learning_rate": 1e-12, "linear_start": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no training is intended
        vae = wp.VAE(2, noise="shared", prior="standard", random_state=0, **settings).fit(X)
    columns = vae.inverse_transform(np.eye(2)) - vae.inverse_transform(np.zeros((2, 2)))
    codec = QuantisedCodec(integer_model(vae.model_, resolution=0.001))
    symbols = np.rint(X * 1000).astype(np.int64)
    finenesses = Finenesses(codec, symbols, np.full(5, 0.001), len(X))
    means = codec.latents(symbols)[0]
    exact = codec.means(np.rint(means), Known())
    for fineness in (finenesses.finest - 64 * 4, finenesses.finest - 64 * 3):
        quantiser = finenesses.quantiser(fineness)
        again = codec.means(quantiser.places(quantiser.cells(means)), Known())
        added = (((again - exact) * 0.001) ** 2).sum(axis=0).mean()
        step = quantiser.step / 65536
        assert added == pytest.approx((step**2 / 12 * (columns**2).sum(axis=1)).sum(), rel=0.06)
        finer = finenesses.bits(fineness + 64) - finenesses.bits(fineness)
        assert finer == pytest.approx(2, abs=0.1)
