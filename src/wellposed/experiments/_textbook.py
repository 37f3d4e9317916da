"""Settings of a VAE as papers train it, which reproductions start from."""

from typing import Any

TEXTBOOK: dict[str, Any] = {
    "n_components": 10,
    "noise": "shared",
    "prior": "standard",
    "hidden": (256, 256),
    "activation": "relu",
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "max_epochs": 200,
    "patience": 20,
    "linear_start": False,
    "kl_warmup": 0,
    "ema_decay": 0.0,
    "validation_folds": 0,
}
"""Settings of a VAE as papers train it: N(0, I), one learned σ², Adam, networks drawn at random.

There is no start at the linear solution, no average of the parameters, no weight decay and no
warm-up of the KL.
"""
