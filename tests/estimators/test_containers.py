"""The data decide the model, not what they come in: one gate reads or refuses every container."""

import datetime
import decimal
import fractions

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator

import wellposed as wp
from textbook import textbook_vae
from wellposed import transforms
from wellposed._errors import DataError
from wellposed.estimators.data.rows import validate_rows

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")  # short trainings
SMALL = {"hidden": (8,), "max_epochs": 2, "random_state": 0, "progress": False}
D = 4


def whole_table(n: int = 60) -> np.ndarray:
    """Whole numbers in several units: answers of 1 to 7 beside thousands, and a sparse column."""
    draws = np.random.default_rng(0)
    trait = draws.normal(size=n)
    answers = np.clip(np.round(4 + trait + draws.normal(size=n)), 1, 7)
    people = np.round(3_000 + 900 * trait + 500 * draws.normal(size=n))
    years = draws.integers(1, 9, n)
    return np.column_stack([answers, people, years, draws.integers(0, 2, n)])


TABLE = whole_table()
NAMES = list("abcd")
REFERENCE = TABLE.astype(np.float64)
FRAME = pd.DataFrame(TABLE.astype(np.int64), columns=NAMES)


class OffersAnArray:
    """As tensors of other libraries do."""

    def __array__(self, dtype=None, copy=None):
        return REFERENCE


