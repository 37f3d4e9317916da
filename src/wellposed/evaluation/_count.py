"""The check of every setting that counts something."""

from typing import Any

import numpy as np

from wellposed._errors import SettingError


def check_count(name: str, value: Any, advice: str = "", *, least: int = 1) -> int:
    """Return a whole number of at least ``least``.

    Raises
    ------
    SettingError
        For anything else.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        advice = advice or f"Change {name}."
        raise SettingError(f"{name} must be a whole number ≥ {least}; got {value!r}. {advice}")
    return int(value)
