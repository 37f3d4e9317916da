"""Frames through compress and decompress: columns, types, index and missing marks back in kind."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest
from byte_codec import ByteCodec
from polars.testing import assert_frame_equal as assert_polars_equal

import wellposed as wp
from wellposed.coding.container import blocks
from wellposed.estimators.compression.containers import cells_of, pack_description


def every_kind_of_pandas():
    """A frame with a column of each type that a file holds, each with a gap where it can."""
    days = ["2020-01-01", None, "2021-05-05"]
    return pd.DataFrame(
        {
            "whole": [1, 2, 3],
            "real": [0.5, np.nan, -0.0],
            "half": np.array([1, 2, 3], "f2"),
            "text": ["x", None, "y"],
            "ordered": pd.Categorical(["u", "v", None], categories=["w", "v", "u"], ordered=True),
            "levels": pd.Categorical([3, None, 5]),
            "Int64": pd.array([1, None, 3], dtype="Int64"),
            "boolean": pd.array([True, None, False], dtype="boolean"),
            "Float32": pd.array([1.5, None, 2], dtype="Float32"),
            "string": pd.array(["q", None, "r"], dtype="string"),
            "date": pd.to_datetime(days),
            "zone": pd.to_datetime(days).tz_localize("Europe/Berlin"),
            "span": pd.to_timedelta([1, 2, None], unit="s"),
            "truth": [True, False, True],
            "mixed": pd.Series([1, "a", None], dtype=object),
            "as objects": pd.Series(["a", np.nan, "b"], dtype=object),
            "marks": pd.Series([np.nan, pd.NA, True], dtype=object),
            7: [1.25, 2.5, 3.75],
        }
    )


PANDAS = {
    "every kind": every_kind_of_pandas(),
    "named index": every_kind_of_pandas().set_index("text"),
    "two levels": every_kind_of_pandas().set_index(["whole", "date"]),
    "of dates": pd.DataFrame({"x": [1, 2]}, index=pd.date_range("2020", periods=2, tz="UTC")),
    "numbered": pd.DataFrame(np.eye(4)),
    "some rows": pd.DataFrame(np.eye(4))[::2],
    "no rows": every_kind_of_pandas()[:0],
    "no columns": every_kind_of_pandas()[[]],
    "twice the same label": pd.DataFrame(np.eye(2), columns=["a", "a"]),
}


@pytest.mark.parametrize("name", PANDAS)
@pytest.mark.parametrize("block_rows", [None, 2])
def test_frames_of_pandas_come_back(name, block_rows):
    frame = PANDAS[name]
    again = wp.decompress(wp.compress(None, frame, block_rows=block_rows))
    pd.testing.assert_frame_equal(frame, again)
    for column, other in zip(frame.items(), again.items(), strict=True):
        if column[1].dtype == object:
            assert [*map(repr, column[1])] == [*map(repr, other[1])]


def every_kind_of_polars():
    moment = dt.datetime(1950, 1, 1, 12)
    frame = pl.DataFrame(
        {
            "whole": [1, None, 3],
            "real": [0.5, float("nan"), None],
            "text": ["x", None, "y"],
            "date": [dt.date(2020, 1, 1), None, dt.date(1950, 1, 1)],
            "moment": [moment, None, moment],
            "truth": [True, None, False],
            "span": [dt.timedelta(1), None, dt.timedelta(2)],
            "clock": [dt.time(3), None, dt.time(4)],
            "levels": pl.Series(["u", None, "v"], dtype=pl.Categorical),
            "enum": pl.Series(["u", None, "v"], dtype=pl.Enum(["v", "u", "w"])),
            "small": pl.Series([1, 2, 255], dtype=pl.UInt8),
            "no text": pl.Series([None] * 3, dtype=pl.String),
        }
    )
    return frame.with_columns(zone=pl.col("moment").dt.replace_time_zone("Europe/Berlin"))


@pytest.mark.parametrize("rows", [3, 0])
@pytest.mark.parametrize("block_rows", [None, 2])
def test_frames_of_polars_come_back(rows, block_rows):
    frame = every_kind_of_polars()[:rows]
    again = wp.decompress(wp.compress(None, frame, block_rows=block_rows))
    assert_polars_equal(frame, again)
    assert frame.schema == again.schema


def test_bits_of_floating_columns_come_back():
    bits = np.random.default_rng(0).integers(0, 2**64, (50, 2), dtype=np.uint64).view(float)
    again = wp.decompress(wp.compress(None, pd.DataFrame(bits)))
    assert again.to_numpy().tobytes() == bits.tobytes()


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1j]),
        pd.Series(pd.period_range("2020", periods=1)),
        pd.Series([[1, 2]]),
        pd.Series(pd.arrays.SparseArray([0, 1])),
        pd.Series([dt.date(2020, 1, 1)], dtype=object),
    ],
)
def test_columns_without_a_place_in_a_file_are_refused(column):
    with pytest.raises(wp.DataError, match=r"Column 'odd'.*astype\(str\)"):
        wp.compress(None, pd.DataFrame({"odd": column}))


@pytest.mark.parametrize("column", [[[1]], [{"a": 1}], [b"a"]])
def test_columns_of_polars_without_a_place_are_refused(column):
    with pytest.raises(wp.DataError, match=r"Column 'odd'.*cast\(pl.String\)"):
        wp.compress(None, pl.DataFrame({"odd": column}))


@pytest.mark.parametrize("package", [pd, pl])
def test_the_columns_of_a_frame_are_those_of_the_model_by_their_names(package, monkeypatch):
    rng = np.random.default_rng(0)
    columns = {name: rng.binomial(9, 0.4, 300) for name in "abc"}
    columns["a"] = columns["a"].astype(float)
    frame = package.DataFrame(columns)
    coder = ByteCodec(3, most=9)
    monkeypatch.setattr(blocks, "pack_plain", lambda parts: bytes(10**6))
    again = wp.decompress(wp.compress(coder, frame), coder)
    assert again.equals(frame)
    with pytest.raises(wp.DataError, match="3 features"):
        wp.compress(coder, frame[["a", "b"]])


def test_rows_of_a_damaged_frame_keep_their_labels():
    frame = pd.DataFrame({"x": np.arange(90) % 7, "y": list("abc") * 30})
    data = bytearray(wp.compress(None, frame, block_rows=30))
    data[-12] ^= 1
    with pytest.warns(wp.DamageWarning):
        rest = wp.decompress(bytes(data), errors="skip")
    pd.testing.assert_frame_equal(rest, frame.loc[rest.index], check_index_type=False)
    assert len(rest) >= 60


@pytest.mark.parametrize("columns", [1, 5])
def test_a_frame_of_noise_is_hardly_larger_than_its_cells(columns):
    rng = np.random.default_rng(0)
    kinds = ["u1", "i8", "f4", "f8", "i2"]
    frame = pd.DataFrame(
        {i: np.frombuffer(rng.bytes(8 * 90), kinds[i])[:90].copy() for i in range(columns)}
    )
    n_bytes = sum(frame[i].dtype.itemsize * 90 for i in range(columns))
    cells = cells_of(frame)
    data = wp.compress(None, frame, block_rows=1)
    pd.testing.assert_frame_equal(wp.decompress(data), frame)
    slack = 64 + 10 * columns + len(pack_description(cells.description))
    assert len(data) <= n_bytes + slack
