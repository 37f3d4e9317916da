"""The check of every setting that counts something."""

from typing import Any

import numpy as np

from wellposed._errors import SettingError

MOST = 10_000_000  # draws, chains or steps: beyond, no call ends in a day


def check_count(
    name: str, value: Any, advice: str = "", *, least: int = 1, most: int = MOST
) -> int:
    """Return a whole number of at least ``least`` and at most ``most``.

    Raises
    ------
    SettingError
        For anything else.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        advice = advice or f"Change {name}."
        raise SettingError(f"{name} must be a whole number ≥ {least}; got {value!r}. {advice}")
    if value > most:
        raise SettingError(
            f"{name} must be at most {most:,}; got {value:,}. {advice or f'Change {name}.'}"
        )
    return int(value)
