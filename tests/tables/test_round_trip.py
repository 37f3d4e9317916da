"""From cells to numbers and back: every type of pandas and polars comes back as it was."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from frames_of_kinds import N, pandas_columns, pandas_left_out, polars_columns

from wellposed import Schema

PANDAS, LEFT_OUT, POLARS = pandas_columns(), pandas_left_out(), polars_columns()
INDEX = pd.date_range("2021-01-01", periods=N, freq="h")


def pandas_frame(column) -> pd.DataFrame:
    return pd.DataFrame({"k": column}, index=range(N))


@pytest.mark.parametrize("column", PANDAS.values(), ids=PANDAS)
def test_a_column_of_pandas_comes_back_exactly(column):
    frame = pandas_frame(column)
    schema = Schema.of(frame)
    numbers = schema.encode(frame)
    assert numbers.dtype == np.float64
    assert numbers.shape == (N, 1)
    np.testing.assert_array_equal(np.isnan(numbers[:, 0]), frame["k"].isna())
    pd.testing.assert_frame_equal(schema.decode(numbers), frame, check_index_type=False)
    indexed = frame.set_axis(INDEX)
    pd.testing.assert_frame_equal(schema.decode(numbers, like=indexed), indexed)


@pytest.mark.parametrize("column", POLARS.values(), ids=POLARS)
def test_a_column_of_polars_comes_back_exactly(column):
    frame = pl.DataFrame({"k": column})
    schema = Schema.of(frame)
    back = schema.decode(schema.encode(frame))
    assert back.schema == frame.schema
    assert back.equals(frame)


@pytest.mark.parametrize("column", LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_column_left_out_has_no_numbers_and_keeps_its_type(column):
    frame = pandas_frame(column).assign(a=np.arange(N) % 3 - 1.0)
    schema = Schema.of(frame)
    assert not schema["k"].is_kept
    assert schema.names == ("a",)
    numbers = schema.encode(frame)
    assert numbers.shape == (N, 1)
    pd.testing.assert_frame_equal(schema.decode(numbers, like=frame), frame)
    drawn = schema.decode(numbers)
    assert drawn.dtypes.equals(frame.dtypes)


def test_what_a_column_left_out_is_in_draws():
    names = ("numbers in a row", "names", "constant", "constant text", "constant date")
    frame = pd.DataFrame({name: pandas_left_out()[name] for name in names}, index=range(N))
    drawn = Schema.of(frame.assign(a=np.arange(N) % 3)).decode(np.zeros((2, 1)))
    assert drawn["numbers in a row"].tolist() == [N + 7, N + 8]  # none of those of the rows
    assert drawn["names"].isna().all()
    assert drawn["constant"].tolist() == [1.5, 1.5]
    assert drawn["constant text"].tolist() == ["cm", "cm"]
    assert drawn["constant date"].tolist() == [pd.Timestamp("2020-01-01")] * 2


def test_real_tables_come_back_exactly(shared_data):
    adult = pd.read_csv(shared_data("gaps/adult-train.csv"), header=None, skipinitialspace=True)
    colic = pd.read_csv(shared_data("gaps/horse-colic.csv"), header=None, na_values="?")
    for frame in (adult, colic):
        frame.columns = [f"c{i}" for i in range(frame.shape[1])]
        schema = Schema.of(frame)
        pd.testing.assert_frame_equal(schema.decode(schema.encode(frame)), frame)
        copy = pl.from_pandas(frame)
        assert Schema.of(copy).decode(Schema.of(copy).encode(copy)).equals(copy)
        # Both containers have the same numbers.
        np.testing.assert_array_equal(schema.encode(copy), schema.encode(frame))


def test_levels_are_positions_and_dates_are_steps():
    frame = pd.DataFrame(
        {
            "size": pd.Categorical(["m", "s", "m"], ["s", "m", "l"], ordered=True),
            "day": pd.to_datetime(["2020-01-03", "2020-01-01", "2020-03-01"]),
        }
    )
    expected = [[1, 2], [0, 0], [1, 60]]
    np.testing.assert_array_equal(Schema.of(frame).encode(frame), expected)


def test_numbers_between_the_cells_are_rounded_to_them():
    frame = pd.DataFrame(
        {
            "day": pd.to_datetime(["2020-01-01", "2020-01-05", "2020-01-03"]),
            "n": np.array([3, -250, 250], "i2"),
            "u": np.array([3, 9, 250], "u1"),
            "level": ["a", "b", "a"],
            "yes": [True, False, True],
            "x": [0.5, 1.5, -2.0],
        }
    )
    drawn = Schema.of(frame).decode(np.array([[1.6, 3.4, 400.0, 1.2, 0.3, 0.123]]))
    assert drawn.iloc[0].tolist() == [pd.Timestamp("2020-01-03"), 3, 255, "b", False, 0.123]


def test_a_container_with_other_units_has_the_same_numbers():
    times = ["2020-01-01 12:00", "2020-01-02 00:00", "2020-01-04 00:00"]
    frame = pd.DataFrame({"t": pd.to_datetime(times)})
    schema = Schema.of(frame)
    for unit in ("s", "ms", "us", "ns"):
        other = frame.astype(f"datetime64[{unit}]")
        np.testing.assert_array_equal(schema.encode(other), schema.encode(frame))
    later = pd.DataFrame({"t": [datetime.datetime(2020, 1, 1, 12, 30)] * 2})
    np.testing.assert_array_equal(schema.encode(later), [[0.5], [0.5]])  # hours
