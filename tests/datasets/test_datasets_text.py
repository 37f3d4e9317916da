"""Text tables: the header is found, missing cells are NaN, anything else is named."""

import gzip

import numpy as np
import pandas as pd
import pytest

from wellposed._errors import DamagedFileError, DataError, SettingError
from wellposed.datasets import read, read_labels


@pytest.fixture
def table(tmp_path):
    def write(text, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


HEADERS = {
    "words": ("a,b\n1,2\n", ("a", "b"), [[1, 2]]),
    "none": ("1,2\n", None, [[1, 2]]),
    "numbers only": ("1,2\n3,4\n", None, [[1, 2], [3, 4]]),
    "a year among words": ("age,2020\n1,2\n", ("age", "2020"), [[1, 2]]),
    "quoted": ('"a, b","c"\n1,2\n', ("a, b", "c"), [[1, 2]]),
    "byte-order mark": ("\ufeffa,b\n1,2\n", ("a", "b"), [[1, 2]]),
    "blank line first": ("\na,b\n1,2\n", ("a", "b"), [[1, 2]]),
    "missing is data": ("NA,1\n1,2\n", None, [[np.nan, 1], [1, 2]]),
    "windows lines": ("a,b\r\n1,2\r\n", ("a", "b"), [[1, 2]]),
    "infinity is a number": ("inf,1e3\n1,2\n", None, [[np.inf, 1000], [1, 2]]),
    "one column": ("a\n1\n", ("a",), [[1]]),
    "semicolons": ("a;b\n1;2\n", ("a", "b"), [[1, 2]]),
    "tabs": ("a\tb\n1\t2\n", ("a", "b"), [[1, 2]]),
    "same names": ("a,a\n1,2\n", ("a", "a"), [[1, 2]]),
}


@pytest.mark.parametrize(("text", "names", "values"), HEADERS.values(), ids=HEADERS)
def test_the_header_is_found(table, text, names, values):
    source = read(table(text))
    assert source.feature_names == names
    assert source.values.dtype == np.float64
    np.testing.assert_array_equal(source.values, values)


def test_the_header_can_be_told(table):
    np.testing.assert_array_equal(read(table("1,2\n3,4\n"), header=True).values, [[3, 4]])
    assert read(table("1,2\n3,4\n"), header=True).feature_names == ("1", "2")
    with pytest.raises(DataError, match="column 0, column 1"):
        read(table("a,b\n3,4\n"), header=False)


@pytest.mark.parametrize("index", [True, False])
def test_a_header_made_up_by_pandas_is_not_taken_for_data(tmp_path, index):
    path = tmp_path / "t.csv"
    pd.DataFrame(np.ones((2, 3))).to_csv(path, index=index)
    with pytest.raises(DataError, match="header=True or header=False"):
        read(path)


def test_an_index_written_by_pandas_is_not_a_feature(tmp_path):
    path = tmp_path / "t.csv"
    pd.DataFrame({"a": [1.0], "b": [2.0]}).to_csv(path)
    with pytest.raises(DataError, match="index=False"):
        read(path)


def test_pandas_and_read_agree(tmp_path):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 4)), columns=list("abcd"))
    frame.iloc[3, 1] = np.nan
    path = tmp_path / "t.csv.gz"
    frame.to_csv(path, index=False)
    source = read(path)
    np.testing.assert_array_equal(source.values, frame.to_numpy())
    assert source.feature_names == tuple("abcd")


def test_the_two_passes_agree(table):
    numbers = np.random.default_rng(1).normal(size=(30, 3)) * 10.0 ** np.arange(-200, 200, 150)[:3]
    text = "\n".join(",".join(map(repr, row)) for row in numbers.tolist())
    careful = read(table(text + "\n,,\n")).values
    np.testing.assert_array_equal(read(table(text)).values, numbers)
    np.testing.assert_array_equal(careful[:-1], numbers)
    assert np.isnan(careful[-1]).all()


@pytest.mark.parametrize("cell", ["", " ", "NA", "nan", "NaN", "null", "N/A", "?", '""'])
def test_missing_cells_are_nan(table, cell):
    values = read(table(f"a,b\n1,2\n{cell},4\n\n")).values
    np.testing.assert_array_equal(values, [[1, 2], [np.nan, 4]])


