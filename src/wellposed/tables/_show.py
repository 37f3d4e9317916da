"""The printed form of a schema."""

from collections.abc import Sequence
from typing import Any

from wellposed._text import cut, visible
from wellposed.noise import FAMILIES

from ._column import Column

_SHOWN, _NAME = 60, 32  # characters of the levels, and of a name
_WORDS = {family.__name__: word for word, family in FAMILIES.items() if isinstance(family, type)}


def show(columns: Sequence[Column]) -> str:
    """Return an aligned table: name, kind, noise, levels or cells, and reason."""
    rows = [("column", "kind", "noise", "type", "why")]
    rows += [
        (
            cut(visible(c.name), _NAME),
            c.kind,
            _noise(c),
            cut(visible(c.dtype), _NAME),
            visible(_why(c)),
        )
        for c in columns
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        + f"  {row[-1]}"
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def _noise(column: Column) -> str:
    if not column.is_kept:
        return "left out"
    shared = column.noise is None and not column.has_levels
    return "one for all" if shared else noise_word(column.noise)


def _why(column: Column) -> str:
    if not column.has_levels or not column.levels:
        return column.reason
    levels = ", ".join(str(level) for level in column.levels)
    levels = levels if len(levels) <= _SHOWN else f"{levels[:_SHOWN]}…"
    return f"{column.reason}: {levels}"


def noise_word(noise: Any) -> str:
    """Return the name of a noise."""
    if noise is None:
        return "by the data"
    if isinstance(noise, (str, int, float)):
        return str(noise)
    name = type(noise).__name__
    return _WORDS.get(name, name)
