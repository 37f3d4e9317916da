"""The rows of the files in tests/data/compressed, which every later version must decode.

``python -m compressed_vectors`` writes the files that are missing; it never replaces one.
"""

from pathlib import Path
from unittest import mock

import numpy as np

import wellposed as wp
from wellposed.coding.container import methods, sections

FOLDER = Path(__file__).parents[2] / "data" / "compressed"
ORDERS = ("rows", "planes", "steps-by-column", "steps-by-row")
METHODS = ("stored", "lzma", "bzip2")


def decimals() -> np.ndarray:
    """Two decimals, 255ths and 2^-8ths, thirds, and cells that have no step."""
    k = np.arange(48)
    columns = [(k * 37 % 101 - 50) / 100, k * 5 % 256 / 255, k * 11 % 77 / 256, k / 3]
    rows = np.stack(columns, axis=1)
    rows[3, 0], rows[7, 1], rows[9, 2], rows[11, 0] = np.nan, -0.0, np.inf, 1e300
    rows.view(np.uint64)[5, 0] = 0xFFF8_0000_DEAD_BEEF
    return rows


def whole() -> np.ndarray:
    """Whole numbers of several sizes, signs and shapes, of big-endian bytes."""
    k = np.arange(3 * 2 * 16)
    return ((k * k * 7919 % 1000 - 500) * 10 ** (k % 4)).reshape(16, 3, 2).astype(">i4")


def edges() -> np.ndarray:
    """The ends of the largest type."""
    return np.array([[0, 2**64 - 1], [2**63, 2**63 - 1], [1, 2]], np.uint64)


def arrays() -> dict[str, np.ndarray]:
    """The arrays of the files, by name."""
    by_order = {
        f"{order}-{method}": decimals() if i % 2 else whole()
        for i, (order, method) in enumerate((o, m) for o in ORDERS for m in METHODS)
    }
    return {
        **by_order,
        "blocks": whole().astype("<i2"),
        "edges": edges(),
        "truth": whole()[:, 0] > 0,
        "empty": np.zeros((0, 3), "f2"),
    }


def pandas_frame():
    """A frame of pandas with a column of each sort."""
    import pandas as pd

    return pd.DataFrame(
        {
            "whole": [1, -2, 3],
            "real": [0.25, np.nan, -1.5],
            "text": pd.Series(["a", "ü", "a"], dtype=object),
            "level": pd.Categorical(["u", None, "v"], categories=["v", "u"], ordered=True),
            "gap": pd.array([7, None, 9], dtype="Int64"),
            "day": pd.to_datetime(["2020-01-01", None, "2021-05-05"]).astype("M8[ns]"),
        },
        index=pd.Index([10, 20, 40], name="id"),
    )


def polars_frame():
    """A frame of polars with a column of each sort."""
    import polars as pl

    return pl.DataFrame(
        {
            "whole": pl.Series([1, None, 3], dtype=pl.Int16),
            "real": [0.25, float("nan"), None],
            "text": ["a", None, "ü"],
            "level": pl.Series(["u", None, "v"], dtype=pl.Enum(["v", "u"])),
            "day": pl.Series([0, 20_000, None], dtype=pl.Int32).cast(pl.Date),
        }
    )


def packed(name: str, rows: np.ndarray) -> bytes:
    """Return the file of an array; the order and the method are those of its name."""
    for i, order in enumerate(ORDERS):
        for j, method in enumerate(METHODS):
            if name == f"{order}-{method}":
                chosen = i, (j, (4, 0) if j == methods.LZMA else None)
                with mock.patch.object(sections, "_choose", return_value=chosen):
                    return wp.compress(None, rows)
    return wp.compress(None, rows, block_rows=5 if name == "blocks" else None)


def write_missing() -> None:
    """Write the files that are not there."""
    files = {f"{name}.wpz": packed(name, rows) for name, rows in arrays().items()}
    files["pandas.wpz"] = wp.compress(None, pandas_frame())
    files["polars.wpz"] = wp.compress(None, polars_frame())
    for name, content in files.items():
        if not (FOLDER / name).exists():
            (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    write_missing()
