"""The columns that a model codes, as rows of whole numbers."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from wellposed._errors import DamagedFileError

from ..protocol import MISSING
from . import arrangements, steps
from .sections import Group

_MAPS = ("tables", "masks")
_NO_CODE = -1  # the cell of a missing entry in a column of codes


@dataclasses.dataclass(frozen=True, eq=False)
class Modelled:
    """Columns that a model codes, in the order of its features.

    Parameters
    ----------
    groups : array of shape (d,), the group of each feature's column
    columns : array of shape (d,), its position in the group
    codes : array of shape (d,), uint8, the code of its step; of whole numbers, that of the step one
    tables : symbols by feature: the model's symbol of each cell 0, 1, … of a column of codes
    gaps : whether the model has a symbol for missing entries: NaN, codes below zero, and the cells
        that a table has it for
    masks : group and column by feature, of truth values that say which entries are missing; the
        cells of these are zero
    """

    groups: np.ndarray
    columns: np.ndarray
    codes: np.ndarray
    tables: dict[int, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    gaps: bool = False
    masks: dict[int, tuple[int, int]] = dataclasses.field(default_factory=dict)

    def state(self) -> dict[str, Any]:
        """Return what it is made of."""
        by_name = {
            name: {str(j): list(v) for j, v in getattr(self, name).items()} for name in _MAPS
        }
        return {**vars(self), **by_name}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Modelled":
        """Undo :meth:`state`."""
        own: dict[str, Any] = {
            name: {int(j): tuple(v) for j, v in state[name].items()} for name in _MAPS
        }
        own |= {"codes": state["codes"].astype(np.uint8)}
        return cls(**(state | own))

    def rest(self, g: int, width: int) -> np.ndarray:
        """Return the positions in group g that the model does not code."""
        return np.setdiff1d(np.arange(width), self.columns[self.groups == g])

    def taken(self, parts: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the modelled columns of each group, in the order of the features."""
        return [part[:, self.columns[self.groups == g]] for g, part in enumerate(parts)]

    def symbols(self, parts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return the symbols of rows, and which cells they do not give.

        Parameters
        ----------
        parts : of each group, its cells, shape (n, width)

        Returns
        -------
        int64 and bool arrays of shape (n, d). A cell that is off its step has the symbol of the
        nearest multiple or, if it is not finite, the median of its column
        """
        shape = len(parts[0]), len(self.columns)
        symbols, off = np.empty(shape, np.int64), np.zeros(shape, bool)
        for g, part in enumerate(self.taken(parts)):
            mine = np.flatnonzero(self.groups == g)
            codes = self.codes[mine] if part.dtype.kind == "f" else None
            symbols[:, mine], off[:, mine] = arrangements.whole_numbers(part, codes)
            if codes is not None and off[:, mine].any():
                _stand_in(symbols, off, part, mine, codes)
                if self.gaps:
                    _missing(symbols, off, part, mine)
        for j, table in self.tables.items():
            cells = symbols[:, j]
            known = (cells >= 0) & (cells < len(table))
            coded = np.array([*table, 0], np.int64)[np.where(known, cells, -1)]
            missing = self.gaps & (cells == _NO_CODE)
            symbols[:, j] = np.where(missing, MISSING, coded)
            off[:, j] |= ~known & ~missing
        for j, (g, column) in self.masks.items():
            if self.gaps:
                missing = parts[g][:, column].astype(bool)
                off[:, j] |= (symbols[:, j] == MISSING) & ~missing
                symbols[missing, j] = MISSING
                cells = parts[self.groups[j]][:, self.columns[j]]
                off[missing, j] = cells[missing] != 0
        return symbols, off

    def without_cell(self, symbols: np.ndarray) -> np.ndarray:
        """Return which symbols (n, d) no code of their column stands for, bool."""
        without = np.zeros(symbols.shape, bool)
        for j, table in self.tables.items():
            without[:, j] = ~np.isin(symbols[:, j], [*table, *([MISSING] if self.gaps else [])])
        return without

    def within(self, symbols: np.ndarray, groups: Sequence[Group]) -> np.ndarray:
        """Return symbols (n, d) with the nearest that a cell has in place of all others."""
        symbols, missing = symbols.copy(), (symbols == MISSING) & self.gaps
        without = self.without_cell(symbols)
        for j, table in self.tables.items():
            symbols[without[:, j], j] = table[0] if table else 0
        for g, group in enumerate(groups):
            mine = np.setdiff1d(np.flatnonzero(self.groups == g), list(self.tables))
            if group.dtype.kind in "bui":
                low, high = _limits(group.dtype)
                kept = np.clip(symbols[:, mine], low, high)
                symbols[:, mine] = np.where(missing[:, mine], MISSING, kept)
        return symbols

    def cells(self, symbols: np.ndarray, groups: Sequence[Group]) -> list[np.ndarray]:
        """Return the modelled columns of each group from symbols of shape (n, d).

        Raises
        ------
        DamagedFileError
            For a symbol that no cell has.
        """
        symbols, missing = symbols.copy(), (symbols == MISSING) & self.gaps
        for j in np.flatnonzero(missing.any(axis=0)):
            table = self.tables.get(int(j), ())
            empty = 0 if j in self.masks else _NO_CODE
            symbols[missing[:, j], j] = table.index(MISSING) if MISSING in table else empty
        for j, table in self.tables.items():
            coded = ~missing[:, j]
            symbols[coded, j] = _inverse(symbols[coded, j], table)
        missing[:, list(self.masks)] = False
        parts = []
        for g, group in enumerate(groups):
            mine = np.flatnonzero(self.groups == g)
            codes = self.codes[mine] if group.dtype.kind == "f" else None
            part = arrangements.cells_of(symbols[:, mine], codes, group.dtype)
            if group.dtype.kind == "f":
                part[missing[:, mine]] = np.nan
            parts.append(part)
        return parts


def _limits(dtype: np.dtype) -> tuple[int, int]:
    """Return the least and the largest symbol of whole numbers of a type."""
    if dtype.kind == "b":
        return 0, 1
    limits = np.iinfo(dtype)
    return max(int(limits.min), MISSING + 1), min(int(limits.max), 2**63 - 1)


def _stand_in(
    symbols: np.ndarray, off: np.ndarray, part: np.ndarray, mine: np.ndarray, codes: np.ndarray
) -> None:
    for i, j in enumerate(mine):
        rows = off[:, j]
        if not rows.any():
            continue
        typical = int(np.median(symbols[~rows, j])) if not rows.all() else 0
        with np.errstate(all="ignore"):
            near = np.rint(part[rows, i].astype(np.float64) * steps.DIVISORS[codes[i]])
        usable = np.abs(near) < 2.0**53
        symbols[rows, j] = np.where(usable, np.where(usable, near, 0.0).astype(np.int64), typical)


def _missing(symbols: np.ndarray, off: np.ndarray, part: np.ndarray, mine: np.ndarray) -> None:
    """Give NaN the symbol of missing entries; the bits of any but the usual one are apart."""
    usual = np.array(np.nan, part.dtype)
    gaps = np.isnan(part)
    symbols[:, mine] = np.where(gaps, MISSING, symbols[:, mine])
    off[:, mine] &= ~gaps | (steps.bits_of(part) != steps.bits_of(usual))


def _inverse(symbols: np.ndarray, table: tuple[int, ...]) -> np.ndarray:
    order = np.argsort(table)
    place = np.searchsorted(np.array(table, np.int64)[order], symbols).clip(max=len(table) - 1)
    cells = order[place]
    if (np.array(table, np.int64)[cells] != symbols).any():
        raise DamagedFileError("a symbol of the model has no cell.")
    return cells
