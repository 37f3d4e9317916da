"""Training for the recipes: on all rows, without warnings."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from wellposed._errors import ConstantFeatureWarning, FloorWarning, TrainingWarning
from wellposed.estimators import VAE


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Suppress warnings of floors, constants and unfinished training: the records state them."""
    with warnings.catch_warnings():
        for category in (ConstantFeatureWarning, FloorWarning, TrainingWarning):
            warnings.simplefilter("ignore", category)
        yield


def train(values: np.ndarray, **settings: Any) -> VAE:
    """Train a VAE on all rows, without early stopping."""
    vae = VAE(**settings, validation_fraction=0.0, patience=None, progress=False)
    with without_warnings():
        return vae.fit(values)
