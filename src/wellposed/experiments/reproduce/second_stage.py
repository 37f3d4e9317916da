"""A second VAE of the codes of a first: a source of z without a density (Dai & Wipf 2019, §4)."""

import numpy as np

from wellposed import evaluation
from wellposed.estimators import VAE
from wellposed.training import Outcome

_MOST_CODES = 20_000  # about two minutes of training
# Codes have no resolution of measurement: this share of their standard deviation is the floor.
_FINEST = 1e-3


def second_stage(first: VAE, rows: np.ndarray, *, max_epochs: int = 150) -> VAE:
    r"""Train a VAE on one draw z ~ q(z | x) of each row, separately from the first VAE.

    .. math:: u \sim N(0, I_k), \qquad z \mid u \sim N(\mu(u), \gamma I_k)

    The aggregate q(z) of the first stage has full dimension, since q(z | x) fills R^k, so a second
    VAE with k latents can match it.

    Parameters
    ----------
    first : a fitted VAE
    rows : array of shape (n, d), data units; 20,000 of them are used at most
    max_epochs : of the second VAE

    Raises
    ------
    KeyboardInterrupt
        If its training was interrupted: a half-trained source of z is of no use.
    """
    codes = evaluation.codes(
        first.model_, first.rows(rows), key=first.key("codes"), most=_MOST_CODES
    ).z
    second = VAE(
        codes.shape[1],
        noise="shared",
        prior="standard",
        transform="standardize",
        resolution=_FINEST * codes.std(axis=0),
        hidden=(256, 256),
        activation="relu",
        linear_start=False,
        ema_decay=0.0,
        kl_warmup=0,
        learning_rate=1e-3,
        weight_decay=0.0,
        max_epochs=max_epochs,
        patience=15,
        progress=first.progress,
        random_state=0,
    ).fit(codes)
    if second.outcome_ is Outcome.interrupted:
        raise KeyboardInterrupt
    return second


def two_stage_means(first: VAE, second: VAE, n_samples: int) -> np.ndarray:
    """Return μ(z) of the first VAE at draws z of the second, shape (n_samples, d), data units."""
    return first.inverse_transform(second.sample(n_samples))
