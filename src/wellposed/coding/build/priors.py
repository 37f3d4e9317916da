"""Priors as shares of the cells of a grid."""

import numpy as np
from scipy.special import log_softmax

from wellposed._errors import SettingError
from wellposed.latents import AbstractPrior, GaussianMixture, StandardNormal

from ..latents import PLACE_BITS, Grid, MixturePrior, Prior, StandardPrior
from ..latents.mixture import ROOT_BITS
from ..logs import RAW_BITS

_SHARE = 2**24
_EXACT = 2.0**52
_LEAST_SPREAD = 2.0**-8


def integer_prior(prior: AbstractPrior, bits: int) -> Prior:
    """Return the integer twin of a prior, with 2^bits cells of each latent.

    Raises
    ------
    SettingError
        For a prior that is neither standard normal nor a mixture of normals.
    """
    if isinstance(prior, StandardNormal):
        return StandardPrior(Grid.standard(bits, k=prior.k))
    if isinstance(prior, GaussianMixture):
        return _mixture(prior, bits)
    raise SettingError(
        "An integer model needs a standard normal prior or a mixture of normals; got "
        f'{type(prior).__name__}. Fit with prior="standard" or prior="mixture".'
    )


def _mixture(prior: GaussianMixture, bits: int) -> MixturePrior:
    lower = np.tril(np.asarray(prior.cholesky, np.float64))
    means = np.asarray(prior.means, np.float64)
    log_weight = log_softmax(np.asarray(prior.log_weights, np.float64))
    # A column of the other sign is the same covariance.
    lower = lower * np.sign(np.diagonal(lower, axis1=1, axis2=2))[:, None, :]
    root = np.linalg.inv(lower)
    weight = np.maximum(np.floor(np.exp(log_weight) * _SHARE), 1).astype(np.int64)
    weight[weight.argmax()] += _SHARE - weight.sum()
    log_height = log_weight + np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    whole = np.rint(np.tril(root) * 2.0**ROOT_BITS)
    fine = 2.0 ** (PLACE_BITS + ROOT_BITS)
    shift = np.rint(-np.einsum("cij,cj->ci", root, means) * fine)
    log_height = np.rint((log_height - log_height.max()) * 2.0**RAW_BITS)
    rounded = (each.astype(np.int64) for each in (log_height, whole, shift))
    made = MixturePrior(_grid(np.exp(log_weight), means, lower, bits), weight, *rounded)
    if not made.most < _EXACT or whole.diagonal(axis1=1, axis2=2).min() < 1:
        raise SettingError(
            "A mixture prior must have standard deviations from about 10^-4 to 10^4 to be coded; "
            'this one has others. Fit with prior="standard".'
        )
    return made


def _grid(weights: np.ndarray, means: np.ndarray, lower: np.ndarray, bits: int) -> Grid:
    """The cells of the normal with the mixture's mean and variance, latent by latent."""
    mean = weights @ means
    within = (lower**2).sum(axis=2)
    spread = np.maximum(np.sqrt(weights @ (within + (means - mean) ** 2)), _LEAST_SPREAD)
    fine = 2.0**PLACE_BITS
    return Grid(bits, *(np.rint(each * fine).astype(np.int64) for each in (mean, spread)))
