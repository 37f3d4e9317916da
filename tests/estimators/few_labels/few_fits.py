"""Small data with few labels, and one fit of each method, which several modules of tests read."""

import functools
import warnings

import numpy as np
import pandas as pd

import wellposed as wp

_RNG = np.random.default_rng(0)
N, D = 240, 4
CENTRES = 3.0 * _RNG.normal(size=(3, D))
KIND = _RNG.integers(3, size=N)
X = CENTRES[KIND] + _RNG.normal(size=(N, D)) @ _RNG.normal(size=(D, D)) * 0.5
FEW = np.where(np.arange(N) < 15, KIND, -1)
FRAME = pd.DataFrame(X[:, :2], columns=["u", "v"]).assign(
    kind=np.where(KIND == 0, "no", "yes"), amount=_RNG.poisson(2 + 3 * KIND)
)
METHODS = ("features", "joint", "stacked", "auxiliary")


def small(method="joint", **settings):
    vae = settings.pop("vae", {})
    chosen = {"n_components": 2, "hidden": (16,), "max_epochs": 40, "prior": "standard"}
    inner = wp.VAE(**(chosen | vae))
    if method == "stacked":
        settings.setdefault("second_vae", wp.VAE(1, hidden=(8,), max_epochs=150))
    settings = {
        "spread_share": 0,
        "calibration_folds": 0,
        "progress": False,
        "random_state": 0,
        **settings,
    }
    return wp.SemiSupervisedVAE(method, vae=inner, **settings)


@functools.cache
def fitted_by(method):
    """The fit of a method to ``X`` and ``FEW``; for reading only."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wp.WellposedWarning)
        return small(method, calibration_folds=3).fit(X, FEW)
