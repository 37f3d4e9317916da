"""Columns of a frame as groups of columns of one type, in the order that files have them."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from wellposed.coding.container import Group


@dataclasses.dataclass(eq=False)
class Columns:
    """Columns of whole numbers and floating numbers that are being collected, by their types."""

    _by_type: dict[np.dtype, list[np.ndarray]] = dataclasses.field(default_factory=dict)

    def add(self, values: np.ndarray) -> tuple[str, int]:
        """Add a column, and return its type and its position among those of the type."""
        kind = values.dtype.newbyteorder("<")
        same = self._by_type.setdefault(kind, [])
        same.append(np.ascontiguousarray(values, kind))
        return kind.str, len(same) - 1

    def groups(self) -> tuple[Group, ...]:
        """Return the groups of columns of one type."""
        return tuple(Group(kind, len(same)) for kind, same in self._by_type.items())

    def parts(self) -> list[np.ndarray]:
        """Return the cells of each group, shape (n, width)."""
        return [np.column_stack(same) for same in self._by_type.values()]


def finder(groups: tuple[Group, ...], parts: list[np.ndarray]) -> Callable[[list[Any]], np.ndarray]:
    """Return a function from what :meth:`Columns.add` returned to the column of shape (n,)."""
    place = {group.dtype.str: g for g, group in enumerate(groups)}

    def find(where: list[Any]) -> np.ndarray:
        kind, j = where
        return np.ascontiguousarray(parts[place[kind]][:, j])

    return find
