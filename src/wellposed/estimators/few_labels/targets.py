"""Labels with gaps, of classes or real, as numbers for a training."""

import dataclasses
import itertools
import warnings
from collections.abc import Sequence
from numbers import Number, Real
from typing import Any

import numpy as np
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.class_weight import compute_sample_weight

from wellposed._errors import DataError, SettingError

_SHOWN = 5  # labels in a message


@dataclasses.dataclass(frozen=True, eq=False)
class ClassTargets:
    """Classes of rows, of which some have none.

    Parameters
    ----------
    classes : all classes, declared ones without an example among them, sorted; shape (K,)
    codes : position in ``classes`` of each row's label, −1 where it has none; shape (n,)
    """

    classes: np.ndarray
    codes: np.ndarray

    @property
    def labelled(self) -> np.ndarray:
        """Positions of the rows with a label."""
        return np.flatnonzero(self.codes >= 0)

    @property
    def present(self) -> np.ndarray:
        """Positions in ``classes`` of those with an example, shape (C,)."""
        return np.unique(self.codes[self.labelled])

    def of_present(self) -> np.ndarray:
        """Return the label of each row as a position in ``present``, NaN where it has none."""
        labels = np.searchsorted(self.present, self.codes).astype(np.float64)
        return np.where(self.codes >= 0, labels, np.nan)

    def weights_of(self, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return the weight of each row's class, given or spread; one where it has none.

        Parameters
        ----------
        labels : as of :meth:`of_present`, further rows' among them
        weights : of :meth:`label_weights`
        """
        known, of_class = self.labelled, np.ones(len(self.present))
        of_class[self.of_present()[known].astype(int)] = weights[known]
        return np.where(np.isnan(labels), 1.0, of_class[np.nan_to_num(labels).astype(int)])

    def label_weights(self, class_weight: Any) -> np.ndarray:
        """Return the weight of each row's label, one where it has none, shape (n,).

        Parameters
        ----------
        class_weight : None, "balanced" or dict {class: weight}

        Raises
        ------
        SettingError
            For other values, negative weights, and those of which none is above zero.
        """
        weights, known = np.ones(len(self.codes)), self.labelled
        labels = self.classes[self.codes[known]]
        try:
            weights[known] = compute_sample_weight(class_weight, labels)
        except (ValueError, TypeError) as error:
            raise SettingError(
                f'class_weight must be None, "balanced" or a dict of classes; {error}'
            ) from error
        if not ((weights >= 0).all() and weights[known].sum() > 0):
            raise SettingError(
                f"class_weight must be at least zero; got {class_weight!r}. Leave out rows that "
                "should not count."
            )
        return weights


def read_classes(
    y: Any, n: int, declared: Any = None, kept: np.ndarray | None = None
) -> ClassTargets:
    """Read labels of any kind; −1, None, NaN, pandas.NA and masked entries are no label.

    Parameters
    ----------
    y : array-like or column of n labels: numbers, text or booleans
    n : number of rows
    declared : classes, or None for those of the labels, or the categories of a categorical
    kept : mask of the rows that count, shape (n,); None is all

    Raises
    ------
    DataError
        For labels of another number or of several kinds, fractions, no label at all or of one
        class alone, and labels that are not declared.
    """
    if declared is None:
        _check_unsigned(y)
    cells, categories = _cells(y, n, kept)
    n = len(cells)
    known = np.array([not _is_gap(cell) for cell in cells])
    if not known.any():
        raise DataError(
            f"Some rows must have a label; none of the {n} rows has one: all are -1, None or NaN. "
            "Label a few rows of each class, or fit wellposed.VAE, which takes none."
        )
    labels = _array_of([cell for cell in cells if not _is_gap(cell)])
    declared = categories if declared is None else list(declared)
    _check_no_code(labels, declared is not None)
    classes = np.unique(labels) if declared is None else _declared(declared, labels)
    codes = np.full(n, -1)
    codes[known] = np.searchsorted(classes, labels)
    found = ClassTargets(classes, codes)
    if len(found.present) < 2:
        raise DataError(
            f"Labels must be of two classes or more; got one class, {_listed(labels)}, for "
            f"{len(labels)} rows. Label rows of another class as well."
        )
    return found


def read_real(y: Any, n: int, kept: np.ndarray | None = None) -> np.ndarray:
    """Read real labels, NaN where a row has none; shape (n,), float64.

    Parameters
    ----------
    y, n, kept : as of :func:`read_classes`

    Raises
    ------
    DataError
        For labels of another number, infinite ones or none, and fewer than two different ones.
    """
    cells, _ = _cells(y, n, kept)
    n = len(cells)
    gaps = [_is_missing(cell) for cell in cells]
    try:
        values = [np.nan if gap else float(c) for c, gap in zip(cells, gaps, strict=True)]
    except (TypeError, ValueError) as error:
        raise DataError(
            f"Labels of a regression must be numbers; {error}. Use SemiSupervisedVAE for classes."
        ) from error
    labels = np.array(values, np.float64)
    if np.isinf(labels).any():
        raise DataError(
            f"Labels must be finite or missing; {np.isinf(labels).sum()} of {n} are infinite. Set "
            "them to NaN if they are unknown."
        )
    if len(np.unique(labels[~np.isnan(labels)])) < 2:
        raise DataError(
            f"Labels must have two values or more; got {int((~np.isnan(labels)).sum())} labels of "
            f"{len(np.unique(labels[~np.isnan(labels)]))} values for {n} samples. Label more."
        )
    return labels


def _cells(y: Any, n: int, kept: np.ndarray | None = None) -> tuple[list[Any], list[Any] | None]:
    """Return the labels of the rows that count, one by one, and the categories of a categorical."""
    cells, categories = _all_cells(y, n)
    return cells if kept is None else list(itertools.compress(cells, kept)), categories


def _all_cells(y: Any, n: int) -> tuple[list[Any], list[Any] | None]:
    if y is None:
        raise DataError(
            "fit requires y to be passed, but the target y is None. Pass one label a row, -1 "
            "where it is unknown."
        )
    if type(y).__name__ == "Categorical" or str(getattr(y, "dtype", "")) == "category":
        categorical = getattr(y, "cat", y)
        categories = list(categorical.categories)
        return _check_number(list(y), n), categories
    column = y.to_numpy() if hasattr(y, "to_numpy") else y
    if isinstance(column, np.ma.MaskedArray):
        masked, column = np.ma.getmaskarray(column), column.data.astype(object)
        column[masked] = None
    values = np.asarray(column) if isinstance(column, np.ndarray) else _as_objects(column)
    if values.ndim == 2 and values.shape[1] == 1:
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected. Please change the shape "
            "of y to (n_samples,), for example using ravel().",
            DataConversionWarning,
            stacklevel=6,
        )
        values = values[:, 0]
    if values.ndim != 1:
        raise DataError(
            f"There must be one label a row; got y should be a 1d array, got an array of shape "
            f"{values.shape} instead. Pass y of shape ({n},)."
        )
    return _check_number(values.tolist() if values.dtype.kind != "O" else list(values), n), None


def _as_objects(column: Any) -> np.ndarray:
    """Return a sequence as an array of its own cells: numbers beside text stay numbers."""
    if hasattr(column, "__array__"):
        return np.asarray(column)
    cells = list(column)
    if any(isinstance(cell, (list, tuple, np.ndarray)) for cell in cells):
        return np.asarray(column)
    values = np.empty(len(cells), object)
    values[:] = cells
    return values


def _check_number(cells: list[Any], n: int) -> list[Any]:
    if len(cells) != n:
        raise DataError(
            f"There must be one label a row; got {len(cells)} labels for {n} rows: inconsistent "
            "numbers of samples. Pass a label for each row, -1 where it is unknown."
        )
    return cells


def _is_missing(cell: Any) -> bool:
    if cell is None or type(cell).__name__ in ("NAType", "NaTType", "MaskedConstant"):
        return True
    return isinstance(cell, Real) and bool(np.isnan(float(cell)))


def _is_gap(cell: Any) -> bool:
    if _is_missing(cell):
        return True
    number = isinstance(cell, Number) and not isinstance(cell, (bool, np.bool_))
    return number and cell == -1


def _array_of(labels: list[Any]) -> np.ndarray:
    """Return labels of one kind as an array."""
    kinds = {_kind(label) for label in labels}
    if len(kinds) > 1:
        shown = {_kind(label): label for label in labels}
        raise DataError(
            f"Labels must be of one kind; got {' and '.join(sorted(kinds))}, such as "
            f"{_listed(list(shown.values()))}. Convert them to text or to numbers, and leave "
            "unknown labels at -1 or None."
        )
    if kinds == {"text"}:
        return np.array([str(label) for label in labels])
    array = np.array(labels)
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise DataError(
                "Labels must be finite or missing; got infinity. Input y contains infinity or a "
                "value too large for dtype('float64'). Set it to -1 if it is unknown."
            )
        if (array % 1 != 0).any():
            raise DataError(
                f"Labels must be classes; got fractions, such as {_listed(array[array % 1 != 0])}: "
                "Unknown label type: continuous. Use SemiSupervisedRegressor for a real label."
            )
    return array


def _check_no_code(labels: np.ndarray, declared: bool) -> None:
    """Refuse the text "-1", unless classes are declared: NumPy makes it of a −1 beside text."""
    if declared or labels.dtype.kind != "U" or "-1" not in labels:
        return
    raise DataError(
        f"An unknown label beside text must be None, NaN or the number -1; got the text '-1' "
        f"beside {_listed(np.unique(labels[labels != '-1']))}, which numpy makes of a number -1 "
        "beside text. Pass a list or an array of dtype object; or declare classes=, if '-1' is "
        "one of them."
    )


def _check_unsigned(y: Any) -> None:
    """Refuse the largest number of an unsigned type: NumPy makes it of a −1 beside such labels."""
    dtype = getattr(y, "dtype", None)
    if not isinstance(dtype, np.dtype) or dtype.kind != "u":
        return
    most = int(np.iinfo(dtype).max)
    if (np.asarray(y) == most).any():
        raise DataError(
            f"Labels of an unsigned type cannot be -1; got {most} in y of dtype {dtype}, which "
            "numpy makes of a number -1. Convert the labels first, y.astype(int); or declare "
            f"classes=, if {most} is one of them."
        )


def _kind(label: Any) -> str:
    if isinstance(label, (bool, np.bool_)):
        return "booleans"
    if isinstance(label, Real):
        return "numbers"
    if isinstance(label, str):
        return "text"
    return type(label).__name__


def _declared(declared: Sequence[Any], labels: np.ndarray) -> np.ndarray:
    classes = np.unique(_array_of([c for c in declared if not _is_missing(c)]))
    kinds = {"text" if part.dtype.kind == "U" else "numbers" for part in (classes, labels)}
    beyond = np.unique(labels) if len(kinds) > 1 else np.setdiff1d(labels, classes)
    if len(beyond):
        raise DataError(
            f"Labels must be among the declared classes, {_listed(classes)}; got "
            f"{_listed(beyond)}. Declare these as well, or correct them."
        )
    return classes


def _listed(labels: Any) -> str:
    cells = list(dict.fromkeys(getattr(c, "item", lambda c=c: c)() for c in labels))
    more = f" and {len(cells) - _SHOWN} more" if len(cells) > _SHOWN else ""
    return ", ".join(map(repr, cells[:_SHOWN])) + more
