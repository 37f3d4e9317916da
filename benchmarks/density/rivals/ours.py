"""Our VAE, with its default settings or others."""

from collections.abc import Mapping
from typing import Any

import numpy as np

import wellposed as wp

from .fitted import Fitted, Rival


def vae_of(settings: Mapping[str, Any]) -> Rival:
    """Return the rival that fits a VAE with these settings beside the defaults."""

    def vae(train: np.ndarray, _folds: int) -> Fitted:
        fitted = wp.VAE(**{"random_state": 0, "progress": False} | dict(settings)).fit(train)
        return Fitted(
            lambda rows: np.asarray(fitted.score_samples(rows), np.float64),
            f"{fitted.n_epochs_} epochs",
        )

    return vae
