"""Frames of pandas and polars, of which neither package is imported here."""

import dataclasses
import importlib
import importlib.util
import re
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from wellposed._errors import DataError, SettingError

from . import _pandas, _polars
from ._cells import Cells, Label
from ._column import Column

_READERS: dict[str, Any] = {"pandas": _pandas, "polars": _polars}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?$")


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """A frame, with the package that made it.

    Parameters
    ----------
    native : the frame
    container : "pandas" or "polars"
    """

    native: Any
    container: str

    @classmethod
    def of(cls, X: Any) -> "Frame | None":
        """Wrap a frame of pandas or polars, or of narwhals around one; None for other data."""
        narwhals = sys.modules.get("narwhals")
        if narwhals is not None and hasattr(narwhals, "to_native"):
            X = narwhals.to_native(X, pass_through=True)
        for container in _READERS:
            kind = getattr(sys.modules.get(container), "DataFrame", None)
            if kind is not None and isinstance(X, kind):
                return cls(X, container)
        return None

    @property
    def _reader(self) -> Any:
        return _READERS[self.container]

    @property
    def _package(self) -> Any:
        return sys.modules[self.container]

    @property
    def labels(self) -> list[Label]:
        """Labels of the columns."""
        return self._reader.labels_of(self.native)

    def __len__(self) -> int:
        return len(self.native)

    def is_numbers(self) -> bool:
        """Whether an array of numbers has the same content."""
        reader, package = self._reader, self._package
        return all(
            reader.is_number(reader.column_at(self.native, j), package)
            for j in range(self.native.shape[1])
        )

    def has_labels(self) -> bool:
        """Whether each column has a name of its own, a text or a whole number."""
        try:
            self.check_labels()
        except DataError:
            return False
        return True

    def check_labels(self) -> None:
        """Refuse labels that repeat, and labels that are neither text nor whole numbers.

        Raises
        ------
        DataError
            With the labels.
        """
        labels = self.labels
        strange = [label for label in labels if type(label) not in (str, int)]
        if strange:
            raise DataError(
                f"The label of a column must be text or a whole number; got {strange[0]!r}. "
                "Rename it: frame.rename(columns=str)."
            )
        twice = sorted({str(label) for label in labels if labels.count(label) > 1})
        if twice:
            raise DataError(
                f"Each column must have a name of its own; {', '.join(map(repr, twice[:5]))} "
                "appears more than once. Rename one of them."
            )

    def read(self, j: int) -> Cells:
        """Read column j, by its position."""
        reader = self._reader
        series = reader.column_at(self.native, j)
        return reader.read_series(series, self.labels[j], self._package)

    def without(self, positions: Sequence[int]) -> Any:
        """Return the frame without some columns, given by their positions."""
        kept = [j for j in range(len(self.labels)) if j not in set(positions)]
        return self.native.iloc[:, kept] if self.container == "pandas" else self.native[:, kept]

    def with_columns(self, columns: Sequence[tuple[int, Column, Any]]) -> Any:
        """Return a frame with further columns.

        Parameters
        ----------
        columns : of each the position in the result, in rising order, the column, and its values
            and gaps, or a column of such a frame
        """
        whole = self.native.copy() if self.container == "pandas" else self.native.clone()
        for position, column, cells in columns:
            series = cells
            if isinstance(cells, tuple):
                index = (self.native.index,) if self.container == "pandas" else ()
                series = self._reader.build_series(column, *cells, *index, self._package)
            if self.container == "pandas":
                whole.insert(min(position, whole.shape[1]), column.name, series)
            else:
                whole.insert_column(min(position, whole.width), series)
        return whole

    def column(self, j: int) -> Any:
        """Return column j as the frame has it."""
        return self._reader.column_at(self.native, j)


def build_frame(
    container: str,
    columns: Sequence[Column],
    cells: Sequence[Any],
    like: Frame | None,
) -> Any:
    """Build a frame.

    Parameters
    ----------
    container : "pandas" or "polars"
    columns : of the schema
    cells : of each column, the values and gaps of :func:`wellposed.tables._coding.decode`, or a
        column of ``like``
    like : a frame whose index the rows have; None numbers them
    """
    package = sys.modules.get(container) or _imported(container)
    reader = _READERS[container]
    if container == "polars":
        series = [
            reader.build_series(column, *each, package) if isinstance(each, tuple) else each
            for column, each in zip(columns, cells, strict=True)
        ]
        return reader.build_frame(series, package)
    n = next((len(each[0] if isinstance(each, tuple) else each) for each in cells), 0)
    same = like is not None and like.container == container
    index = like.native.index if same and like is not None else package.RangeIndex(n)
    series = [
        reader.build_series(column, *each, index, package) if isinstance(each, tuple) else each
        for column, each in zip(columns, cells, strict=True)
    ]
    return reader.build_frame(series, [column.name for column in columns], index, package)


def _imported(container: str) -> Any:
    try:
        return importlib.import_module(container)
    except ImportError:
        raise SettingError(
            f"The model was fitted to a frame of {container}, and returns such frames; {container} "
            f"is not installed. Run: pip install {container}."
        ) from None


def frame_of_text(names: Sequence[str], columns: Sequence[Any], error: DataError) -> Any:
    """Return the columns of a text file as a frame: of pandas, or of polars without it.

    Parameters
    ----------
    names : of the columns
    columns : arrays of numbers, and lists of texts in which None is missing. Texts that are all
        dates, such as 2020-01-31 or 2020-01-31T12:30:00, become dates
    error : raised where neither package is installed
    """
    cells = [_typed(column) for column in columns]
    for container in _READERS:
        if importlib.util.find_spec(container) is not None:
            package = importlib.import_module(container)
            return package.DataFrame(dict(zip(names, cells, strict=True)))
    raise DataError(f"{error} Or install pandas, with which columns of text are read.") from error


def _typed(column: Any) -> Any:
    """Return whole numbers as integers, texts that are dates as dates, others as they are."""
    if not isinstance(column, list):
        whole = np.isfinite(column).all() and (column == np.rint(column)).all()
        small = whole and (np.abs(column) <= 2**53).all()
        return column.astype(np.int64) if small else column
    present = [cell for cell in column if cell is not None]
    if not present or not all(_DATE.match(cell) for cell in present):
        return column
    try:
        return np.array(["NaT" if cell is None else cell for cell in column], "M8[us]")
    except ValueError:
        return column
