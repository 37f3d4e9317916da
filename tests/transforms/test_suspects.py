"""Codes for gaps, gross errors and slips of the unit are found; ordinary columns are not."""

import numpy as np
import pytest
from sklearn import datasets as sklearn_datasets

import wellposed as wp
from wellposed.transforms import describe_suspect, suspects


def table(n: int = 400) -> np.ndarray:
    """Temperatures, amounts with a long tail, marks from 1 to 7, yes or no, rare counts."""
    draws = np.random.default_rng(0)
    return np.column_stack(
        [
            draws.normal(20, 4, n).round(2),
            np.exp(1.5 * draws.normal(size=n) + 8),
            draws.integers(1, 8, n),
            draws.integers(0, 2, n),
            draws.poisson(0.15, n),
        ]
    )


def kinds(rows: np.ndarray) -> list[tuple[int, float, int, str]]:
    return [(s.column, s.value, s.count, s.kind) for s in suspects(rows)]


@pytest.mark.parametrize("column", range(5))
@pytest.mark.parametrize("code", [-99.0, -999.0, -9999.0, 1e30, -32768.0, 3.4028235e38])
@pytest.mark.parametrize("share", ["one", "hundredth", "third"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_code_for_gaps_is_found_in_any_column(column, code, share, dtype):
    rows = table().astype(dtype)
    at = {"one": [7], "hundredth": range(0, 400, 100), "third": range(0, 400, 3)}[share]
    rows[list(at), column] = code
    assert kinds(rows) == [(column, float(dtype(code)), len(list(at)), "code")]


def test_two_codes_of_one_column_are_two_suspects():
    rows = table()
    rows[[3, 9], 0], rows[5, 0] = -99, -999
    assert kinds(rows) == [(0, -999.0, 1, "code"), (0, -99.0, 2, "code")]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("column", [0, 2, 3, 4])
def test_a_value_a_hundred_spreads_away_is_found(column, sign):
    rows = table()
    value = rows[:, column].mean() + sign * 100 * rows[:, column].std()
    rows[7, column] = value
    assert kinds(rows) == [(column, value, 1, "far")]
    assert suspects(rows)[0].first == 7


def test_a_gross_error_is_found_in_a_heavy_tail():
    rows = table()
    rows[7, 1] = 1e9
    assert kinds(rows) == [(1, 1e9, 1, "far")]


@pytest.mark.parametrize("factor", [1e3, 1e-3])
def test_a_block_of_rows_in_another_unit_is_found(factor):
    rows = table()
    rows[100:160, 0] = np.abs(rows[100:160, 0]) * factor
    (found,) = suspects(rows)
    assert (found.column, found.count, found.kind) == (0, 60, "block")
    assert (found.first, found.last) == (100, 159)


def test_a_value_in_one_row_of_very_many_is_found():
    rows = np.random.default_rng(0).normal(size=(300_000, 5))
    rows[123_456, 3] = 100.0
    assert kinds(rows) == [(3, 100.0, 1, "far")]


ORDINARY = {
    "log-normal": lambda draws, size: np.exp(1.5 * draws.normal(size=size)),
    "log-normal-in-cents": lambda draws, size: np.exp(2 * draws.normal(size=size)).round(2),
    "exponential": lambda draws, size: draws.exponential(size=size),
    "counts": lambda draws, size: draws.poisson(3, size),
    "rare-counts": lambda draws, size: draws.poisson(0.05, size),
    "overdispersed": lambda draws, size: draws.negative_binomial(0.3, 0.05, size),
    "binary": lambda draws, size: draws.integers(0, 2, size),
    "rare-binary": lambda draws, size: draws.uniform(size=size) < 0.003,
    "one-hot": lambda draws, size: np.eye(size[1])[draws.integers(0, size[1], size[0])],
    "mostly-zero": lambda draws, size: (
        np.exp(draws.normal(size=size)) * (draws.uniform(size=size) < 0.1)
    ),
    "bathtub": lambda draws, size: draws.beta(0.1, 0.1, size),
    "years": lambda draws, size: draws.integers(1950, 2026, size),
    "percent": lambda draws, size: draws.integers(0, 100, size),
    "sorted-groups": lambda draws, size: np.sort(
        draws.normal(size=size) + 5 * draws.integers(0, 3, size), axis=0
    ),
}


@pytest.mark.parametrize("n", [30, 600, 5000])
@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_columns_have_no_suspects(name, n):
    rows = np.asarray(ORDINARY[name](np.random.default_rng(1), (n, 40)))
    assert kinds(rows) == []


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "iris", "diabetes", "digits"])
def test_the_tables_of_scikit_learn_have_no_suspects(name):
    assert kinds(getattr(sklearn_datasets, f"load_{name}")().data) == []


@pytest.mark.parametrize(
    "name", ["concrete", "energy", "kin8nm", "power-plant", "wine-quality-red"]
)
def test_the_tables_of_uci_have_no_suspects(name, shared_data):
    assert kinds(wp.datasets.read(shared_data(f"uci/{name}.txt")).values) == []


def test_what_is_found_in_real_tables_is_there(shared_data):
    """One steel plate whose area and perimeter are ten times those of the next, standardised."""
    with np.load(shared_data("outliers/12_fault.npz")) as archive:
        found = suspects(archive["X"])
    assert [(s.column, s.first, s.count) for s in found] == [(5, 391, 1), (6, 391, 1)]


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
@pytest.mark.slow
def test_images_without_their_shape_have_no_suspects(name, shared_data):
    rows = wp.datasets.read(shared_data(name) / "train-images-idx3-ubyte.gz").values
    assert kinds(rows) == []


def test_the_largest_numbers_do_not_overflow():
    rows = table()
    rows[7, 0], rows[8, 0] = np.finfo(float).max, -np.finfo(float).max
    assert [s.value for s in suspects(rows)] == [np.finfo(float).max, -np.finfo(float).max]


def test_a_suspect_is_described_by_column_value_count_and_place():
    rows = table()
    rows[[7, 9], 0] = -999
    said = describe_suspect(suspects(rows)[0], 400, ["t", "v", "m", "b", "c"])
    assert said.startswith("column 't': -999 in 2 of 400 rows (first in row 7), as a code for a")
