"""What a column is taken for, the printed schema, its edits, and what it refuses."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from frames_of_kinds import N, objects

import wellposed as wp
from wellposed import Schema
from wellposed.tables import Column
from wellposed.tables._infer import words_among_numbers

RNG = np.random.default_rng(1)

KINDS = {
    "category": ["a", "b"] * 20,
    "identifier": [f"k{i}" for i in range(N)],
    "text": [f"k{i % 30}" for i in range(N)],
    "ordered": pd.Categorical(["s", "m"] * 20, ["s", "m", "l"], ordered=True),
    "boolean": [True, False] * 20,
    "count": RNG.negative_binomial(1, 0.4, N),
    "real": RNG.normal(size=N),
    "amount": np.exp(1.5 * RNG.normal(size=N)) * (np.arange(N) % 3 > 0),
    "date": pd.date_range("2020-01-01", periods=N),
    "duration": pd.to_timedelta(np.arange(N) % 5, unit="h"),
    "constant": 3,
    "empty": np.nan,
}
FRAME = pd.DataFrame(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_is_taken_for_its_kind(kind):
    column = Schema.of(FRAME)[kind]
    assert column.kind == kind
    assert column.reason


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 1] * 20, "boolean"),
        ([0.0, 1.0, np.nan, 1.0] * 10, "boolean"),
        ([1, 2] * 20, "category"),
        ([1, 2] * 5, "real"),  # of a mean above the variance
        ([1, 2, 3] * 20, "real"),
        ([0.5, 1.5] * 20, "real"),
        (np.arange(N) + 100, "identifier"),
        (np.arange(N) * 2, "real"),
        (np.where(np.arange(N) % 4, 0.0, np.exp(np.arange(N) / 4)), "amount"),
        (np.arange(1.0, N + 1) / 3, "real"),
        (-np.exp(np.arange(N) / 8), "real"),
        (np.exp(np.arange(N) / 8), "real"),
        (objects([1, "a"] * 20), "category"),
        (pd.Categorical([1, 2] * 20), "category"),
        ([7] * N, "constant"),
        ([None] * N, "empty"),
    ],
)
def test_values_decide_the_kind_of_numbers(values, kind):
    frame = pd.DataFrame({"k": values})
    assert Schema.of(frame)["k"].kind == kind
    if not isinstance(values, (pd.Categorical, pd.Series)):  # dtype is no part of the decision
        assert Schema.of(frame.astype(object))["k"].kind == kind
        assert Schema.of(pl.from_pandas(frame))["k"].kind == kind


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ([1, 2, 3, 4] * 10, "category"),
        ((np.arange(N) * 7919) % 10_007, "identifier"),
        (np.arange(N) % 20 + 100, None),
        (np.arange(N) / 3, None),
        ([1, 2, 3], None),  # too few rows to tell
    ],
)
def test_the_reason_says_what_else_whole_numbers_may_be(values, hint):
    frame = pd.DataFrame({"k": values, "other": np.arange(len(values)) / 3})
    schema = Schema.of(frame)
    assert schema["k"].kind == "real"
    said = schema["k"].reason
    if hint is None:
        assert "kind=" not in said
        return
    assert f'kind="{hint}"' in said
    assert schema.replace("k", kind=hint).complete(frame)["k"].kind == hint


def test_levels_without_a_row_are_kept():
    unused = pd.DataFrame({"k": pd.Categorical(["b", "a"] * 20, ["b", "a", "z"])})
    column = Schema.of(unused)["k"]
    assert column.levels == ("b", "a", "z")
    assert "1 of them without a row" in column.reason
    assert Schema.of(unused).make_noise().groups[0].levels == 3
    enum = pl.DataFrame({"k": pl.Series(["b", "a"] * 20, dtype=pl.Enum(["b", "a", "z"]))})
    assert Schema.of(enum)["k"].levels == column.levels


def test_it_prints_a_row_a_column():
    lines = str(Schema.of(FRAME)).splitlines()
    assert len(lines) == len(KINDS) + 1
    for kind, line in zip(KINDS, lines[1:], strict=True):
        assert line.startswith(kind)
        assert len(line) < 160
    assert "left out" in lines[2]
    assert "2 texts: a, b" in lines[1]


def test_a_column_can_be_edited():
    schema = Schema.of(FRAME).replace("real", noise="student-t").replace("category", kind="text")
    assert schema["real"].noise == "student-t"
    assert schema["real"].kind == "real"
    assert schema["category"].noise is None
    assert "category" not in schema.names
    assert schema["category"].reason == "as set"
    again = schema.replace("text", kind="category").complete(FRAME)
    assert len(again["text"].levels) == 30
    numbers = schema.replace("count", kind="category").complete(FRAME)
    assert numbers["count"].levels == tuple(sorted(set(FRAME["count"].tolist())))
    pd.testing.assert_frame_equal(numbers.decode(numbers.encode(FRAME), like=FRAME), FRAME)


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        (("?", "1", "2.5", "-3e2"), ("?",)),
        (("?", "1", "2.5"), ()),  # too few numbers
        (("?", "-", "none", *map(str, range(9))), ("?", "-", "none")),
        (("a", "b", "c", "d", *map(str, range(40))), ()),  # too many words
        (("1", "2", "3"), ()),
        (("inf", "1", "2", "3"), ("inf",)),
    ],
)
def test_a_few_words_among_texts_of_numbers_are_gaps_that_were_read_as_text(levels, words):
    assert words_among_numbers(levels) == words


def test_several_columns_are_edited_as_one_after_the_other():
    frame = pd.DataFrame({"a": [1, 2, 3] * 10, "b": [4, 5, 6] * 10, "c": np.arange(30) / 3})
    schema = Schema.of(frame)
    both = schema.replace(["a", "b"], kind="category")
    assert both == schema.replace("a", kind="category").replace("b", kind="category")
    assert both.complete(frame)["b"].levels == (4, 5, 6)
    with pytest.raises(wp.SettingError, match="'a'"):
        schema.replace(["c", "aa"], kind="real")


def test_an_amount_above_zero_has_no_probability_of_zero():
    frame = pd.DataFrame({"paid": np.exp(np.arange(N) / 8), "rain": np.arange(N) % 2 * 1.5})
    schema = Schema.of(frame).replace("paid", kind="amount").replace("rain", kind="amount")
    schema = schema.complete(frame)
    words = [str(schema).splitlines()[i].split()[2] for i in (1, 2)]
    assert words == ["log-normal", "zero-inflated"]


def test_levels_can_be_set():
    frame = pd.DataFrame({"k": ["a", "b"] * 20})
    schema = Schema.of(frame).replace("k", levels=["b", "a", "c"])
    assert schema.encode(pd.DataFrame({"k": ["c", "b"]}))[:, 0].tolist() == [2.0, 0.0]
    with pytest.raises(wp.SettingError, match="two or more"):
        schema.replace("k", levels=["a"])
    with pytest.raises(wp.SettingError, match="once"):
        schema.replace("k", levels=["a", "a"])


def test_unknown_names_are_refused():
    schema = Schema.of(FRAME)
    with pytest.raises(wp.SettingError, match="'real'"):
        schema.replace("reel", kind="real")
    with pytest.raises(wp.SettingError, match="'count'"):
        schema.replace("real", kind="counts")
    with pytest.raises(wp.SettingError, match="kind of a column"):
        Column("a", "number", None, "")


def test_an_unknown_level_is_refused_by_name_with_the_remedy():
    schema = Schema.of(FRAME)
    other = FRAME.assign(category=["a"] * 39 + ["c"])
    with pytest.raises(wp.DataError, match=r"column 'category' has 'c' at row 39.*Schema\.of"):
        schema.encode(other)
    gaps = schema.encode(other, unseen_as_gaps=True)[:, 0]
    assert np.isnan(gaps[39])
    assert not np.isnan(gaps[:39]).any()


def test_other_columns_are_refused():
    schema = Schema.of(FRAME)
    with pytest.raises(wp.DataError, match=r"no \['real'\]"):
        schema.encode(FRAME.drop(columns="real"))
    with pytest.raises(wp.DataError, match=r"\['more'\], which were not"):
        schema.encode(FRAME.assign(more=1))
    with pytest.raises(wp.DataError, match="'real' held numbers, and holds text"):
        schema.encode(FRAME.assign(real="a"))
    with pytest.raises(wp.DataError, match="'date' held dates"):
        schema.encode(FRAME.assign(date=1.0))
    with pytest.raises(wp.DataError, match="frame of pandas or polars"):
        schema.encode(FRAME.to_numpy())
    # Their order does not matter, and those that are left out may be absent.
    mixed = FRAME[FRAME.columns[::-1]].drop(columns=["identifier", "empty"])
    np.testing.assert_array_equal(schema.encode(mixed), schema.encode(FRAME))


REFUSED = {
    "two levels of labels": (
        pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])),
        "2 levels",
    ),
    "a name twice": (pd.DataFrame([["x", 2]], columns=["a", "a"]), "more than once"),
    "a label that is no name": (pd.DataFrame({1.5: ["x"]}), "text or a whole number"),
    "lists": (pd.DataFrame({"k": [[1], [2]]}), "type list at row 0"),
    "intervals": (pd.DataFrame({"k": pd.cut([1, 2, 3], 2)}), "rename_categories"),
    "periods": (pd.DataFrame({"k": pd.period_range("2020", periods=3)}), "to_timestamp"),
    "complex numbers": (pd.DataFrame({"k": [1j, 2j]}), "two columns"),
    "structs": (pl.DataFrame({"k": [{"a": 1}, {"a": 2}]}), "several values"),
    "an array": (np.zeros((3, 2)), "pandas.DataFrame"),
    "too large": (pd.DataFrame({"k": objects([10**400, 1])}), "power of ten"),
}


@pytest.mark.parametrize(("frame", "said"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_schema_is_refused_with_the_remedy(frame, said):
    with pytest.raises(wp.DataError, match=said):
        Schema.of(frame)


def test_a_table_of_which_nothing_is_left_is_refused():
    frame = FRAME[["constant", "identifier"]]
    with pytest.raises(wp.DataError, match="all are left out"):
        Schema.of(frame).complete(frame)


def test_a_table_of_numbers_says_that_it_has_one_noise_and_where_zeros_are():
    frame = pd.DataFrame({"a": np.arange(40) / 3, "b": np.arange(40) % 2 * 1.5})
    schema = Schema.of_numbers(frame)
    first, second = str(schema).splitlines()[1:]
    assert "one for all" in first
    assert "zeros" not in first
    assert second.endswith("; 50% zeros")
