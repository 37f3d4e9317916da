"""A masked autoregressive flow of flowjax, which is an optional package."""

import importlib.util
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .fitted import Fitted, SkippedError, on_standardised

_PATIENCE, _MOST_EPOCHS = 20, 2_000  # more than by default: it ends where validation says so


@on_standardised
def flow(train: np.ndarray, _folds: int) -> Fitted:
    """The flow of default size and step, until its validation on a tenth no longer improves."""
    if importlib.util.find_spec("flowjax") is None:
        raise SkippedError("flowjax is not installed")
    from flowjax.distributions import StandardNormal
    from flowjax.flows import masked_autoregressive_flow
    from flowjax.train import fit_to_data

    network_key, fit_key = jax.random.split(jax.random.key(0))
    start: Any = masked_autoregressive_flow(
        network_key, base_dist=StandardNormal((train.shape[1],))
    )
    trained, losses = fit_to_data(
        fit_key,
        start,
        jnp.asarray(train),
        max_epochs=_MOST_EPOCHS,
        max_patience=_PATIENCE,
        show_progress=False,
    )
    log_density = eqx.filter_jit(trained.log_prob)
    return Fitted(
        lambda rows: np.asarray(log_density(jnp.asarray(rows)), np.float64),
        f"{len(losses['val'])} epochs",
    )
