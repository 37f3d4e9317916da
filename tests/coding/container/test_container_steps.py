"""Steps of columns: bit-exact multiples, found where they exist and nowhere else."""

from decimal import Decimal

import numpy as np
import pytest

from wellposed.coding.container import steps


@pytest.mark.parametrize("e", range(16))
def test_a_multiple_of_a_decimal_step_is_the_double_nearest_to_it(e):
    whole = np.random.default_rng(e).integers(-(2**53) + 1, 2**53, (500, 1))
    ours = steps.numbers(whole, np.array([e], np.uint8), np.dtype("f8"))[:, 0]
    nearest = [float(Decimal(int(k)).scaleb(-e)) for k in whole[:, 0]]
    assert ours.tolist() == nearest


@pytest.mark.parametrize(
    ("text", "divisor"), [("7", 1), ("0.5", 10), ("-1.25", 100), ("8.125", 1000), ("1e-9", 10**9)]
)
def test_the_longest_decimal_step_is_found(text, divisor):
    column = np.array([[float(text)], [3.0], [-20.0]])
    assert steps.DIVISORS[steps.find_steps(column)[0]] == divisor


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("divisor", [255, 256])
def test_levels_brought_to_the_unit_interval_have_their_step(dtype, divisor):
    column = (np.arange(256) / divisor).astype(dtype)[:, None]
    code = steps.find_steps(column)
    whole, off = steps.multiples(column, code)
    assert steps.DIVISORS[code[0]] == divisor
    assert whole[:, 0].tolist() == list(range(256))
    assert not off.any()


def test_numbers_without_a_step_have_none():
    column = np.random.default_rng(0).normal(size=(1000, 1)) * np.pi
    assert steps.find_steps(column)[0] == steps.BITS
    assert steps.find_steps(np.full((5, 1), np.nan))[0] == steps.BITS


def test_numbers_that_no_multiple_gives_are_named():
    column = np.array([[0.1], [-0.0], [np.nan], [np.inf], [1e300], [0.1 + 2**-54], [-7.3]])
    whole, off = steps.multiples(column, np.array([1], np.uint8))
    assert off[:, 0].tolist() == [False, True, True, True, True, True, False]
    assert whole[:, 0].tolist() == [1, 0, 0, 0, 0, 0, -73]


def test_a_column_keeps_its_step_if_some_numbers_are_missing():
    column = np.round(np.random.default_rng(0).normal(size=(1000, 1)), 2)
    column[::3] = np.nan
    assert steps.DIVISORS[steps.find_steps(column)[0]] == 100
