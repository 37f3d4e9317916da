"""Settings as users give them, NumPy's scalars and arrays too, as plain Python values."""

from typing import Any

import numpy as np

_SIZES = ("hidden", "image_shape")


def plain(value: Any) -> Any:
    """Return NumPy's numbers, flags and text, alone or in sequences, as Python's.

    They come from ``np.arange`` in a grid and from ``scipy.stats`` in a random search. What is
    plain already, and every other object, is returned as it is.
    """
    if isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0 and value.dtype.kind != "O":
        return value.item()
    if type(value) is tuple and any(isinstance(item, np.generic) for item in value):
        return tuple(plain(item) for item in value)
    if type(value) is list and any(isinstance(item, np.generic) for item in value):
        return [plain(item) for item in value]
    return value


def settings_of(estimator: Any) -> dict[str, Any]:
    """Return the constructor's settings by name, in plain values."""
    settings = {name: plain(value) for name, value in estimator.get_params(deep=False).items()}
    for name in _SIZES:
        if isinstance(settings.get(name), np.ndarray):
            settings[name] = tuple(settings[name].tolist())
    return settings
