"""Small trained models of digits for the tests of compression."""

import functools
import warnings
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import wellposed as wp


@functools.cache
def digits() -> np.ndarray:
    """The handwritten digits of scikit-learn: levels 0 to 16, shape (1797, 64)."""
    return load_digits().data.astype(np.int64)


_LOGISTIC = functools.partial(wp.noise.DiscretizedLogistic, 17)
_NORMAL = functools.partial(wp.noise.DiscretizedGaussian, 17)

# Noise, and settings beside those of `trained`.
MODELS: dict[str, tuple[Any, dict[str, Any]]] = {
    "logistic": (_LOGISTIC, {}),
    "linear start": (_LOGISTIC, {"linear_start": True}),
    "smooth": (_LOGISTIC, {"activation": "silu"}),
    "normal, shared": (_NORMAL, {}),
    "normal, feature": (functools.partial(_NORMAL, "feature"), {}),
    "causal": (
        functools.partial(wp.noise.CausalLogistic, 17, window=3, mixture=3, hidden=(16,)),
        {"image_shape": (8, 8), "max_epochs": 12},
    ),
    "prior": (_LOGISTIC, {"prior": "mixture", "n_prior_components": 7, "max_epochs": 12}),
    "pseudo-inputs": (_LOGISTIC, {"prior": "vamp", "n_prior_components": 5}),
    "mixture": (functools.partial(_LOGISTIC, mixture=3), {}),
}


@functools.cache
def trained(name: str) -> Any:
    """A VAE of the digits, trained for a few epochs: the core's model."""
    noise, settings = MODELS[name]
    chosen = {"hidden": (32,), "max_epochs": 4, "random_state": 0, "linear_start": False}
    chosen["prior"] = "standard"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few epochs are intended
        vae = wp.VAE(4, noise=noise(), **(chosen | settings))
        return vae.fit(digits()).model_
