"""Fitting under Ctrl-C."""

import warnings
from typing import Any


def train(vae: Any, source: Any) -> bool:
    """Fit the estimator; return whether Ctrl-C stopped it."""
    with warnings.catch_warnings():
        # Each command says it in its own words, which name the file and the options.
        warnings.filterwarnings("ignore", message="Training was interrupted")
        vae.fit(source)
    return vae.outcome_.value == "interrupted"
