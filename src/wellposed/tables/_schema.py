"""What the columns of a table are taken for."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from wellposed import noise
from wellposed._errors import DataError, SettingError, unknown_name

from ._cells import PLAIN, Label, Level, plain_level
from ._coding import decode, encode, fill_left_out, first_unseen
from ._column import Column, ColumnNoise, Kind, default_noise
from ._frames import Frame, build_frame
from ._infer import as_number, complete, infer
from ._show import show

_REMEDY = 'Pass the frame itself, or leave noise at "auto".'


@dataclasses.dataclass(frozen=True)
class Schema:
    """What each column of a frame is taken for, and why.

    ``print`` shows it. Pass it to an estimator as ``noise``, edited by :meth:`replace` or not; a
    fitted estimator has it as ``schema_``.

    Parameters
    ----------
    columns : tuple of Column, in the order of the frame
    container : "pandas" or "polars"
    one_noise : whether one noise of real numbers is that of all columns, as for an array

    Notes
    -----
    The rules, by the cells of a column:

    - text, up to 256 different ones: "category"; all different: "identifier"; more than half of
      the cells different: "text". Categories of the frame keep their levels; ordered ones are
      "ordered".
    - zeros and ones, and booleans: "boolean". Two other whole numbers in more than ten cells:
      "category".
    - whole numbers from zero on of mean at most 10, below 1000, whose variance is at least their
      mean: "count"; those from one number to another, each once: "identifier".
    - numbers from zero on, a tenth zeros and more, of skewness above 1: "amount" with a
      probability of zero.
    - other numbers: "real"; of codes such as 1 to 4 the printed reason says how to set the kind.
      Dates, durations and times of day: real numbers in the largest of
      days, hours, minutes, seconds and their thousandths of which all are multiples.
    - one value: "constant"; none: "empty".

    Identifiers, text, constants and empty columns are left out of the model: log p(x) is that of
    the other columns. In frames that the model returns, constants are themselves, identifiers of
    whole numbers go on from the largest, and the others are missing.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": [31, 45, 28, 60], "sex": list("fmmf"), "unit": "cm"})
    >>> schema = Schema.of(frame).replace("age", kind="real")
    >>> schema["sex"].levels, schema["unit"].kind
    (('f', 'm'), 'constant')
    """

    columns: tuple[Column, ...]
    container: str
    one_noise: bool = False

    @classmethod
    def of(cls, X: Any) -> "Schema":
        """Infer the schema of a frame.

        Parameters
        ----------
        X : frame of pandas or polars

        Raises
        ------
        DataError
            For other data, columns without a name of their own, and cells that have no model.
        """
        frame = Frame.of(X)
        if frame is None:
            raise DataError(
                f"A schema is that of a frame of pandas or polars; got a {type(X).__name__}. "
                "Pass a frame: pandas.DataFrame(X)."
            )
        frame.check_labels()
        columns = tuple(infer(frame.read(j)) for j in range(len(frame.labels)))
        return cls(columns, frame.container)

    @classmethod
    def of_numbers(cls, X: Any) -> "Schema | None":
        """Return the schema of a frame of numbers, whose noise is that of an array of them.

        None for other data, and for frames whose columns have no name of their own.

        Parameters
        ----------
        X : frame of pandas or polars, of numbers and booleans
        """
        frame = Frame.of(X)
        if frame is None or not frame.has_labels():
            return None
        columns = [as_number(frame.read(j)) for j in range(len(frame.labels))]
        return cls(tuple(columns), frame.container, one_noise=True)

    def complete(self, X: Any) -> "Schema":
        """Return the schema with what a fit takes from the data: types, levels that are unknown.

        Parameters
        ----------
        X : frame of pandas or polars, of the same columns

        Raises
        ------
        DataError
            For other columns, and cells that cannot be of their kind.
        """
        frame = self._frame(X)
        places = self._places(frame)
        columns = [
            column if j is None else complete(column, frame.read(j))
            for column, j in zip(self.columns, places, strict=True)
        ]
        if not any(column.is_kept for column in columns):
            raise DataError(
                "A model needs a column; all are left out as constants, identifiers or text. Set "
                'the kind of one: schema.replace(name, kind="category").'
            )
        return Schema(tuple(columns), frame.container)

    def __getitem__(self, name: Label) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise unknown_name("A column", name, [str(column.name) for column in self.columns])

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __str__(self) -> str:
        return show(self.columns)

    def replace(
        self,
        name: Label | list[Label],
        *,
        kind: Kind | None = None,
        noise: ColumnNoise | None = None,
        levels: Sequence[Level] | None = None,
    ) -> "Schema":
        """Return the schema with another kind, noise or set of levels of one column, or several.

        Parameters
        ----------
        name : label of the column, or a list of labels
        kind : see :class:`Column`; a kind of its own noise, unless that is given
        noise : as in :class:`wellposed.noise.Columns`
        levels : of a category, in the order of an ordered one; those of the data by default

        Raises
        ------
        SettingError
            For an unknown column or kind, and levels that are not plain.
        """
        if isinstance(name, list):
            schema = self
            for each in name:
                schema = schema.replace(each, kind=kind, noise=noise, levels=levels)
            return schema
        before = self[name]
        after = before
        if kind is not None:
            known = before.levels if before.sort == "level" else None
            after = dataclasses.replace(before, kind=kind, noise=None, levels=known)
        if levels is not None:
            after = dataclasses.replace(after, levels=_checked(levels), noise=None)
        if after.noise is None and (after.levels is not None or not after.has_levels):
            after = dataclasses.replace(after, noise=default_noise(after))
        if noise is not None:
            after = dataclasses.replace(after, noise=noise)
        after = dataclasses.replace(after, reason="as set")
        columns = tuple(after if column.name == name else column for column in self.columns)
        return dataclasses.replace(self, columns=columns)

    def without(self, names: Sequence[Label]) -> "Schema":
        """Return the schema without some columns, which it need not have."""
        left_out = {str(name) for name in names}
        columns = tuple(column for column in self.columns if str(column.name) not in left_out)
        return dataclasses.replace(self, columns=columns)

    @property
    def kept(self) -> tuple[Column, ...]:
        """The columns that the model has."""
        return tuple(column for column in self.columns if column.is_kept)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns that the model has, as text."""
        return tuple(str(column.name) for column in self.kept)

    def make_noise(self) -> noise.Columns | noise.Censored:
        """Return the noise of the columns that the model has; limits are those of the table."""
        each = [column.noise or "conditional" for column in self.kept]
        if not any(isinstance(own, noise.Censored) for own in each):
            return noise.Columns(each)
        limits = [own.limits if isinstance(own, noise.Censored) else (None, None) for own in each]
        low, high = zip(*limits, strict=True)
        columns = [own.noise if isinstance(own, noise.Censored) else own for own in each]
        return noise.Censored(noise.Columns(columns), low=low, high=high)

    def encode(self, X: Any, *, unseen_as_gaps: bool = False) -> np.ndarray:
        """Return the numbers of a frame in the model, float64 of shape (n, d).

        Parameters
        ----------
        X : frame of pandas or polars; columns that the model leaves out may be absent
        unseen_as_gaps : whether a level that the schema does not have is a missing cell

        Returns
        -------
        array of shape (n, d) of the d columns in ``kept``; missing cells are NaN

        Raises
        ------
        DataError
            For other columns than the schema's, cells of another sort, and unknown levels.
        """
        frame = self._frame(X)
        pairs = zip(self.columns, self._places(frame), strict=True)
        encoded = [
            encode(column, frame.read(j), unseen_as_gaps=unseen_as_gaps)
            for column, j in pairs
            if column.is_kept and j is not None
        ]
        return np.column_stack(encoded) if encoded else np.empty((len(frame), 0))

    def unseen(self, X: Any) -> dict[str, Any]:
        """Return a level that the schema does not have of each column with one, by its name.

        Parameters
        ----------
        X : frame of pandas or polars, as :meth:`encode` takes it
        """
        frame = self._frame(X)
        kept = [(c, j) for c, j in zip(self.columns, self._places(frame), strict=True) if c.is_kept]
        found = {str(c.name): first_unseen(c, frame.read(j)) for c, j in kept if j is not None}
        return {name: level for name, level in found.items() if level is not None}

    def decode(self, values: np.ndarray, like: Any = None) -> Any:
        """Return a frame of the schema's columns and types from numbers in the model.

        Parameters
        ----------
        values : array of shape (n, d) of the columns in ``kept``; NaN is a missing cell
        like : frame of n rows, whose index and whose columns that the model leaves out are kept

        Returns
        -------
        frame of pandas or polars
        """
        frame = Frame.of(like)
        places: list[int | None] = [None] * len(self.columns)
        if frame is not None and not self.one_noise:
            places = self._places(frame)
        columns = iter(np.asarray(values).T)
        cells: list[Any] = []
        for column, j in zip(self.columns, places, strict=True):
            if column.is_kept:
                cells.append(decode(column, next(columns)))
            elif j is not None and frame is not None and frame.container == self.container:
                cells.append(frame.column(j))
            else:
                cells.append(fill_left_out(column, len(values)))
        return build_frame(self.container, self.columns, cells, frame)

    def _frame(self, X: Any) -> Frame:
        frame = Frame.of(X)
        if frame is None:
            raise DataError(
                "The model was fitted to a frame with columns of several kinds, and takes such "
                f"frames; got a {type(X).__name__}. Pass a frame of pandas or polars with the "
                "same columns."
            )
        frame.check_labels()
        return frame

    def _places(self, frame: Frame) -> list[int | None]:
        """Position of each column in a frame; None for those that are left out and absent."""
        labels = frame.labels
        position = {label: j for j, label in enumerate(labels)}
        position |= {str(label): j for j, label in enumerate(labels)}
        own = {str(column.name) for column in self.columns}
        unknown = [label for label in labels if str(label) not in own]
        absent = [c.name for c in self.kept if str(c.name) not in position]
        if unknown or absent:
            which = f"has {unknown[:5]}, which were not" if unknown else f"has no {absent[:5]}"
            remedy = "Drop them" if unknown else "Add them"
            raise DataError(
                "The feature names should match those that were passed during fit; the frame "
                f"{which}{'' if not unknown else ' there'}. {remedy}, or fit again."
            )
        return [position.get(str(column.name)) for column in self.columns]


def _checked(levels: Sequence[Level]) -> tuple[Level, ...]:
    """Return levels as a tuple of plain values, of which none repeats."""
    plain = tuple(plain_level(level) for level in levels)
    if len(plain) < 2 or not all(isinstance(level, PLAIN) for level in plain):
        raise SettingError(
            f"Levels must be two or more texts, numbers or booleans; got {list(plain)[:8]!r}. "
            "Name them by text."
        )
    if len(set(map(repr, plain))) < len(plain):
        raise SettingError(f"Each level must be listed once; got {list(plain)[:8]!r}.")
    return plain
