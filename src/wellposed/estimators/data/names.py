"""Names and number of features: stored by fit and compared afterwards, as in scikit-learn."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from wellposed._errors import DataError

from .table import Table

_MOST = 5  # maximum number of names in a message


def keep_features(estimator: Any, table: Table) -> None:
    """Set ``n_features_in_`` and, where the data name their columns, ``feature_names_in_``."""
    estimator.n_features_in_ = table.values.shape[1]
    estimator._labels_in = table.labels
    if table.names is not None:
        estimator.feature_names_in_ = np.array(table.names, dtype=object)
    elif hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_


def check_features(estimator: Any, table: Table) -> None:
    """Compare the columns with those of the fit.

    Raises
    ------
    DataError
        For columns with other names or in another order, and for another number of them, in
        scikit-learn's words.
    """
    fitted = getattr(estimator, "feature_names_in_", None)
    who = type(estimator).__name__
    if fitted is not None:
        given = table.names
        if given is None and table.labels is not None and set(table.labels) == set(fitted):
            given = table.labels  # whole numbers as labels, and the same as text at fit
        if given is None:
            _check_number(estimator, table, who)
            warnings.warn(
                f"X does not have valid feature names, but {who} was fitted with feature names",
                stacklevel=2,
            )
        elif tuple(given) != tuple(fitted):
            raise DataError(_mismatch(tuple(fitted), tuple(given)))
    elif table.names is not None:
        warnings.warn(
            f"X has feature names, but {who} was fitted without feature names", stacklevel=2
        )
    else:
        _check_order(getattr(estimator, "_labels_in", None), table.labels)
    _check_number(estimator, table, who)


def _check_order(fitted: Sequence[str] | None, given: Sequence[str] | None) -> None:
    """Compare labels that are whole numbers: they are no names, but their order counts."""
    if given is None:
        return
    expected = tuple(fitted or map(str, range(len(given))))
    if set(expected) == set(given) and expected != tuple(given):
        raise DataError(_mismatch(expected, tuple(given)))


def _mismatch(fitted: tuple[str, ...], given: tuple[str, ...]) -> str:
    lines = ["The feature names should match those that were passed during fit."]
    unseen, missing = sorted(set(given) - set(fitted)), sorted(set(fitted) - set(given))
    if unseen:
        lines += ["Feature names unseen at fit time:", *_lines(unseen)]
    if missing:
        lines += ["Feature names seen at fit time, yet now missing:", *_lines(missing)]
    if not unseen and not missing:
        lines.append("Feature names must be in the same order as they were in fit.")
    lines.append(
        f"Pass the columns {', '.join(map(repr, fitted[:8]))}{_more(fitted)} in this order."
    )
    return "\n".join(lines) + "\n"


def _more(names: Sequence[str]) -> str:
    return "" if len(names) <= 8 else f" and {len(names) - 8} more"


def _lines(names: Sequence[str]) -> list[str]:
    listed = [f"- {name}" for name in names[:_MOST]]
    return listed if len(names) <= _MOST else [*listed, "- ..."]


def _check_number(estimator: Any, table: Table, who: str) -> None:
    d, expected = table.values.shape[1], estimator.n_features_in_
    shape = getattr(estimator, "image_shape_", None)
    if d != expected:
        remedy = "Pass the columns of the fit."
        if shape is not None and tuple(table.values.shape) == tuple(shape[:2]):
            remedy = "Pass one image as X[None], an array of one row."
        raise DataError(
            f"X has {d} features, but {who} is expecting {expected} features as input. {remedy}"
        )
    if shape is not None and not same_image(table.image_shape, shape):
        raise DataError(
            f"Images must have the shape of those of the fit, {tuple(shape)}; got "
            f"{tuple(table.image_shape or ())}. Transpose or resize them."
        )


def same_image(given: Sequence[int] | None, wanted: Sequence[int] | None) -> bool:
    """Whether two image shapes are equal up to a channel axis of length 1; None equals any."""
    if given is None or wanted is None:
        return True
    plain = [
        tuple(shape[:2]) if tuple(shape[2:]) == (1,) else tuple(shape) for shape in (given, wanted)
    ]
    return plain[0] == plain[1]
