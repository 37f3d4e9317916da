"""From the names or positions of a table's columns to positions, each taken once."""

from collections import Counter
from collections.abc import Sequence

from wellposed._errors import SettingError, named_features, unknown_name


def positions_of(keys: Sequence[str | int], d: int, names: Sequence[str] | None) -> tuple[int, ...]:
    """Return the position of each key among ``d`` columns.

    Raises
    ------
    SettingError
        For names that the table does not have, positions beyond it, columns named twice and
        columns left out.
    """
    found = tuple(_position(key, d, names) for key in keys)
    twice = [p for p, times in Counter(found).items() if times > 1]
    if twice:
        raise SettingError(
            f"Every column must have one noise; {_named(twice, names)} have more. Name each "
            "column once, by its name or by its position."
        )
    missing = sorted(set(range(d)) - set(found))
    if missing:
        raise SettingError(
            f"Every column must have a noise; {_named(missing, names)} of {d} have none. Add "
            'them to Columns; "shared" fits real numbers.'
        )
    return found


def _position(key: str | int, d: int, names: Sequence[str] | None) -> int:
    if isinstance(key, str):
        if names is None:
            raise SettingError(
                f"Columns by name need a data frame whose columns have names; got {key!r} and "
                "data without names. Use positions, or pass a data frame."
            )
        listed = [str(name) for name in names]
        if key not in listed:
            raise unknown_name("A column's name", key, listed)
        return listed.index(key)
    if not 0 <= key < d:
        raise SettingError(
            f"A column's position must be from 0 to {d - 1}; got {key}. Count from zero."
        )
    return key


def _named(positions: Sequence[int], names: Sequence[str] | None) -> str:
    if names is None:
        return f"columns {named_features(positions)}"
    shown = ", ".join(repr(str(names[p])) for p in positions[:8])
    more = len(positions) - 8
    return f"columns {shown}" if more <= 0 else f"columns {shown} and {more} more"
