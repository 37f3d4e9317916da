"""Training as the recipes do it: on all rows, and in silence."""

import warnings
from typing import Any

import numpy as np

from wellposed._errors import ConstantFeatureWarning, FloorWarning, TrainingWarning
from wellposed.estimators import VAE


def trained(values: np.ndarray, **settings: Any) -> VAE:
    """Train a VAE on all rows, without early stopping.

    What a fit warns of, floors, constants and unfinished training, is in a recipe's record.
    """
    vae = VAE(**settings, validation_fraction=0.0, patience=None, progress=False)
    with warnings.catch_warnings():
        for category in (ConstantFeatureWarning, FloorWarning, TrainingWarning):
            warnings.simplefilter("ignore", category)
        return vae.fit(values)
