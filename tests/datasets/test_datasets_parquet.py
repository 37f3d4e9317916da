"""Parquet tables: types are promoted, nulls become NaN, other columns are named in the error."""

import decimal
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from wellposed._errors import DamagedFileError, DataError, SettingError
from wellposed.datasets import read


@pytest.fixture
def table(tmp_path):
    def write(columns, **options):
        path = tmp_path / "t.parquet"
        pd.DataFrame(columns, **options).to_parquet(path)
        return path

    return write


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32", "float64", "bool"])
def test_one_type_is_kept(table, dtype):
    source = read(table({"a": np.array([0, 1], dtype), "b": np.array([1, 1], dtype)}))
    assert source.values.dtype == dtype
    assert source.feature_names == ("a", "b")
    np.testing.assert_array_equal(source.values, [[0, 1], [1, 1]])


def test_types_are_promoted(table):
    source = read(table({"a": np.array([1], "int16"), "b": np.array([2], "float32")}))
    assert source.values.dtype == np.float32


@pytest.mark.parametrize(
    "column", [pd.array([1, None], "Int64"), pd.array([True, None], "boolean"), [1.0, np.nan]]
)
def test_nulls_are_nan(table, column):
    np.testing.assert_array_equal(read(table({"a": column})).values, [[1], [np.nan]])


@pytest.mark.parametrize("index", [None, [5, 9], pd.Index([5, 9], name="id")])
def test_the_index_of_pandas_is_no_feature(table, index):
    source = read(table({"a": [1.0, 2.0]}, index=index))
    assert source.feature_names == ("a",)


def test_tables_of_other_writers_have_no_index(tmp_path):
    pq.write_table(pa.table({"a": [1, 2], "b": [0.5, 1.5]}), tmp_path / "t.parquet")
    source = read(tmp_path / "t.parquet")
    np.testing.assert_array_equal(source.values, [[1, 0.5], [2, 1.5]])


def test_other_types_are_named(table):
    path = table({"a": [1.0], "when": [pd.Timestamp("2020-01-01")], "who": ["x"]})
    with pytest.raises(DataError, match=r"column 'when', column 'who' with the type timestamp"):
        read(path)
    np.testing.assert_array_equal(read(path, drop=["when", "who"]).values, [[1]])
    with pytest.raises(SettingError, match="must be one of a, when, who"):
        read(path, drop=["whom"])


def test_no_rows_are_refused(table):
    with pytest.raises(DataError, match=r"shape \(0, 1\)"):
        read(table({"a": np.zeros(0)}))


@pytest.mark.parametrize("cut", [0, 20, -20])
def test_a_cut_file_is_damage(table, cut):
    path = table({"a": np.arange(9.0)})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DamagedFileError, match=r"t\.parquet"):
        read(path)


def test_without_pyarrow_the_remedy_is_named(table, monkeypatch):
    path = table({"a": [1.0]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SettingError, match=r"pip install 'wellposed\[data\]'"):
        read(path)


NOTED = [b"junk", b"[]", b"null", b"\xff", b'{"index_columns": 3}', b'{"index_columns": ["gone"]}']


@pytest.mark.parametrize("noted", NOTED)
def test_stale_notes_of_pandas_do_not_matter(tmp_path, noted):
    table = pa.table({"a": [1, 2]}).replace_schema_metadata({b"pandas": noted})
    pq.write_table(table, tmp_path / "t.parquet")
    np.testing.assert_array_equal(read(tmp_path / "t.parquet").values, [[1], [2]])


def test_a_table_that_lost_its_index_is_read(table):
    path = table({"a": [1.0, 2.0]}, index=pd.Index([5, 9], name="id"))
    pq.write_table(pq.read_table(path).drop_columns(["id"]), path)
    assert read(path).feature_names == ("a",)


UNUSUAL = {
    "decimals": ({"a": [decimal.Decimal("1.5"), None]}, [[1.5], [np.nan]]),
    "nulls alone": ({"a": pa.nulls(2), "b": [1, 2]}, [[np.nan, 1], [np.nan, 2]]),
    "nulls late": ({"a": [1, 2], "b": pa.array([3, None])}, [[1, 3], [2, np.nan]]),
    "a name that begins another": ({"a": [1, 2], "a.b": [3, 4]}, [[1, 3], [2, 4]]),
}


@pytest.mark.parametrize(("columns", "values"), UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_columns(tmp_path, columns, values):
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    np.testing.assert_array_equal(read(tmp_path / "t.parquet").values, values)


def test_names_may_repeat(tmp_path):
    columns = [pa.array([1, 2]), pa.array([3, 4])]
    pq.write_table(pa.Table.from_arrays(columns, names=["a", "a"]), tmp_path / "t.parquet")
    np.testing.assert_array_equal(read(tmp_path / "t.parquet").values, [[1, 3], [2, 4]])


def test_groups_of_rows_and_of_columns(tmp_path):
    values = np.random.default_rng(0).normal(size=(3000, 12))
    columns = {f"c{i}": values[:, i] for i in range(12)}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet", row_group_size=700)
    np.testing.assert_array_equal(read(tmp_path / "t.parquet").values, values)


def test_remedies_are_possible(table):
    with pytest.raises(DataError, match=r"type timestamp.*days since the first\.$"):
        read(table({"when": [pd.Timestamp("2020-01-01")]}))
