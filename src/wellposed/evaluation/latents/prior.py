"""Log density and draws of a prior, many at once."""

from typing import Any

import jax
import numpy as np

from wellposed._compiled import compiled_soon
from wellposed._forks import check_process
from wellposed._typing import Latent, PRNGKey, Scalar
from wellposed.latents import AbstractPrior, StandardNormal

from .._rows import over_rows


def log_prior(prior: AbstractPrior, z: Any) -> np.ndarray:
    """Return log p(z) of each z, shape (n,), float64, in nats.

    Parameters
    ----------
    prior : p(z)
    z : array of shape (n, k)

    Examples
    --------
    >>> from wellposed.latents import StandardNormal
    >>> log_prior(StandardNormal(2), np.zeros((1, 2))).round(4).tolist()
    [-1.8379]
    """
    return over_rows(_log_density, prior, z, key=jax.random.key(0)).astype(np.float64)


def draw_prior(prior: AbstractPrior, n: int, *, key: PRNGKey) -> np.ndarray:
    """Draw n latents z ~ p(z), shape (n, k).

    Parameters
    ----------
    prior : p(z)
    n : number of draws
    key : PRNG key

    Examples
    --------
    >>> from wellposed.latents import StandardNormal
    >>> draw_prior(StandardNormal(2), 5, key=jax.random.key(0)).shape
    (5, 2)
    """
    check_process()
    return np.asarray(_draws(prior, key, n))


def plotted_prior(prior: AbstractPrior, n: int = 1_000, *, key: PRNGKey) -> np.ndarray | None:
    """Return draws of p(z) to plot, shape (n, k); None for N(0, I), whose contours are circles.

    Parameters
    ----------
    prior : p(z)
    n : number of draws
    key : PRNG key
    """
    return None if isinstance(prior, StandardNormal) else draw_prior(prior, n, key=key)


def _log_density(prior: Any, z: Latent, *, key: PRNGKey) -> Scalar:
    del key
    return prior.log_prob(z)


@compiled_soon
def _draws(prior: AbstractPrior, key: PRNGKey, n: int) -> jax.Array:
    return jax.vmap(lambda key: prior.sample(key=key))(jax.random.split(key, n))
