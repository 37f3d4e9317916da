"""Labels of any kind, with gaps of any kind."""

import numpy as np
import pandas as pd
import pytest

from wellposed import DataError
from wellposed.estimators.few_labels.targets import read_classes, read_real

TEXT = ["b", "a", None, "b"]


@pytest.mark.parametrize(
    ("y", "classes", "codes"),
    [
        ([1, 0, -1, 1], [0, 1], [1, 0, -1, 1]),
        ([3.0, 0.0, np.nan, 3.0], [0.0, 3.0], [1, 0, -1, 1]),
        ([3, 0, None, 3], [0, 3], [1, 0, -1, 1]),
        (TEXT, ["a", "b"], [1, 0, -1, 1]),
        (["b", "a", -1, "b"], ["a", "b"], [1, 0, -1, 1]),
        (["b", "a", -1.0, "b"], ["a", "b"], [1, 0, -1, 1]),
        (["b", "a", float("nan"), "b"], ["a", "b"], [1, 0, -1, 1]),
        ([True, False, None, True], [False, True], [1, 0, -1, 1]),
        (np.array(TEXT, object), ["a", "b"], [1, 0, -1, 1]),
        (np.array(["b", "a", "c", "b"]), ["a", "b", "c"], [1, 0, 2, 1]),
        (np.ma.array([5, 2, 7, 5], mask=[0, 0, 1, 0]), [2, 5], [1, 0, -1, 1]),
        (pd.Series(TEXT), ["a", "b"], [1, 0, -1, 1]),
        (pd.Series(TEXT, dtype="string"), ["a", "b"], [1, 0, -1, 1]),
        (pd.Series([3, 0, None, 3], dtype="Int64"), [0, 3], [1, 0, -1, 1]),
        (pd.Series([True, False, pd.NA, True], dtype="boolean"), [False, True], [1, 0, -1, 1]),
        (pd.Categorical(TEXT), ["a", "b"], [1, 0, -1, 1]),
        (pd.Categorical(TEXT, ["b", "z", "a"]), ["a", "b", "z"], [1, 0, -1, 1]),
        (pd.Series(TEXT, dtype="category"), ["a", "b"], [1, 0, -1, 1]),
    ],
    ids=str,
)
def test_labels_are_read(y, classes, codes):
    found = read_classes(y, 4)
    assert found.classes.tolist() == classes
    assert found.codes.tolist() == codes


def test_polars_columns_are_read():
    polars = pytest.importorskip("polars")
    assert read_classes(polars.Series(TEXT), 4).codes.tolist() == [1, 0, -1, 1]


def test_declared_classes_without_an_example_are_not_present():
    found = read_classes([4, 2, None, 4], 4, declared=[0, 2, 4])
    assert (found.classes.tolist(), found.present.tolist()) == ([0, 2, 4], [1, 2])
    np.testing.assert_array_equal(found.of_present(), [1, 0, np.nan, 1])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([-1, -1, None, np.nan], "none of the 4 rows has one"),
        ([2, 2, -1, -1], "got one class, 2"),
        ([1, "a", None, 2], "of one kind; got numbers and text"),
        ([True, 2, None, 2], "booleans and numbers"),
        (np.array(["b", "a", -1, "b"]), "'-1' beside 'a', 'b', which numpy makes of a number -1"),
        (np.array(["2", "1", -1, "2"]), "which numpy makes of a number -1"),
        (np.array([2, 1, 255, 2], np.uint8), "which numpy makes of a number -1"),
        ([0.5, 1.5, np.nan, 2.0], "Unknown label type: continuous"),
        ([np.inf, 1.0, 0.0, 2.0], "got infinity"),
        ([1, 2, 3], "got 3 labels for 4 rows"),
        (None, "the target y is None"),
        (np.zeros((4, 2)), r"shape \(4, 2\)"),
    ],
    ids=str,
)
def test_bad_labels_are_refused(y, message):
    with pytest.raises(DataError, match=message):
        read_classes(y, 4)


def test_a_declared_class_may_be_the_text_of_the_code():
    found = read_classes(["1", "-1", None, "1"], 4, declared=["1", "-1"])
    assert (found.classes.tolist(), found.codes.tolist()) == (["-1", "1"], [1, 0, -1, 1])


def test_labels_beyond_the_declared_classes_are_refused():
    with pytest.raises(DataError, match="declared classes, 'a', 'c'; got 'b'"):
        read_classes(["b", "a", None, "b"], 4, declared=["a", "c"])
    with pytest.raises(DataError, match="declared classes, 0, 1; got 'a', 'b'"):
        read_classes(TEXT, 4, declared=[0, 1])


@pytest.mark.parametrize(
    "y", [[1.5, None, 2], [1.5, np.nan, 2.0], pd.Series([1.5, pd.NA, 2.0], dtype="Float64")]
)
def test_real_labels_have_gaps(y):
    np.testing.assert_array_equal(read_real(y, 3), [1.5, np.nan, 2.0])


def test_a_real_label_of_minus_one_is_a_label():
    np.testing.assert_array_equal(read_real([-1.0, 2.0], 2), [-1.0, 2.0])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([np.nan, None], "got 0 labels"),
        ([1.0, 1.0], "got 2 labels of 1 values"),
        ([1.0, np.inf], "1 of 2 are infinite"),
        (["a", 1.0], "must be numbers"),
    ],
    ids=str,
)
def test_bad_real_labels_are_refused(y, message):
    with pytest.raises(DataError, match=message):
        read_real(y, 2)


def test_spread_labels_have_the_weights_of_their_classes():
    targets = read_classes(np.array(["a", "b", None, None, "a"], object), 5, None)
    weights = targets.label_weights({"a": 3.0, "b": 0.5})
    np.testing.assert_array_equal(weights, [3.0, 0.5, 1.0, 1.0, 3.0])
    labels = targets.of_present()
    np.testing.assert_array_equal(targets.weights_of(labels, weights), weights)
    labels[2] = 1.0  # spread
    np.testing.assert_array_equal(targets.weights_of(labels, weights), [3.0, 0.5, 0.5, 1.0, 3.0])
