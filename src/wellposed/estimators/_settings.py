"""The settings of an estimator as plain Python values."""

from typing import Any

import numpy as np

from wellposed._checks import plain

_SIZES = ("hidden", "image_shape")


def settings_of(estimator: Any) -> dict[str, Any]:
    """Return the constructor's settings by name, in plain values."""
    settings = {name: plain(value) for name, value in estimator.get_params(deep=False).items()}
    for name in _SIZES:
        if isinstance(settings.get(name), np.ndarray):
            settings[name] = tuple(settings[name].tolist())
    return settings