class Refuses:
    """As a tensor that is part of a gradient does."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("requires grad")


def structured() -> np.ndarray:
    kinds = [(name, kind) for name, kind in zip(NAMES, ("i1", "f8", "u2", "?"), strict=True)]
    return np.array([tuple(row) for row in TABLE], dtype=kinds)


WHOLE = {
    **{
        kind: TABLE.astype(kind)
        for kind in ("i2", "u2", "i4", "i8", "u8", ">i4", "f4", ">f8", "longdouble", "object")
    },
    "list": TABLE.astype(int).tolist(),
    "tuple of arrays": tuple(TABLE),
    "decimals": [[decimal.Decimal(int(v)) for v in row] for row in TABLE],
    "fractions": [[fractions.Fraction(int(v)) for v in row] for row in TABLE],
    "matrix": np.asmatrix(TABLE),
    "read-only": np.broadcast_to(TABLE, TABLE.shape),
    "Fortran order": np.asfortranarray(TABLE),
    "strided": np.repeat(TABLE, 2, axis=1)[:, ::2],
    "masked, none hidden": np.ma.array(TABLE),
    "offers an array": OffersAnArray(),
    "structured": structured(),
    "records": structured().view(np.recarray),
    "frame": FRAME,
    "nullable": FRAME.astype("Int64"),
    "nullable floats": FRAME.astype("Float64"),
    "Arrow-backed": FRAME.astype("int64[pyarrow]"),
    "frame of objects": FRAME.astype(object),
    "frame of types": FRAME.astype({"a": "int8", "b": "float32", "c": "category", "d": bool}),
    "sparse frame": pd.DataFrame.sparse.from_spmatrix(sp.csr_array(TABLE)),
    "labelled rows": FRAME.set_index(pd.date_range("2020-01-01", periods=len(FRAME))),
    "two names alike": FRAME.set_axis(["a", "b", "b", "d"], axis=1),
    "mixed names": FRAME.set_axis(["a", 1, "c", 2.5], axis=1),
    "two levels of names": FRAME.set_axis(pd.MultiIndex.from_product([["u", "v"], [1, 2]]), axis=1),
    "Arrow table": pa.Table.from_pandas(FRAME),
    "Arrow batch": pa.RecordBatch.from_pandas(FRAME),
    **{
        f"{kind}_{of}": getattr(sp, f"{kind}_{of}")(TABLE)
        for kind in ("csr", "csc", "coo", "bsr", "lil", "dok")
        for of in ("matrix", "array")
    },
}


@pytest.mark.parametrize("given", WHOLE.values(), ids=WHOLE)
def test_equal_numbers_are_equal_rows(given):
    rows = validate_rows(BaseEstimator(), given, reset=True)
    np.testing.assert_array_equal(rows, REFERENCE)
    assert rows.dtype.isnative
    assert rows.dtype in (np.float32, np.float64)


@pytest.fixture(scope="module")
def reference():
    return textbook_vae(2, **SMALL).fit(REFERENCE)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize(
    "which", ["i8", "f4", "object", "list", "nullable", "Arrow table", "csr_array"]
)
def test_one_model_whatever_the_container(reference, which):
    vae = textbook_vae(2, **SMALL).fit(WHOLE[which])
    assert vae.one_scale_ is reference.one_scale_ is False
    np.testing.assert_array_equal(vae.elbo(REFERENCE), reference.elbo(REFERENCE))
    np.testing.assert_array_equal(
        reference.elbo(TABLE.astype(int)[:9]), reference.elbo(REFERENCE)[:9]
    )


@pytest.mark.parametrize("kind", ["csv", "parquet", "npy", "npz"])
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_files_are_the_model_of_their_numbers(reference, kind, tmp_path):
    path = tmp_path / f"table.{kind}"
    match kind:
        case "csv":
            FRAME.to_csv(path, index=False)
        case "parquet":
            pq.write_table(pa.Table.from_pandas(FRAME), path)
        case "npy":
            np.save(path, TABLE.astype(np.uint16))
        case "npz":
            sp.save_npz(path, sp.csr_array(TABLE))
    vae = textbook_vae(2, **SMALL).fit(path)
    np.testing.assert_array_equal(vae.elbo(path), reference.elbo(REFERENCE))
    if kind in ("csv", "parquet"):
        assert vae.feature_names_in_.tolist() == NAMES


def test_polars_is_its_numbers(reference):
    import polars

    frame = polars.DataFrame({name: FRAME[name].to_numpy() for name in NAMES})
    for given in (frame, frame.cast(polars.Int128), frame.with_columns(polars.col("d").cast(bool))):
        np.testing.assert_array_equal(validate_rows(BaseEstimator(), given, reset=True), REFERENCE)
    for values, kind in (
        (["x", "y"], polars.String),
        (["x", "y"], polars.Categorical),
        ([[1], [2]], None),
        ([datetime.date(2020, 1, 1)] * 2, None),
    ):
        bad = polars.DataFrame({"a": [1.0, 2.0], "k": polars.Series(values, dtype=kind)})
        with pytest.raises(DataError, match=r"column 'k' holds .*indicator columns"):
            wp.PPCA(1).fit(bad)
    for given, said in ((frame.lazy(), "collect"), (frame["a"], "to_frame")):
        with pytest.raises(DataError, match=said):
            wp.PPCA(1).fit(given)


@pytest.mark.parametrize("kind", ["f4", "f8", "longdouble", "f2"])
def test_fractions_have_one_summary_in_every_type(kind):
    """Halves and quarters, which all of these types hold."""
    rows = np.random.default_rng(1).integers(-40, 40, size=(80, 3)) / np.array([2, 4, 8])
    found = transforms.summarise(validate_rows(BaseEstimator(), rows.astype(kind), reset=True))
    expected = transforms.summarise(rows)
    for part in ("mean", "variance", "resolution", "low", "high"):
        np.testing.assert_array_equal(getattr(found, part), getattr(expected, part))


@pytest.mark.parametrize("kind", ["u1", "i4", "i8", "f4", "f8"])
def test_whole_numbers_have_one_summary_in_every_type(kind):
    rows = np.random.default_rng(2).choice([0, 3, 5, 200], size=(500, 3))
    found = transforms.summarise(rows.astype(kind))
    np.testing.assert_array_equal(found.resolution, [2, 2, 2])
    assert found.whole
    assert found.one_unit
    np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(found.variance, rows.var(axis=0), rtol=1e-13)


def test_one_scale_only_where_features_share_a_range_of_levels():
    draws = np.random.default_rng(3)
    answers = draws.integers(1, 8, size=(50, 4))
    assert transforms.share_levels(answers)
    assert transforms.share_levels(answers.astype(float))
    assert not transforms.share_levels(answers + 0.5)  # no whole numbers
    assert not transforms.share_levels(answers * 100)  # no levels
    for other in (draws.integers(0, 101, 50), draws.integers(0, 2, 50)):
        assert not transforms.share_levels(np.column_stack([answers, other]))
    constant = np.column_stack([answers, np.full(50, 9_000)])
    assert transforms.share_levels(constant)  # a constant has no scale


def test_an_image_shape_gives_one_scale_and_is_the_only_thing_that_does():
    rows = np.random.default_rng(4).normal(size=(40, D)) * [1, 1, 1, 50]
    assert textbook_vae(2, **SMALL, image_shape=(2, 2)).fit(rows).one_scale_ is True
    assert textbook_vae(2, **SMALL).fit(rows).one_scale_ is False
    assert textbook_vae(2, **SMALL, transform="identity").fit(rows).one_scale_ is None


def test_draws_of_a_column_have_its_own_spread(reference):
    """One scale for all gave answers of 1 to 7 the spread of the thousands beside them."""
    drawn = reference.sample(500)
    assert drawn[:, 0].std() < 3 * TABLE[:, 0].std()


def frame_with(column) -> pd.DataFrame:
    return pd.DataFrame({"a": np.arange(6.0), "k": column})


WHEN = pd.Series(pd.date_range("2020-01-01", periods=6))
NOT_NUMBERS = {
    "text": list("xyxyxy"),
    "text of numbers": list("123456"),
    "category of text": pd.Categorical(list("xyxyxy")),
    "dates": WHEN,
    "durations": WHEN - WHEN[0],
    "dates of a zone": WHEN.dt.tz_localize("UTC"),
    "periods": WHEN.dt.to_period("D"),
    "intervals": pd.cut(np.arange(6.0), 3),
    "Python dates": WHEN.dt.date,
    "times": [datetime.time(1)] * 6,
    "NaT": [1.0, pd.NaT, 3.0, 4.0, 5.0, 6.0],
    "Arrow dates": pd.array([datetime.date(2020, 1, 1)] * 6, pd.ArrowDtype(pa.date32())),
    "lists": [[1]] * 6,
    "dicts": [{"a": 1}] * 6,
    "complex": [1j] * 6,
    "complex objects": pd.Series([1j] * 6, dtype=object),
    "too large": pd.Series([10**400] * 6, dtype=object),
    "gap": [1.0, None, 3.0, 4.0, 5.0, 6.0],
    "nullable gap": pd.array([1, None, 3, 4, 5, 6], "Int64"),
    "object gap": pd.Series([1, pd.NA, 3, 4, 5, 6], dtype=object),
    "category gap": pd.Categorical([1, None, 1, 2, 2, 1]),
    "infinite": [1.0, np.inf, 3.0, 4.0, 5.0, 6.0],
    "indistinct": np.arange(6, dtype=np.uint64) + np.uint64(2**64 - 7),
}


@pytest.mark.parametrize("column", NOT_NUMBERS.values(), ids=NOT_NUMBERS)
@pytest.mark.parametrize("model", [wp.PPCA(1), textbook_vae(1, **SMALL)], ids=["PPCA", "VAE"])
def test_what_is_no_number_is_refused_by_the_columns_name(model, column):
    with pytest.raises(DataError, match=r"column 'k'") as caught:
        model.fit(frame_with(column))
    assert any(
        word in str(caught.value) for word in ("Convert", "Pass", "Drop", "Divide", "Subtract")
    )


STRANGE = {
    "one axis": (REFERENCE[:, 0], "Reshape your data"),
    "series": (FRAME["a"], r"Reshape your data: X.to_frame\(\)"),
    "Arrow array": (pa.array([1, 2]), "Reshape your data"),
    "number": (3, "Reshape your data"),
    "None": (None, "got a builtins.NoneType"),
    "function": (len, "NumPy array"),
    "dict": ({"a": [1, 2]}, "pandas.DataFrame"),
    "records as dicts": ([{"a": 1}, {"a": 2}], "pandas.DataFrame"),
    "generator": ((row for row in TABLE), "list"),
    "set": ({1, 2}, "list"),
    "empty": (np.empty((0, 3)), r"0 sample\(s\)"),
    "no features": (np.empty((5, 0)), r"0 feature\(s\)"),
    "empty frame": (pd.DataFrame(), r"0 sample\(s\)"),
    "ragged": ([[1, 2], [3]], "row 1 has 1 and row 0 has 2"),
    "ragged below": ([[[1, 2], 3], [4, 5]], "cannot be read as an array"),
    "None within": ([[1, None], [2, 3]], "row 0, column 1"),
    "text within": ([[1, "a"], [2, "b"]], "column 1 holds text"),
    "masked": (np.ma.array(TABLE, mask=np.eye(len(TABLE), D, k=-1)), "row 1, column 0"),
    "masked rows": ([np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2])], "row 0, column 1"),
    "masked constant": ([[1.0, np.ma.masked], [2.0, 3.0]], "row 0, column 1"),
    "masked records": (np.ma.array(structured(), mask=True), "NaN"),
    "several a field": (np.zeros(3, [("a", "f8", 2)]), "column 'a'"),
    "void": (np.zeros((2, 2), "V8"), "holds entries of type"),
    "text array": (np.array([["a", "b"], ["c", "d"]]), "holds text"),
    "dates": (np.zeros((2, 2), "M8[D]"), "dates to days"),
    "complex": (TABLE * 1j, "Complex data not supported"),
    "sparse complex": (sp.csr_array(TABLE * 1j), "Complex data not supported"),
    "sparse of one axis": (sp.coo_array(TABLE[:, 0]), "Reshape your data"),
    "sparse, too large": (sp.csr_array((10**6, 10**6)), "TruncatedSVD"),
    "beyond float64": (np.full((3, 2), np.longdouble("1e400")), "power of ten"),
    "its own error": (Refuses(), "requires grad"),
    "array within": (np.array([[np.ones(2), 1], [2, 3]], object), "column 0 holds array"),
}


@pytest.mark.parametrize(("given", "said"), STRANGE.values(), ids=STRANGE)
def test_what_is_no_table_is_refused_with_the_remedy(given, said):
    with pytest.raises(DataError, match=said):
        wp.PPCA(1).fit(given)


def test_an_extended_float_beyond_the_range_is_a_gap_of_no_kind():
    with pytest.raises(DataError, match=r"at most 1\.8e"):
        wp.PPCA(1).fit(
            pd.DataFrame({"a": [1.0, 2.0], "k": np.array(["1", "1e4000"], np.longdouble)})
        )
