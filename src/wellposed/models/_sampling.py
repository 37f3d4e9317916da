"""Draws from a model, one datum at a time."""

import jax

from wellposed._typing import Latent, Point, PRNGKey, Scalar
from wellposed.noise.parts.density import AbstractDensity

from ._vae import VAEModel


def ancestral(model: VAEModel, z: Latent, alpha: Scalar, *, key: PRNGKey) -> Point:
    """Draw x ~ p(x | z), data units.

    Parameters
    ----------
    model : VAEModel
    z : shape (k,)
    alpha : not used
    key : PRNG key
    """
    del alpha
    return model.transform.inverse(model.decode(z).sample(key))


def mean(model: VAEModel, z: Latent, alpha: Scalar, *, key: PRNGKey) -> Point:
    """Return the mean x = μ(z), without noise, data units; of a category, its likeliest level.

    Parameters
    ----------
    model : VAEModel
    z : shape (k,)
    alpha : not used
    key : PRNG key, not used
    """
    del alpha, key
    density = model.decode(z)
    own = isinstance(density, AbstractDensity)  # a user's may be any distribution of numpyro
    return model.transform.inverse(density.central if own else density.mean)


def coupled(model: VAEModel, z: Latent, alpha: Scalar, *, key: PRNGKey) -> Point:
    """Return the quantile Φ(α) of every feature, data units: μ(z) + α σ(z) for a Gaussian.

    Parameters
    ----------
    model : VAEModel
    z : shape (k,)
    alpha : α
    key : PRNG key, not used
    """
    del key
    return model.transform.inverse(model.decode(z).coupled(alpha))


SAMPLERS = {"ancestral": ancestral, "mean": mean, "coupled": coupled}
"""Functions that compute x from z, by the names that ``how`` takes."""


def sample(model: VAEModel, how: str, alpha: Scalar, *, key: PRNGKey) -> Point:
    """Draw z from the prior, then x given z, shape (d,), data units.

    Parameters
    ----------
    model : VAEModel
    how : a key of ``SAMPLERS``
    alpha : α of coupled samples
    key : PRNG key

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> sample(vae.model_, "ancestral", jnp.asarray(0.0), key=key).shape
    (4,)
    """
    latent_key, noise_key = jax.random.split(key)
    return SAMPLERS[how](model, model.prior.sample(key=latent_key), alpha, key=noise_key)
