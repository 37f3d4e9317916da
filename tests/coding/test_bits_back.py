"""Rows to bytes and back, and their length against the model's own bound."""

import dataclasses
import math

import jax
import numpy as np
import pytest
from digit_models import MODELS, digits, trained
from threadpoolctl import threadpool_limits

from variants import slow_beside
from wellposed import evaluation
from wellposed._errors import DamagedFileError, DataError, OutsideSupport, SettingError
from wellposed.coding import RowCodec, integer_model, row_codec_from_bytes

# One of each way: rows by features and by neighbours, a prior of one component and of several.
OFTEN = ["logistic", "causal", "pseudo-inputs"]
every_model = pytest.mark.parametrize("name", slow_beside(MODELS, OFTEN))


@pytest.fixture(scope="module")
def codec() -> RowCodec:
    return integer_model(trained("logistic"))


@every_model
@pytest.mark.parametrize("n", [0, 1, 2, 37, 300])
def test_every_row_comes_back(name, n):
    codec, rows = integer_model(trained(name)), digits()[:n]
    np.testing.assert_array_equal(codec.decode(codec.encode(rows), n), rows)


def test_rows_unlike_any_of_the_training_come_back(codec):
    rng = np.random.default_rng(0)
    kinds = [np.zeros((20, 64), int), np.full((20, 64), 16), rng.integers(0, 17, (60, 64))]
    for rows in [*kinds, np.concatenate(kinds)]:
        np.testing.assert_array_equal(codec.decode(codec.encode(rows), len(rows)), rows)


@every_model
def test_the_length_of_the_code_is_minus_the_elbo(name):
    model, rows = trained(name), digits()
    terms = evaluation.elbo(model, rows, n_samples=4, key=jax.random.key(0))
    bound = -np.asarray(terms.elbo, np.float64) / math.log(2)
    rate = integer_model(model).rate(rows)
    # One draw of z a row: the difference has an error of its own.
    error = np.std(rate.net - bound) / math.sqrt(len(rows))
    assert abs(rate.net.mean() - bound.mean()) < 3 * error + 0.002 * bound.mean()
    assert rate.coded - rate.net.sum() - rate.initial - rate.states < 128 + 0.0005 * rate.coded


def test_the_first_rows_alone_pay_initial_bits(codec):
    few, many = codec.rate(digits()[:1]), codec.rate(digits())
    assert few.initial <= 4 * (12 + 4) + 64
    assert many.initial < 0.03 * many.coded


def test_the_bytes_are_the_same_on_any_number_of_threads(codec):
    payloads = []
    for n in (1, 2):
        with threadpool_limits(n):
            payloads.append(codec.encode(digits()))
    assert payloads[0] == payloads[1]


def test_the_model_comes_back_from_its_bytes(codec):
    data = codec.to_bytes()
    again = row_codec_from_bytes(data)
    assert isinstance(again, RowCodec)
    assert (again.to_bytes(), again.fingerprint()) == (data, codec.fingerprint())
    payload = codec.encode(digits()[:50])
    np.testing.assert_array_equal(again.decode(payload, 50), digits()[:50])


def test_rows_outside_the_support_are_named(codec):
    rows = digits()[:5].copy()
    rows[1, 7], rows[3, 0] = 17, -1
    with pytest.raises(OutsideSupport, match="rows 1, 3 have") as caught:
        codec.encode(rows)
    assert list(caught.value.rows) == [1, 3]
    assert codec.outside(rows).tolist() == [False, True, False, True, False]


@pytest.mark.parametrize("rows", [np.zeros((2, 3), int), np.zeros((2, 64)), np.zeros(64, int)])
def test_other_arrays_are_refused(codec, rows):
    with pytest.raises(DataError, match=r"shape \(n, 64\)"):
        codec.encode(rows)


def test_a_damaged_payload_raises(codec):
    rows = digits()[:80]
    payload = codec.encode(rows)
    rng = np.random.default_rng(0)
    for _ in range(12):
        damaged = bytearray(payload)
        damaged[rng.integers(len(payload))] ^= 1 << rng.integers(8)
        with pytest.raises(DamagedFileError):
            codec.decode(bytes(damaged), 80)
    for cut in (0, 4, len(payload) - 4):
        with pytest.raises(DamagedFileError):
            codec.decode(payload[:cut], 80)
    for n in (0, 79, 81):
        with pytest.raises(DamagedFileError):
            codec.decode(payload, n)


def test_a_damaged_model_raises(codec):
    data = codec.to_bytes()
    for cut in (0, 4, 40, len(data) // 2, len(data) - 1):
        with pytest.raises(DamagedFileError):
            row_codec_from_bytes(data[:cut])
    with pytest.raises(DamagedFileError):
        row_codec_from_bytes(data + b"\0")


def test_sums_that_may_round_are_refused():
    model = trained("logistic")
    large = jax.tree.map(lambda leaf: leaf * 1e5, model.encoder)
    with pytest.raises(SettingError, match=r"below 2\^53.* encoder can reach"):
        integer_model(dataclasses.replace(model, encoder=large))


def test_draws_of_z_do_not_depend_on_the_rows_before(codec):
    # Row by row the code is that of z drawn from q(z | x), whatever the order of the rows.
    rows = digits()
    order = np.argsort(rows.sum(axis=1))
    sorted_, mixed = codec.rate(rows[order]).net, codec.rate(rows).net[order]
    error = np.std(sorted_ - mixed) / math.sqrt(len(rows))
    assert abs((sorted_ - mixed).mean()) < 3 * error
