"""Rows in any container, split into the columns of a model and the covariates that it is given."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wellposed._errors import DataError, SettingError
from wellposed.tables import Covariates, Schema
from wellposed.tables._cells import Cells
from wellposed.tables._frames import Frame

from .mixed import open_rows, open_to_fit, read_mixed
from .rows import open_table
from .table import Table

KINDS = ("number", "category")


def listed(setting: Any) -> dict[Any, str | None] | None:
    """Return the covariates of a setting and their kinds, where they are given; None is none.

    Parameters
    ----------
    setting : of the estimator: names or positions, or a mapping of these to kinds

    Raises
    ------
    SettingError
        For what is neither, names that repeat, and unknown kinds.
    """
    if setting is None:
        return None
    if isinstance(setting, (str, bytes)) or not isinstance(
        setting, (Mapping, Sequence, np.ndarray)
    ):
        raise SettingError(
            "covariates must be a list of names or positions of columns, or a mapping of them to "
            f'"number" or "category"; got {setting!r}. Pass covariates=[{setting!r}].'
        )
    names = [name.item() if isinstance(name, np.generic) else name for name in setting]
    wrong = [name for name in names if isinstance(name, bool) or not isinstance(name, (str, int))]
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if wrong or twice or not names:
        what = f"{wrong[0]!r}" if wrong else f"{twice[0]} twice" if twice else "none"
        raise SettingError(
            "Each covariate must be the name or the position of a column, listed once; got "
            f"{what}. Pass such as ['batch', 'age'], or None for a model without."
        )
    kinds = [setting[name] if isinstance(setting, Mapping) else None for name in setting]
    for kind in kinds:
        if kind not in (None, *KINDS):
            raise SettingError(
                f'The kind of a covariate must be "number" or "category"; got {kind!r}. '
                "Leave it None, and the cells decide."
            )
    return dict(zip(names, kinds, strict=True))


def open_to_condition(X: Any, noise: Any, setting: Any) -> Table:
    """Read rows to fit a conditional model to: the modelled columns, and the covariates beside.

    Parameters
    ----------
    X : rows in a container of any supported type, or a path
    noise, setting : of the estimator; without covariates as :func:`open_to_fit`

    Raises
    ------
    DataError
        As :func:`open_to_fit` does; for covariates that X does not have, that have gaps or do not
        vary, and if no column is left.
    """
    chosen = listed(setting)
    if chosen is None or isinstance(X, Table):
        return open_to_fit(X, noise)
    X = read_mixed(X)
    frame = Frame.of(X)
    if frame is None:
        return split_to_fit(open_table(X), setting)
    frame.check_labels()
    n, positions = len(frame.labels), places(list(chosen), frame.labels)
    _check_left(n, positions)
    cells = [frame.read(j) for j in positions]
    rest = frame.without(positions)
    if isinstance(noise, Schema):
        noise = noise.without([frame.labels[j] for j in positions])
    table = open_to_fit(rest, noise)
    if table.schema is None:
        table = dataclasses.replace(table, schema=Schema.of_numbers(rest))
    covariates, numbers = Covariates.of(cells, positions, n, list(chosen.values()))
    return dataclasses.replace(table, covariates=covariates, given=numbers)


def split_to_fit(whole: Table, setting: Any) -> Table:
    """Split rows of numbers as :func:`open_to_condition` does.

    Parameters
    ----------
    whole : rows with the covariates among their columns
    setting : of the estimator; None returns the rows
    """
    chosen = listed(setting)
    if chosen is None:
        return whole
    n = whole.values.shape[1]
    positions = places(list(chosen), whole.labels, n)
    _check_left(n, positions)
    kinds = list(chosen.values())
    covariates, numbers = Covariates.of(_cells(whole, positions), positions, n, kinds)
    return dataclasses.replace(_without(whole, positions), covariates=covariates, given=numbers)


def split(whole: Table, covariates: Covariates | None) -> Table:
    """Split rows of numbers as :func:`open_conditional` does.

    Parameters
    ----------
    whole : rows with the covariates among their columns
    covariates : of the model; None returns the rows
    """
    if covariates is None:
        return whole
    positions = _fitted_places(covariates, whole.labels, whole.values.shape[1])
    given = covariates.numbers(_cells(whole, positions))
    return dataclasses.replace(_without(whole, positions), given=given)


def open_conditional(
    X: Any, schema: Schema | None, covariates: Covariates | None, *, unseen_as_gaps: bool = False
) -> Table:
    """Read rows for a fitted model, as :func:`open_rows`, with the covariates beside.

    Parameters
    ----------
    X : rows in a container of any supported type, or a path
    schema : of the modelled columns; None for arrays
    covariates : of the model; None for a model without
    unseen_as_gaps : whether a level that the schema does not have is a missing cell

    Raises
    ------
    DataError
        As :func:`open_rows` does; for covariates that X does not have, gaps in them, and levels
        that had no row in the fit.
    """
    if covariates is None or isinstance(X, Table):
        return open_rows(X, schema, unseen_as_gaps=unseen_as_gaps)
    X = read_mixed(X)
    frame = Frame.of(X)
    if frame is None:
        return split(open_table(X), covariates)
    frame.check_labels()
    positions = _fitted_places(covariates, frame.labels, len(frame.labels))
    cells = [frame.read(j) for j in positions]
    table = open_rows(frame.without(positions), schema, unseen_as_gaps=unseen_as_gaps)
    return dataclasses.replace(table, given=covariates.numbers(cells))


def numbers_of(covariates: Covariates, values: Any) -> np.ndarray:
    """Return the numbers, shape (m, q), of covariates that a user passes.

    Parameters
    ----------
    covariates : of the model
    values : a frame that has the columns; or as :meth:`wellposed.tables.Covariates.of_values`

    Raises
    ------
    DataError
        For covariates that are missing or have gaps, and levels that had no row in the fit.
    """
    frame = Frame.of(values)
    if frame is None:
        return covariates.of_values(values)
    frame.check_labels()
    positions = places(covariates.names, frame.labels, named=True)
    return covariates.numbers([frame.read(j) for j in positions])


def with_given(rows: np.ndarray, table: Table, covariates: Covariates | None) -> np.ndarray:
    """Return rows of shape (n, d), each followed by what a conditional model takes, (n, d + c).

    Parameters
    ----------
    rows : of the table, as a model without covariates takes them
    table : read for a model with these covariates
    covariates : of the model; None returns the rows
    """
    if covariates is None or table.given is None:
        return rows
    small = rows.dtype.kind in "iu" and rows.dtype.itemsize < 4
    coded = covariates.code(table.given).astype(np.float32 if small else np.float64)
    return np.concatenate([rows, coded], axis=1)


def with_columns(rows: Any, covariates: Covariates, numbers: np.ndarray) -> Any:
    """Return modelled columns with the covariates in their places: a frame, or an array.

    Parameters
    ----------
    rows : frame or array of the modelled columns
    covariates : of the model
    numbers : shape (n, q)
    """
    order, frame = np.argsort(covariates.positions), Frame.of(rows)
    if frame is None:
        values, whole = covariates.values(numbers), np.asarray(rows)
        for i in order:
            whole = np.insert(whole, covariates.positions[i], values[:, i], axis=1)
        return whole
    cells, columns = covariates.decode(numbers), covariates.columns
    return frame.with_columns([(columns[i].position, columns[i].column, cells[i]) for i in order])


def without_covariates(like: Any, covariates: Covariates) -> Any:
    """Return a frame without the covariates that it has; None for other data."""
    frame = Frame.of(like)
    if frame is None:
        return None
    own = {str(name) for name in covariates.names}
    return frame.without([j for j, label in enumerate(frame.labels) if str(label) in own])


def places(
    names: Sequence[Any], labels: Sequence[Any] | None, n: int | None = None, *, named: bool = False
) -> list[int]:
    """Return the positions of columns, by their labels, or else by position unless ``named``.

    Parameters
    ----------
    names : labels, or positions where no label is a whole number; negative ones from the end
    labels : of all columns, or None
    n : number of columns; None: of the labels

    Raises
    ------
    DataError
        For a name that no column has, and for two names of one column.
    """
    known = {} if labels is None else {label: j for j, label in enumerate(labels)}
    text = {} if labels is None else {str(label): j for j, label in enumerate(labels)}
    size = len(labels or ()) if n is None else n
    places = []
    for name in names:
        place = known.get(name, text.get(str(name)) if labels is not None else None)
        if place is None and isinstance(name, int) and not named and -size <= name < size:
            place = name % size
        if place is None:
            shown = f"the columns {_some(labels)}" if labels else f"{size} columns without names"
            raise DataError(
                f"Every covariate must be a column of X; {name!r} is none, and X has {shown}. "
                "Correct the name, or give the position, from 0."
            )
        places.append(place)
    if len(set(places)) < len(places):
        raise DataError(
            f"Each covariate must be a column of its own; {list(names)!r} names one twice. List "
            "it once."
        )
    return places


def _fitted_places(covariates: Covariates, labels: Sequence[Any] | None, n: int) -> list[int]:
    """Positions of the covariates in rows for a fitted model: by name, or as in the fit."""
    if labels is not None and any(isinstance(name, str) for name in covariates.names):
        return places(covariates.names, labels, named=True)
    if n != covariates.n_columns:
        raise DataError(
            f"X has {n} features, but the model is expecting {covariates.n_columns} features as "
            f"input, {len(covariates.columns)} of them covariates. Pass the columns of the fit."
        )
    return list(covariates.positions)


def _check_left(n: int, positions: Sequence[int]) -> None:
    if len(positions) >= n:
        raise DataError(
            f"A model needs a column that is no covariate; all {n} are covariates. Leave some out "
            "of covariates."
        )


def _without(table: Table, positions: Sequence[int]) -> Table:
    if table.image_shape is not None:
        raise DataError(
            "Covariates are columns beside the data; got images, whose columns are pixels. Pass "
            "X.reshape(len(X), -1) with columns of covariates appended, and image_shape="
            f"{tuple(table.image_shape)}."
        )
    left = np.setdiff1d(np.arange(table.values.shape[1]), positions)

    def some(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if names is None else tuple(names[j] for j in left)

    return dataclasses.replace(
        table, values=table.values[:, left], names=some(table.names), labels=some(table.labels)
    )


def _cells(table: Table, positions: Sequence[int]) -> list[Cells]:
    labels, dtype = table.labels, str(table.values.dtype)
    columns = np.asarray(table.values[:, list(positions)], np.float64).T
    whole = np.where(np.isnan(columns), 0.0, columns)
    return [
        Cells(j if labels is None else labels[j], "number", dtype, filled, np.isnan(column))
        for j, column, filled in zip(positions, columns, whole, strict=True)
    ]


def _some(labels: Sequence[Any]) -> str:
    shown = ", ".join(repr(label) for label in labels[:8])
    return shown if len(labels) <= 8 else f"{shown} and {len(labels) - 8} more"
