"""Text tables of other countries and programs: read, or refused with a remedy that is possible."""

import gzip
import warnings

import numpy as np
import pytest

import wellposed as wp
from wellposed._errors import DamagedFileError, DataError, SettingError
from wellposed.datasets import read, read_labels

NAN = float("nan")
AB = ("a", "b")


@pytest.fixture
def table(tmp_path):
    def write(text, name="t.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


HABITS = {
    "decimal comma between semicolons": ("a;b\n1,5;2,25\n3;4\n", AB, [[1.5, 2.25], [3, 4]]),
    "decimal comma without a header": ("1,5;2,25\n3,0;4,75\n", None, [[1.5, 2.25], [3, 4.75]]),
    "decimal comma between tabs": ("a\tb\n1,5\t2,25\n3,0\t,75\n", AB, [[1.5, 2.25], [3, 0.75]]),
    "decimal comma between blanks": ("a b\n1,5 2,25\n", AB, [[1.5, 2.25]]),
    "decimal comma in quotes": ('a,b\n"1,5","2,25"\n3,"-4,75"\n', AB, [[1.5, 2.25], [3, -4.75]]),
    "decimal comma beside a date": ("2020-01-01;1,5\n2020-01-02;2,5\n", None, [[1.5], [2.5]]),
    "points between thousands": ("a;b\n1.234,5;2\n1.500;,25\n", AB, [[1234.5, 2], [1500, 0.25]]),
    "many points": ("a;b\n1.234.567;2\n", AB, [[1234567, 2]]),
    "commas in thousands": ('a,b\n"1,234",2.5\n"9,345,678",4', AB, [[1234, 2.5], [9345678, 4]]),
    "exponents and commas": ("a;b\n1,5e3;2\n", AB, [[1500, 2]]),
    "gaps beside decimal commas": ("a;b\n1,5;\n;2\n", AB, [[1.5, NAN], [NAN, 2]]),
    "comment first": ("# made by X\na,b\n1,2\n3,4\n", AB, [[1, 2], [3, 4]]),
    "comment between": ("a,b\n1,2\n# a remark\n3,NA\n", AB, [[1, 2], [3, NAN]]),
    "directive of Excel": ("\ufeffsep=;\na;b\n1;2\n", AB, [[1, 2]]),
    "delimiter at each end": ("a,b,\n1,2,\n3,,\n", AB, [[1, 2], [3, NAN]]),
    "delimiter at the ends of rows": ("a,b\n1,2,\n3,4,\n", AB, [[1, 2], [3, 4]]),
    "delimiter at the end of the header": ("a,b,\n1,2\n3,4\n", AB, [[1, 2], [3, 4]]),
    "delimiters without a header": ("1,2,,\n3,4,,\n", None, [[1, 2], [3, 4]]),
    "blanks between": ("a b\n1 2\n3 4\n", AB, [[1, 2], [3, 4]]),
    "bars between": ("a|b\n1|2\n3|\n", AB, [[1, 2], [3, NAN]]),
    "bars and blanks": ("a | b\n1 | 2\n", AB, [[1, 2]]),
    "comma and blank": ("a, b\n1, 2\n3, 4\n", AB, [[1, 2], [3, 4]]),
    "old Macintosh": ("a,b\r1,2\r3,4\r", AB, [[1, 2], [3, 4]]),
    "logical values": ("a,b\nTrue,FALSE\nfalse,tRUE\n1,0\n", AB, [[1, 0], [0, 1], [1, 0]]),
    "row of units": ("a,b\nm,\n1,2\n3,4\n", AB, [[1, 2], [3, 4]]),
    "minus of typography": ("a,b\n−1,2\n", AB, [[-1, 2]]),
    "minus and comma": ("a;b\n−1,5;2\n", AB, [[-1.5, 2]]),
    "names of R": ('"a" "b"\n1 NA\n', AB, [[1, NAN]]),
    "rows of gaps at the end": ("a,b\n1,2\n,\n", AB, [[1, 2], [NAN, NAN]]),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Line 2 .* row of units")
@pytest.mark.parametrize(("text", "names", "values"), HABITS.values(), ids=HABITS)
@pytest.mark.parametrize("packed", [False, True])
def test_habits_are_read(table, text, names, values, packed):
    path = table(gzip.compress(text.encode()) if packed else text, f"t.csv{'.gz' * packed}")
    source = read(path, drop=[0] if "2020" in text else ())
    assert source.feature_names == names
    np.testing.assert_array_equal(source.values, values)


@pytest.mark.parametrize(
    "cell",
    ["-", ".", "#N/A", "#n/a", "#NA", "<NA>", "None", "#DIV/0!", "#VALUE!", "-nan", "1.#QNAN"],
)
@pytest.mark.parametrize("text", ["a,b\n{},2\n3,4\n", "a;b\n{};2\n3;4\n", "a b\n{} 2\n3 4\n"])
def test_gaps_have_many_spellings(table, text, cell):
    source = read(table(text.format(cell)))
    assert source.feature_names == AB
    np.testing.assert_array_equal(source.values, [[NAN, 2], [3, 4]])


REFUSED = {
    "percent": ("a,b\n10%,2\n", "'10%' on line 2.*without the sign, or leave.*drop=\\('a',\\)"),
    "percent alone": ("a\n10%\n", "without the sign\\.$"),
    "date": ("day,a\n2020-01-01,2\n", "column 'day'.*days since the first.*drop=\\('day',\\)"),
    "time": ("t,a\n12:30,2\n", "days since the first"),
    "money": ("a,b\n$5,2\n", "without the currency"),
    "unit in the cell": ("a,b\n5 kg,2\n", "without a unit"),
    "blanks between thousands": ("a;b\n1 234,5;2\n", "signs between thousands"),
    "words alone": ("a,b\nx,y\nz,w\n", "column 'a', column 'b'.*Encode them as numbers\\.$"),
    "both decimals": ("a;b\n1,5;2.5\n", "One sign.*'1,5' and '2.5'.*decimal point"),
    "unclear point": ("a;b\n1,5;1.234\n", "One sign.*'1,5' and '1.234'"),
    "unclear comma": ('a,b\n"1,234",2\n', "'1,234'.*decimal=',' or decimal='\\.'"),
    "title": ("My data\na,b\n1,2\n3,4\n", "begin titles and remarks with #"),
    "row names of R": ('"a" "b"\n"x" 1 2\n"y" 3 4\n', "row.names=FALSE"),
    "one column with commas": ("a\n1,5\n2,5\n", "decimal comma in quotes"),
    "index of pandas": (",a\n0,1\n1,2\n", "index=False.*drop=\\(0,\\)"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_names_a_possible_remedy(table, text, message):
    with pytest.raises(DataError, match=f"(?s){message}"):
        read(table(text))


def test_no_remedy_is_impossible(table):
    assert read(table("day,a\n2020-01-01,2\n"), drop=("day",)).values == [[2]]
    assert read(table(",a\n0,1\n1,2\n"), drop=(0,)).feature_names == ("a",)
    unclear = table('a,b\n"1,234",2\n')
    assert read(unclear, decimal=",").values[0, 0] == 1.234
    assert read(unclear, decimal=".").values[0, 0] == 1234
    with pytest.raises(DataError, match="header=True"):
        read(table("a,b\n3,4\n"), header=False)
    for sign, cell in ((",", "1.5"), (".", "1,5")):
        with pytest.raises(DataError, match=f"'{cell}' on line 2.*`decimal`"):
            read(table(f"a;b\n{cell};2\n"), decimal=sign)
    with pytest.raises(SettingError, match="decimal"):
        read(unclear, decimal=";")


def test_a_row_of_units_is_named(table):
    with pytest.warns(wp.ReadWarning, match=r"Line 2 of .*t\.csv holds no numbers \(m, s"):
        source = read(table("a,b\nm,s\n1,2\n3,4\n"))
    np.testing.assert_array_equal(source.lines, [3, 4])


@pytest.mark.parametrize(
    "name", ["t.data", "t.dat", "t.DAT", "t.tab", "t.asc", "t.xyz", "t", "t.csv"]
)
@pytest.mark.parametrize("text", ["5.1,3.5\n4.9,3\n", "5.1 3.5\n4.9  3\n", "5.1\t3.5\n4.9\t3\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_numbers_are_read_under_any_suffix(table, name, text, packed):
    path = table(gzip.compress(text.encode()) if packed else text, name + ".gz" * packed)
    np.testing.assert_array_equal(read(path).values, [[5.1, 3.5], [4.9, 3]])


@pytest.mark.parametrize(
    "body", ['{"a": [1, 2]}', "<html></html>", "import os\n", b"\x80\x04K\x01."]
)
def test_other_text_is_no_table(table, body):
    with pytest.raises(SettingError, match=r"must be one of .*\.csv"):
        read(table(body, "t.xyz"))


# Rows and lines of one column: no row is left out, so that rows keep their place beside ids.
COLUMNS = {
    "blank": ("a\n1\n\n3\n", [1, NAN, 3], [2, 3, 4]),
    "blank at the end": ("a\n1\n\n\n", [1, NAN, NAN], [2, 3, 4]),
    "quoted": ('a\n1\n""\n3\n', [1, NAN, 3], [2, 3, 4]),
    "spelled": ("a\n1\nNA\n?\n", [1, NAN, NAN], [2, 3, 4]),
    "no header": ("\n1\n\n3", [NAN, 1, NAN, 3], [1, 2, 3, 4]),
    "comment": ("a\n1\n# a remark\n3\n", [1, 3], [2, 4]),
}


@pytest.mark.parametrize(("text", "column", "lines"), COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("name", ["t.csv", "t.txt", "t.csv.gz"])
def test_one_column_keeps_every_row(table, text, column, lines, name):
    source = read(table(text, name))
    np.testing.assert_array_equal(source.values[:, 0], column)
    np.testing.assert_array_equal(source.lines, lines)
    np.testing.assert_array_equal(read_labels(table(text, name)), column)


NAMES_WITH_QUOTES = {
    "broken in two": ('"a\n(m)",b\n1,2\n3,4\n', ("a\n(m)", "b"), [3, 4]),
    "inches": ('a,5"\n1,2\n3,4\n', ("a", '5"'), [2, 3]),
    "inches first": ('5",b\n1,2\n3,4\n', ('5"', "b"), [2, 3]),
}


@pytest.mark.parametrize(
    ("text", "names", "lines"), NAMES_WITH_QUOTES.values(), ids=NAMES_WITH_QUOTES
)
def test_quotes_in_names_lose_no_row(table, text, names, lines):
    source = read(table(text))
    assert source.feature_names == names
    np.testing.assert_array_equal(source.values, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(source.lines, lines)


def test_lines_are_those_of_an_editor(table):
    clean = read(table("# made by X\na,b\n\n1,2\n3,4\n"))
    np.testing.assert_array_equal(clean.lines, [4, 5])
    gaps = read(table("a,b\n\n1,\n\n# x\n3,4\n"))
    np.testing.assert_array_equal(gaps.lines, [3, 6])


ROWS = np.random.default_rng(0).normal(3, 1, (60, 40))


def numeric(header, rows, digits=2):
    return "\n".join([header, *(",".join(f"{x:.{digits}f}" for x in row) for row in rows)]) + "\n"


NAMES = {
    "wavelengths": (",".join(map(str, range(900, 1700, 20))), ROWS),
    "wavelengths with a point": (",".join(f"{x}.0" for x in range(900, 1700, 20)), ROWS),
    "falling": (",".join(map(str, range(1700, 900, -20))), ROWS),
    "years": ("2018,2019,2020,2021", ROWS[:, :4]),
    "years above counts": ("2018,2019,2020,2021", np.round(ROWS[:, :4])),
    "ages within the range": ("1,2,3,4,5,6", ROWS[:, :6]),
}


@pytest.mark.parametrize(("header", "rows"), NAMES.values(), ids=NAMES)
def test_numbers_that_can_only_be_names_are_names(table, header, rows):
    source = read(table(numeric(header, rows)))
    assert source.feature_names == tuple(header.split(","))
    np.testing.assert_allclose(source.values, rows, atol=0.006)
    assert source.lines[0] == 2
    as_data = read(table(numeric(header, rows)), header=False)
    assert as_data.values.shape == (61, rows.shape[1])


DOUBTS = {
    "two years": ("2018,2019", ROWS[:, :2]),
    "years above two rows": ("2018,2019,2020", ROWS[:2, :3]),
    "one year": ("2018", ROWS[:, :1]),
    "masses out of order": ("500,120,300", ROWS[:, :3]),
    "frequencies": ("100.5,101.7,103.1", ROWS[:, :3]),
    "levels below all": ("0.05,0.5,0.95", 100 + ROWS[:, :3]),
    "particles that start in a line": ("1,2,3,4,5,6", np.arange(1, 7) + ROWS[:, :6] - 3),
    "above an index": (",2018,2019,2020", np.column_stack([np.arange(60), ROWS[:, :3]])),
}


@pytest.mark.parametrize(("header", "rows"), DOUBTS.values(), ids=DOUBTS)
def test_numbers_that_may_be_names_are_named(table, header, rows):
    path = table(numeric(header, rows))
    with pytest.warns(wp.ReadWarning, match=r"first line of .*t\.csv .*header=True.*header=False"):
        source = read(path)
    assert source.values.shape == (len(rows) + 1, rows.shape[1])
    assert source.feature_names is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(path, header=False).values.shape == source.values.shape
        if header[0] != ",":
            assert read(path, header=True).feature_names == tuple(header.split(","))


ORDINARY = {
    "normal": ROWS,
    "one column": ROWS[:, :1],
    "counts": np.random.default_rng(1).poisson(2.0, (50, 3)),
    "trend": np.cumsum(np.abs(ROWS[:, :3]), axis=0),
    "large offsets": 1e6 + ROWS[:, :4],
    "two rows": np.array([[1.0, 2], [3, 4]]),
    "start of a simulation": np.vstack([[1.0, 0, 20], ROWS[:, :3] * 5 - 15]),
    "zeros first": np.vstack([np.zeros(4), ROWS[:, :4]]),
}


@pytest.mark.parametrize("rows", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_rows_are_data_without_a_warning(table, rows):
    source = read(table("\n".join(",".join(map(str, row)) for row in rows.tolist())))
    np.testing.assert_array_equal(source.values, rows)


def test_the_model_of_a_path_is_that_of_its_rows(table):
    path = table(numeric(NAMES["years"][0], ROWS[:, :4]))
    rows = np.loadtxt(path, delimiter=",", skiprows=1)
    assert wp.PPCA(2).fit(path).noise_variance_ == wp.PPCA(2).fit(rows).noise_variance_


@pytest.mark.parametrize("body", [b"\n" * (2 << 20), b"# x\n" * (2 << 20), b"1" * (1 << 25)])
def test_what_never_becomes_a_row_is_refused(table, body):
    with pytest.raises(DamagedFileError, match=r"t\.csv\.gz"):
        read(table(gzip.compress(body), "t.csv.gz"))


@pytest.mark.parametrize("sign", [",", " ", '"'])
def test_more_columns_than_any_table_has_are_refused(table, sign):
    with pytest.raises(DataError, match=r"at most 524288 columns.*\.npy"):
        read(table(f"1{sign}" * (1 << 20) + "1\n"))


def test_wide_tables_are_read(table):
    row = ",".join(["1.25"] * 100_000)
    assert read(table(f"{row}\n{row}\n")).values.shape == (2, 100_000)