def test_text_columns_are_named_with_the_remedy(table):
    path = table("x,species,y,island\n1,setosa,2,Torgersen\n3,virginica,4,Dream\n")
    message = r"column 'species', column 'island' with 'setosa' on line 2.*drop=\('species', 'isl"
    with pytest.raises(DataError, match=message):
        read(path)
    source = read(path, drop=("species", "island"))
    np.testing.assert_array_equal(source.values, [[1, 2], [3, 4]])
    assert source.feature_names == ("x", "y")


def test_a_text_column_without_a_header_loses_no_row(table):
    path = table("5.1,setosa\n4.9,setosa\n")
    with pytest.raises(DataError, match=r"column 1 with 'setosa' on line 1.*drop=\(1,\)"):
        read(path)
    np.testing.assert_array_equal(read(path, drop=[1]).values, [[5.1], [4.9]])


def test_dropped_columns_may_hold_anything_also_beside_missing_cells(table):
    path = table("id,a,b\nq,1,\nr,2,3\n")
    np.testing.assert_array_equal(read(path, drop=["id"]).values, [[1, np.nan], [2, 3]])


@pytest.mark.parametrize(
    ("text", "drop", "message"),
    [
        ("a,b\n1,2\n", ["c"], "must be one of a, b; got 'c'"),
        ("1,2\n", ["c"], "no header.*counted from 0"),
        ("1,2\n", [2], "from 0 to 1.*got 2"),
        ("1,2\n", [0, 1], "removes all 2"),
    ],
)
def test_drop_must_make_sense(table, text, drop, message):
    with pytest.raises(SettingError, match=message):
        read(table(text), drop=drop)


@pytest.mark.parametrize("rows", ["1,2\n3\n", "1,2\n3,4,5\n"])
@pytest.mark.parametrize("drop", [(), (0,)])
def test_ragged_rows_are_named_by_line(table, rows, drop):
    with pytest.raises(DataError, match=r"t\.csv must have 2 cells.*line 3 has [13]"):
        read(table("a,b\n" + rows), drop=drop)


def test_a_header_of_another_width_is_noticed(table):
    with pytest.raises(DataError, match=r"must have 3 cells.*line 2 has 2"):
        read(table("a,b,c\n1,2\n3,4\n"))


@pytest.mark.parametrize("cell", ["1_000", "0x10", "1,5,2", "12 kg", "--"])
def test_what_only_looks_like_a_number_is_refused(table, cell):
    with pytest.raises(DataError, match=r"numeric.*'b'"):
        read(table(f'a,b\n1,"{cell}"\n'))


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_refused(table, text):
    with pytest.raises(DataError, match="is empty"):
        read(table(text))


def test_a_header_without_rows_is_refused(table):
    with pytest.raises(DataError, match=r"shape \(0, 2\)"):
        read(table("a,b\n"))


@pytest.mark.parametrize("text", [b"a,b\n1,\xff\n", b"\xff\xfe\x00a"])
def test_other_encodings_are_damage(table, text):
    with pytest.raises(DamagedFileError, match="UTF-8"):
        read(table(text))


def test_a_cut_gz_is_damage(table):
    body = gzip.compress(b"a,b\n" + b"1,2\n" * 10000)
    with pytest.raises(DamagedFileError, match=r"t\.csv\.gz"):
        read(table(body[:-12], "t.csv.gz"))


SPACED = {
    "spaces": "  1.5e-02   2\n  3   4\n",
    "tabs to the end": "1.5e-2 \t2 \t\n3\t4\t\n\n",
    "comment": "# made by hand\n1.5e-2 2 # a remark\n3 4\n",
    "windows lines": "1.5e-2 2\r\n3 4\r\n",
    "commas": "1.5e-2,2\n3,4\n",
}


@pytest.mark.parametrize("text", SPACED.values(), ids=SPACED)
def test_whitespace_separates_txt(table, text):
    np.testing.assert_array_equal(read(table(text, "t.txt")).values, [[0.015, 2], [3, 4]])


def test_txt_may_have_a_header_and_missing_cells(table):
    source = read(table("a b\n1 NA\n", "t.txt"))
    assert source.feature_names == ("a", "b")
    np.testing.assert_array_equal(source.values, [[1, np.nan]])


def test_what_savetxt_writes_is_read(tmp_path):
    values = np.random.default_rng(0).normal(size=(5, 3))
    np.savetxt(tmp_path / "t.txt", values, header="a b c")
    np.testing.assert_allclose(read(tmp_path / "t.txt").values, values, rtol=1e-15)


def test_labels_are_a_single_column(table):
    np.testing.assert_array_equal(read_labels(table("y\n1\n0\n")), [1, 0])
