"""Training for the recipes: on all rows, without warnings."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from wellposed._errors import ConstantFeatureWarning, FloorWarning, TrainingWarning
from wellposed.estimators import VAE

from ._textbook import TEXTBOOK


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Suppress warnings of floors, constants and unfinished training: the records state them."""
    with warnings.catch_warnings():
        for category in (ConstantFeatureWarning, FloorWarning, TrainingWarning):
            warnings.simplefilter("ignore", category)
        yield


def train(values: np.ndarray, **settings: Any) -> VAE:
    """Train a VAE on all rows, without early stopping."""
    own = {"validation_fraction": 0.0, "patience": None, "progress": False}
    vae = VAE(**(TEXTBOOK | settings | own))
    with without_warnings():
        return vae.fit(values)
