"""From a column's name or position to its position."""

from collections.abc import Sequence

import numpy as np

from wellposed._errors import SettingError, unknown_name


def key_of(key: object) -> str | int:
    """Return what names a column, checked.

    Raises
    ------
    SettingError
        For anything but a string or a whole number.
    """
    if isinstance(key, str):
        return key
    if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
        return int(key)
    raise SettingError(
        f"A column must be given by name or position; got {key!r}. Use a string or a whole number."
    )


def position_of(key: str | int, d: int, names: Sequence[str] | None) -> int:
    """Return the position of a column among ``d``.

    Raises
    ------
    SettingError
        For a name that the table does not have, or has not at all, and a position beyond it.
    """
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
