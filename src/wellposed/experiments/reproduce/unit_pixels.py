"""Images of 28×28 with pixels in [0, 1], not dequantised, as several sources train on them."""

from typing import Any

import numpy as np

from wellposed import datasets
from wellposed.estimators import VAE

from .._textbook import TEXTBOOK


def unit_pixels(parts: datasets.Splits) -> tuple[np.ndarray, np.ndarray]:
    """Return the training and the test images divided by 255, float32, shapes (n, 784)."""
    train, test = (part.values / np.float32(255) for part in (parts.train, parts.test))
    return train, test


def unit_vae(n_components: int, **settings: Any) -> VAE:
    """Return a VAE of such images that trains on all rows for a fixed number of epochs."""
    common = {
        "n_components": n_components,
        "image_shape": (28, 28),
        "transform": "identity",
        "validation_fraction": 0.0,
        "patience": None,
    }
    return VAE(**(TEXTBOOK | common | settings))
