"""Rows with gaps, of every container that has them."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator

import wellposed as wp
from wellposed.estimators.data.rows import validate_rows

WHOLE = np.arange(12.0).reshape(4, 3)
GAPS = np.where(np.eye(4, 3, dtype=bool), np.nan, WHOLE)
LISTS = [[None if np.isnan(x) else x for x in row] for row in GAPS]
CONTAINERS = {
    "array": GAPS,
    "lists": LISTS,
    "masked": np.ma.array(WHOLE, mask=np.isnan(GAPS)),
    "frame": pd.DataFrame(GAPS),
    "nullable": pd.DataFrame(GAPS).astype("Int64"),
    "objects": pd.DataFrame(LISTS, dtype=object).where(~np.isnan(GAPS), pd.NA),
    "arrow": pa.table(
        {name: list(column) for name, column in zip("abc", zip(*LISTS, strict=True), strict=True)}
    ),
}


class Owner(BaseEstimator):
    def __init__(self, missing=None):
        self.missing = missing


class Without(BaseEstimator):
    pass


@pytest.mark.parametrize("rows", CONTAINERS.values(), ids=CONTAINERS)
def test_gaps_of_every_container_become_nan(rows):
    values = validate_rows(Owner(), rows, reset=True, gaps=True)
    assert values.dtype.kind == "f"
    np.testing.assert_array_equal(values, GAPS)
    with pytest.raises(wp.DataError, match='missing="ignorable"'):
        validate_rows(Owner(), rows, reset=True)


def test_the_remedy_is_named_where_the_estimator_has_it():
    with pytest.raises(wp.DataError, match="fill the gaps first") as refusal:
        validate_rows(Without(), GAPS, reset=True)
    assert "ignorable" not in str(refusal.value)


def test_columns_of_gaps_alone_are_refused_in_a_fit_only():
    frame = pd.DataFrame({"a": [1.0, 2.0], "dose": [np.nan, np.nan], "b": [1.0, np.nan]})
    owner = Owner()
    with pytest.raises(wp.DataError, match="1 of 3 have none, column 'dose'"):
        validate_rows(owner, frame, reset=True, gaps=True)
    validate_rows(owner, frame.fillna(0.0), reset=True, gaps=True)
    assert np.isnan(validate_rows(owner, frame, reset=False, gaps=True)[:, 1]).all()


def test_infinity_is_refused_beside_gaps():
    rows = np.array([[1.0, np.nan], [-np.inf, 2.0]])
    with pytest.raises(wp.DataError, match="1 of 4 entries are inf, the first at row 1, column 0"):
        validate_rows(Owner(), rows, reset=True, gaps=True)
    with pytest.raises(wp.DataError) as refusal:
        validate_rows(Owner(), np.nan_to_num(rows, nan=0.0, neginf=-np.inf), reset=True)
    assert "ignorable" not in str(refusal.value)
