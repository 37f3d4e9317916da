"""When a figure is beyond its bounds for sure, and how many rows would tell."""

import math

from .._estimate import Estimate
from .record import FAULT, OPEN, SOUND

_CLEAR = 3.0  # standard errors


def beyond(found: Estimate, low: float, high: float) -> str:
    """Return "fault" if clearly outside [low, high], "sound" if inside, "open" if unclear."""
    value, error = found.value, found.standard_error
    if math.isnan(value) or low <= value <= high:
        return SOUND
    away = value - high if value > high else low - value
    return OPEN if away < _CLEAR * (0 if math.isnan(error) else error) else FAULT


def rows_needed(found: Estimate, low: float, high: float, n: int) -> str:
    """Say how many rows would settle a figure that is beyond its bounds, but not clearly."""
    away = max(found.value - high, low - found.value)
    if away <= 0:
        return ""
    needed = math.ceil(n * (_CLEAR * found.standard_error / away) ** 2)
    return f"{n} rows cannot settle this; some {float(f'{needed:.2g}'):,.0f} would."
