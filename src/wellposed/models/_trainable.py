"""The mask of the leaves that the optimiser trains."""

import equinox as eqx
import jax

from wellposed._typing import Tree

from ._vae import VAEModel


def trainable(model: VAEModel) -> Tree:
    """Mask the model's leaves: True for the weights of networks and the learned parameters of the
    noise and the prior.

    A given variance, a floor, the transform's statistics and a fixed prior are not in the
    optimiser's tree: with ``stop_gradient`` alone, weight decay would change them.

    Parameters
    ----------
    model : VAEModel

    Returns
    -------
    pytree of booleans with the structure of the model
    """
    mask = jax.tree.map(lambda _: False, model)
    networks = jax.tree.map(eqx.is_inexact_array, (model.encoder, model.decoder))
    mask = eqx.tree_at(lambda m: (m.encoder, m.decoder), mask, networks)
    for learned in (lambda m: m.noise.parameters(), lambda m: m.prior.parameters()):
        if learned(model):
            mask = eqx.tree_at(learned, mask, (True,) * len(learned(model)))
    return mask
