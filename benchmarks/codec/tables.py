"""The models of tables and photographs that the benchmark of compression codes with: trained once
and saved.
"""

import json
import time
import warnings
from typing import Any

import wellposed as wp
from benchmarks.data import REPOSITORY

from .data import PATCH, Sample

FOLDER = REPOSITORY / "build" / "codec" / "tables"
# Noise on the numbers as they are, beside the defaults.
SETTINGS: dict[str, dict[str, Any]] = {
    "kin8nm": {"noise": "conditional"},
    "power plant": {"noise": "conditional"},
    "letter": {"noise": "discretized-logistic"},
    "single cells": {"noise": "negative-binomial", "n_components": 16, "max_epochs": 30},
    "kodak": {
        "noise": wp.noise.CausalLogistic(256, window=5, mixture=5, hidden=(32,)),
        "image_shape": (PATCH, PATCH, 3),
        "n_components": 16,
        "max_epochs": 30,
    },
}


def trained(sample: Sample, *, share: float) -> Any:
    """Return a model of the training rows of a table, from its file where there is one."""
    stem = f"{sample.name.replace(' ', '-')}-{share:g}"
    path, notes = FOLDER / f"{stem}.wp", FOLDER / f"{stem}.json"
    if path.exists():
        return wp.load(path)
    FOLDER.mkdir(parents=True, exist_ok=True)
    settings = dict(SETTINGS[sample.name])
    if share < 1:
        settings["max_epochs"] = max(2, round(share * settings.get("max_epochs", 200)))
    begun = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # short trainings are intended
        vae = wp.VAE(**settings, random_state=0).fit(sample.train)
    vae.save(path)
    notes.write_text(json.dumps({"seconds": time.perf_counter() - begun}))
    return vae
