"""Columns of a table that a model is given and does not model, and their numbers in it."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wellposed._errors import DataError, SettingError

from ._cells import Cells, Label, named
from ._coding import decode, encode
from ._column import Column
from ._infer import MOST_LEVELS, infer, levels_of
from ._objects import cells_of_objects

MOST_ROWS = 10_000  # of the training that are kept to draw from
_AS_LEVELS = ("category", "ordered", "boolean")
_LEAST = 1e-12  # standard deviation, as a share of the largest number
_SHOWN = 8  # levels in a message


@dataclasses.dataclass(frozen=True)
class Covariate:
    """One column that a model is given.

    Parameters
    ----------
    column : what it is taken for
    position : of the column among all that fit received
    seen : of a category, positions in ``column.levels`` of the levels that had a row in the fit;
        each is an indicator in the model
    mean, scale : of a number, in the fit; the model has (number − mean)/scale

    Examples
    --------
    >>> import pandas as pd
    >>> import wellposed as wp
    >>> (age,) = wp.Schema.of(pd.DataFrame({"age": [30.5, 41.0, 29.5]})).columns
    >>> Covariate(age, 0).width
    1
    """

    column: Column
    position: int
    seen: tuple[int, ...] = ()
    mean: float = 0.0
    scale: float = 1.0

    @property
    def name(self) -> Label:
        """Name of the column, or its position."""
        return self.column.name

    @property
    def width(self) -> int:
        """How many numbers the model has of it."""
        return len(self.seen) if self.column.has_levels else 1

    @property
    def levels(self) -> tuple[Any, ...]:
        """The levels of a category that had a row in the fit; of a number, none."""
        return tuple((self.column.levels or ())[i] for i in self.seen)

    def code(self, numbers: np.ndarray) -> np.ndarray:
        """Return what the model takes, shape (n, width), of numbers or positions, shape (n,)."""
        if not self.column.has_levels:
            return ((numbers - self.mean) / self.scale)[:, None]
        return (numbers[:, None] == np.asarray(self.seen)).astype(np.float64)


@dataclasses.dataclass(frozen=True, eq=False)
class Covariates:
    """Columns that a model is given: p(x | z, c) and q(z | x, c) are conditional on them.

    Numbers are standardised by the rows of the fit, and each level of a category is an indicator.
    ``str`` lists them.

    Parameters
    ----------
    columns : one for each
    n_columns : number of columns that fit received, the covariates included
    rows : array of shape (m, q), covariates of at most 10,000 rows of the fit: numbers, and
        positions in the levels

    Examples
    --------
    >>> import pandas as pd
    >>> import wellposed as wp
    >>> from wellposed.tables import Covariate
    >>> (age,) = wp.Schema.of(pd.DataFrame({"age": [30.5, 41.0, 29.5]})).columns
    >>> Covariates((Covariate(age, 0),), 3, np.zeros((3, 1))).names
    ('age',)
    """

    columns: tuple[Covariate, ...]
    n_columns: int
    rows: np.ndarray

    @property
    def names(self) -> tuple[Label, ...]:
        """Names of the columns, or their positions."""
        return tuple(each.name for each in self.columns)

    @property
    def width(self) -> int:
        """c, how many numbers the model is given."""
        return sum(each.width for each in self.columns)

    @property
    def positions(self) -> tuple[int, ...]:
        """Positions of the columns among all that fit received."""
        return tuple(each.position for each in self.columns)

    @property
    def is_sound(self) -> bool:
        """Whether a fit can make this record: levels and rows agree."""
        q, rows = len(self.columns), self.rows
        if not (rows.ndim == 2 and rows.shape[1] == q and rows.dtype == np.float64):
            return False
        places = sorted(self.positions)
        apart = len(set(places)) == q and places[0] >= 0 and places[-1] < self.n_columns
        known = [
            len(each.column.levels or ()) > max(each.seen, default=-1) and min(each.seen) >= 0
            if each.seen
            else not each.column.has_levels
            for each in self.columns
        ]
        inside = [
            not each.column.has_levels or bool(np.isin(column, each.seen).all())
            for each, column in zip(self.columns, rows.T, strict=True)
        ]
        return apart and all(known) and all(inside)

    def __str__(self) -> str:
        return "; ".join(_described(each) for each in self.columns)

    @classmethod
    def of(
        cls,
        cells: Sequence[Cells],
        positions: Sequence[int],
        n_columns: int,
        kinds: Sequence[str | None],
    ) -> tuple["Covariates", np.ndarray]:
        """Return the covariates of the rows of a fit, and their numbers, shape (n, q).

        Parameters
        ----------
        cells : of each column
        positions : of each column
        n_columns : number of all columns
        kinds : "number", "category" or None, which decides by the cells

        Raises
        ------
        DataError
            For gaps, a column that never varies, and texts of which nearly all differ.
        """
        for each in cells:
            _check_whole(each)
        parts = zip(cells, positions, kinds, strict=True)
        columns = tuple(_covariate(*part) for part in parts)
        numbers = np.column_stack(
            [encode(each.column, own) for each, own in zip(columns, cells, strict=True)]
        )
        return cls(columns, n_columns, numbers[:0]).fit(numbers), numbers

    def without_rows(self) -> "Covariates":
        """Return the record without rows of the fit, so that a file holds none.

        Draws then need covariates: ``vae.covariates_ = vae.covariates_.without_rows()``.
        """
        return dataclasses.replace(self, rows=self.rows[:0])

    def fit(self, numbers: np.ndarray) -> "Covariates":
        """Return the same columns with the scales and the levels of some rows.

        Parameters
        ----------
        numbers : of the rows, shape (n, q)

        Raises
        ------
        DataError
            For a column that has one value in these rows.
        """
        columns = zip(self.columns, numbers.T, strict=True)
        fitted = tuple(_fitted(*each) for each in columns)
        return Covariates(fitted, self.n_columns, self.rows).keep(numbers)

    def keep(self, numbers: np.ndarray) -> "Covariates":
        """Return the record with at most 10,000 of these rows, shape (n, q), to draw from."""
        kept = np.linspace(0, len(numbers) - 1, min(len(numbers), MOST_ROWS)).astype(int)
        return dataclasses.replace(self, rows=np.ascontiguousarray(numbers[kept]))

    def numbers(self, cells: Sequence[Cells]) -> np.ndarray:
        """Return the numbers of columns, shape (n, q): numbers, and positions in the levels.

        Raises
        ------
        DataError
            For gaps, cells of another sort than in the fit, and levels that had no row in it.
        """
        return np.column_stack(
            [_numbers(each, own) for each, own in zip(self.columns, cells, strict=True)]
        )

    def code(self, numbers: np.ndarray) -> np.ndarray:
        """Return what the model takes, shape (n, c), of numbers, shape (n, q)."""
        columns = zip(self.columns, numbers.T, strict=True)
        return np.concatenate([each.code(column) for each, column in columns], axis=1)

    def decode(self, numbers: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return values and gaps of each column, as a frame is built of, from numbers (n, q)."""
        columns = zip(self.columns, numbers.T, strict=True)
        return [decode(each.column, column) for each, column in columns]

    def values(self, numbers: np.ndarray) -> np.ndarray:
        """Return numbers of shape (n, q) with the levels, which must be numbers, in their places.

        Raises
        ------
        SettingError
            For levels that are text.
        """
        columns = []
        for each, column in zip(self.columns, numbers.T, strict=True):
            if each.column.has_levels:
                levels: Any = each.column.levels
                if any(isinstance(level, str) for level in levels):
                    raise SettingError(
                        f"An array holds numbers; {named(each.name)} holds text. Fit to a frame."
                    )
                column = np.array([float(level) for level in levels])[column.astype(int)]
            columns.append(column)
        return np.column_stack(columns)

    def labels(self, numbers: np.ndarray) -> dict[str, np.ndarray]:
        """Return {name: values, shape (n,)} of numbers of shape (n, q): levels as text."""
        labelled = {}
        for each, column in zip(self.columns, numbers.T, strict=True):
            levels = np.array([str(level) for level in each.column.levels or ()])
            own = levels[column.astype(int)] if each.column.has_levels else column
            labelled[str(each.name)] = own
        return labelled

    def of_values(self, values: Any) -> np.ndarray:
        """Return the numbers, shape (m, q), of values by name, in rows, or of one column.

        Parameters
        ----------
        values : {name: value or one a row}; an array-like of shape (m, q), or (q,) for one row; of
            one covariate, a value or one a row

        Raises
        ------
        DataError
            For other names or another number of columns, and as :meth:`numbers` does.
        """
        columns = _by_name(self, values) if isinstance(values, Mapping) else _by_row(self, values)
        size = max(map(len, columns))
        wrong = [len(column) for column in columns if len(column) not in (1, size)]
        if wrong or not size:
            raise DataError(
                "Covariates must have one value, or as many as the others; got "
                f"{', '.join(str(len(column)) for column in columns)}. Pass one a row."
            )
        cells = [
            cells_of_objects(column * (size // len(column)), each.name, "")
            for each, column in zip(self.columns, columns, strict=True)
        ]
        return self.numbers(cells)


def _by_name(covariates: Covariates, values: Mapping[Any, Any]) -> list[list[Any]]:
    names = covariates.names
    if set(values) != set(names):
        raise DataError(
            f"Covariates must be those of the fit, {', '.join(map(repr, names))}; got "
            f"{', '.join(map(repr, values)) or 'none'}. Give each a value: {{{names[0]!r}: ...}}."
        )
    return [_listed(values[name]) for name in names]


def _by_row(covariates: Covariates, values: Any) -> list[list[Any]]:
    names = covariates.names
    rows = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(rows, (list, tuple)):
        rows = [rows]
    if len(names) > 1 and rows and not isinstance(rows[0], (list, tuple)):
        rows = [rows]
    table = [list(row) if isinstance(row, (list, tuple)) else [row] for row in rows]
    if not table or any(len(row) != len(names) for row in table):
        given = "none" if not table else f"{len(table[0])} values"
        raise DataError(
            f"A row of covariates has {len(names)} values, of {', '.join(map(repr, names))}; got "
            f"{given}. Pass a frame with these columns, or {{name: value}}."
        )
    return [list(column) for column in zip(*table, strict=True)]


def _listed(values: Any) -> list[Any]:
    if hasattr(values, "tolist"):
        values = values.tolist()
    elif hasattr(values, "to_list"):
        values = values.to_list()
    return list(values) if isinstance(values, (list, tuple)) else [values]


def _check_whole(cells: Cells) -> None:
    """Refuse gaps, and numbers that are infinite."""
    bad = cells.missing.copy()
    if cells.values.dtype.kind == "f":
        bad |= ~np.isfinite(cells.values)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise DataError(
            f"A covariate must have a value in every row; {named(cells.label)} has none, or an "
            f"infinite one, in {int(bad.sum())} of {len(bad)} rows, the first row {row}. Drop "
            "these rows, fill the gaps, or give gaps of a category a level of their own, such as "
            '"unknown".'
        )


def _covariate(cells: Cells, position: int, kind: str | None) -> Covariate:
    """Return what a column is taken for, without levels or a scale."""
    found = infer(cells)
    levels = cells.sort in ("level", "boolean") or found.kind in _AS_LEVELS
    if levels if kind is None else kind == "category":
        _check_levels(cells, found, kind)
        ordered = "ordered" if cells.ordered else "category"
        column = dataclasses.replace(found, kind=ordered, levels=levels_of(cells), clock=None)
        return Covariate(_plain(column), position)
    if cells.sort == "level":
        raise DataError(
            f"A covariate that is a number must hold numbers; {named(cells.label)} holds "
            f'{cells.holds or "categories"}. Give it the kind "category", or convert it.'
        )
    column = dataclasses.replace(found, kind="real" if cells.clock is None else cells.clock.span)
    return Covariate(_plain(column), position)


def _check_levels(cells: Cells, found: Column, kind: str | None) -> None:
    distinct = len(np.unique(cells.values))
    if cells.sort == "time":
        raise DataError(
            f"A covariate of dates or times is a number; got the kind {kind!r} for "
            f"{named(cells.label)}. Convert it to text, or leave the kind out."
        )
    if distinct > MOST_LEVELS or (kind is None and found.kind in ("identifier", "text")):
        raise DataError(
            f"A covariate that is a category has at most {MOST_LEVELS} levels, with several rows "
            f"each; {named(cells.label)} has {distinct} in {len(cells.values)} rows. Join levels, "
            'leave it out of covariates, or give it the kind: {name: "category"}.'
        )


def _fitted(covariate: Covariate, numbers: np.ndarray) -> Covariate:
    if len(np.unique(numbers)) < 2:
        raise DataError(
            f"A covariate must vary over the rows of the fit; {named(covariate.name)} has one "
            "value. Drop the column, or leave it out of covariates."
        )
    if covariate.column.has_levels:
        seen = tuple(int(code) for code in np.unique(numbers))
        return dataclasses.replace(covariate, seen=seen)
    mean, scale = float(numbers.mean()), float(numbers.std())
    if scale <= _LEAST * float(np.abs(numbers).max()):
        raise DataError(
            f"A covariate must vary by more than rounding; {named(covariate.name)} varies by "
            f"{scale:.3g} around {mean:.6g}. Subtract an offset, or drop the column."
        )
    return dataclasses.replace(covariate, mean=mean, scale=scale)


def _plain(column: Column) -> Column:
    """Return the column as one that is not modelled."""
    return dataclasses.replace(column, noise=None, reason="given", last=None)


def _numbers(covariate: Covariate, cells: Cells) -> np.ndarray:
    _check_whole(cells)
    numbers = encode(covariate.column, cells, unseen_as_gaps=True)
    if not covariate.column.has_levels:
        return numbers
    unseen = ~np.isin(numbers, covariate.seen)
    if unseen.any():
        row, levels = int(np.flatnonzero(unseen)[0]), covariate.levels
        cell = cells.values[row]
        given = cells.levels[int(cell)] if cells.sort == "level" else float(cell)
        more = f" and {len(levels) - _SHOWN} more" if len(levels) > _SHOWN else ""
        raise DataError(
            "A category that the model is given must have had a row in the fit; "
            f"{named(covariate.name)} has {given!r} at row {row}, and the fit had "
            f"{', '.join(map(repr, levels[:_SHOWN]))}{more}. Drop these rows, or fit again with "
            "rows of this level."
        )
    return numbers


def _described(covariate: Covariate) -> str:
    if not covariate.column.has_levels:
        spread = f"mean {covariate.mean:.4g}, standard deviation {covariate.scale:.3g}"
        return f"{covariate.name}: number, {spread}"
    shown = ", ".join(map(str, covariate.levels[:_SHOWN]))
    more = f" and {len(covariate.levels) - _SHOWN} more" if len(covariate.levels) > _SHOWN else ""
    return f"{covariate.name}: {shown}{more}"
