"""Columns of every kind that a frame can have."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

N = 40
RNG = np.random.default_rng(0)
WHEN = pd.Series(pd.date_range("2020-01-01", periods=N))
JITTER = pd.Series(pd.to_timedelta(RNG.integers(0, 10**6, N), unit="us"))
TIMES = [datetime.datetime(2020, 1, 1 + i // 24, i % 24) for i in range(N)]
DAYS = [datetime.date(2020, 1, 1 + i % 20) for i in range(N)]


def objects(values) -> pd.Series:
    return pd.Series(values, dtype=object)


def pandas_columns() -> dict:
    """By name, columns that the model keeps."""
    return {
        "text": list("xyxyxyabab") * 4,
        "text with gaps": objects(["x", None, "y", None] * 10),
        "string": pd.array(["a", None, "b", "b"] * 10, "string"),
        "Arrow text": pd.array(["a", "b"] * 20, "string[pyarrow]"),
        "mixed objects": objects([1, "a", True, 2.5, "1", None, 1.0, 0] * 5),
        "bytes": objects([b"a", b"\xff"] * 20),
        "categories": pd.Categorical(["b", "a", None, "b"] * 10, categories=["b", "a", "unused"]),
        "ordered": pd.Categorical(list("lmh" + "l") * 10, list("lmh"), ordered=True),
        "categories of numbers": pd.Categorical([3.5, 5.0] * 20),
        "booleans": RNG.random(N) < 0.5,
        "nullable booleans": pd.array([True, None, False, True] * 10, "boolean"),
        "Arrow booleans": pd.array([True, False] * 20, "bool[pyarrow]"),
        "boolean objects": objects([True, None, False, True] * 10),
        "int8": RNG.integers(-3, 3, N).astype("i1"),
        "uint8": RNG.integers(0, 255, N).astype("u1"),
        "nullable integers": pd.array([1, None, 3, 70] * 10, "Int64"),
        "integer objects": objects([1, 3, None, 8] * 10),
        "zeros and ones": [0, 1] * 20,
        "float32": RNG.normal(size=N).astype("f4"),
        "float with gaps": [1.5, np.nan, 2.5, 3.5] * 10,
        "nullable floats": pd.array([1.5, None, 2.5, 3.5] * 10, "Float64"),
        "Arrow floats": pd.array([1.5, 2.5, None, 4] * 10, "double[pyarrow]"),
        "amounts": np.exp(2 * RNG.normal(size=N)),
        "amounts with zeros": np.exp(RNG.normal(size=N)) * (RNG.random(N) < 0.5),
        "counts": RNG.negative_binomial(1, 0.3, N),
        "dates": WHEN,
        "dates with gaps": WHEN.where(WHEN.dt.day > 3),
        "seconds": WHEN.astype("datetime64[s]"),
        "microseconds": WHEN + JITTER,
        "nanoseconds": (WHEN + pd.Timedelta(hours=1)).astype("datetime64[ns]"),
        "zone": WHEN.dt.tz_localize("Europe/Berlin") + pd.Timedelta(hours=3),
        "UTC": WHEN.dt.tz_localize("UTC"),
        "durations": WHEN - WHEN[0],
        "date objects": objects(DAYS),
        "time objects": objects(TIMES),
        "times of day": objects([datetime.time(i % 24, i) for i in range(N)]),
        "duration objects": objects([datetime.timedelta(seconds=i) for i in range(N)]),
        "Arrow dates": pd.array(DAYS, pd.ArrowDtype(pa.date32())),
        "Arrow times": pd.array(TIMES, "timestamp[us][pyarrow]"),
    }


def pandas_left_out() -> dict:
    """By name, columns that the model leaves out."""
    return {
        "numbers in a row": np.arange(N) + 7,
        "names": [f"k{i}" for i in range(N)],
        "constant": 1.5,
        "constant text": "cm",
        "constant date": pd.Timestamp("2020-01-01"),
        "constant with gaps": pd.array([True, None] * 20, "boolean"),
        "empty floats": np.nan,
        "empty objects": objects([None] * N),
        "empty category": pd.Categorical([None] * N, categories=["a", "b"]),
    }


def polars_columns() -> dict:
    """By name, columns that the model keeps."""
    zoned = pl.Series(TIMES).dt.replace_time_zone("Europe/Berlin")
    return {
        "text": ["a", "b", None, "c"] * 10,
        "Categorical": pl.Series(["x", "y", None, "z"] * 10, dtype=pl.Categorical),
        "Enum": pl.Series(["x", "y", None, "x"] * 10, dtype=pl.Enum(["q", "y", "x"])),
        "Binary": [b"a", b"b"] * 20,
        "Boolean": [True, False, None, True] * 10,
        "UInt8": pl.Series([1, 200, None, 3] * 10, dtype=pl.UInt8),
        "Float32": pl.Series([1.5, 2.0, None, 3.0] * 10, dtype=pl.Float32),
        "Date": DAYS,
        "Datetime": TIMES,
        "milliseconds": pl.Series(TIMES, dtype=pl.Datetime("ms")),
        "zone": zoned,
        "Duration": [datetime.timedelta(seconds=i) for i in range(N)],
        "Time": [datetime.time(i % 24, i) for i in range(N)],
    }
