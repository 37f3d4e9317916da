"""Training as the recipes do it: on all rows, and in silence."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from wellposed._errors import ConstantFeatureWarning, FloorWarning, TrainingWarning
from wellposed.estimators import VAE


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Floors, constants and unfinished training are in a recipe's record: no warning of them."""
    with warnings.catch_warnings():
        for category in (ConstantFeatureWarning, FloorWarning, TrainingWarning):
            warnings.simplefilter("ignore", category)
        yield


def trained(values: np.ndarray, **settings: Any) -> VAE:
    """Train a VAE on all rows, without early stopping."""
    vae = VAE(**settings, validation_fraction=0.0, patience=None, progress=False)
    with silenced():
        return vae.fit(values)
