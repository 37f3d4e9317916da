"""From the names or positions of a table's columns to positions, each taken once."""

from collections import Counter
from collections.abc import Sequence

from wellposed._errors import SettingError, named_features
from wellposed.transforms import position_of


def positions_of(keys: Sequence[str | int], d: int, names: Sequence[str] | None) -> tuple[int, ...]:
    """Return the position of each key among ``d`` columns.

    Raises
    ------
    SettingError
        For names that the table does not have, positions beyond it, columns named twice and
        columns left out.
    """
    positions = tuple(position_of(key, d, names) for key in keys)
    twice = [p for p, times in Counter(positions).items() if times > 1]
    if twice:
        raise SettingError(
            f"Every column must have one noise; {_named(twice, names)} have more. Name each "
            "column once, by its name or by its position."
        )
    missing = sorted(set(range(d)) - set(positions))
    if missing:
        raise SettingError(
            f"Every column must have a noise; {_named(missing, names)} of {d} have none. Add "
            'them to Columns; "shared" fits real numbers.'
        )
    return positions


def _named(positions: Sequence[int], names: Sequence[str] | None) -> str:
    if names is None:
        return f"columns {named_features(positions)}"
    listed = ", ".join(repr(str(names[p])) for p in positions[:8])
    more = len(positions) - 8
    return f"columns {listed}" if more <= 0 else f"columns {listed} and {more} more"
