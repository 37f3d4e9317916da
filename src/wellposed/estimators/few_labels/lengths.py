"""Lengths of latents: how far apart two latents are, in the rows that they decode to."""

import numpy as np

from wellposed import models
from wellposed._typing import Latent, Point, PRNGKey
from wellposed.evaluation import over_rows
from wellposed.models import given_columns
from wellposed.numerics import host_generator

from .._vae import VAE

_ROWS = 2_000
_MOST_COLUMNS = 40
_TINY = 1e-12


def units_of(
    vae: VAE, mean: np.ndarray, scale: np.ndarray, rows: np.ndarray | None = None
) -> np.ndarray:
    """Return what latents are multiplied by before distances are taken, shape (k, k).

    Of up to 40 columns :func:`map_to_lengths`. Of more columns, such as images, the latents stay
    as they are: much of what the pixels vary in says nothing of the classes.

    Parameters
    ----------
    vae : fitted
    mean, scale, rows : as of :func:`map_to_lengths`
    """
    if vae.n_features_in_ > _MOST_COLUMNS:
        return np.eye(mean.shape[1])
    return map_to_lengths(vae.model_, mean, scale, rows, key=vae.key("score"))


def map_to_lengths(
    model: models.VAEModel,
    mean: np.ndarray,
    scale: np.ndarray,
    rows: np.ndarray | None = None,
    *,
    key: PRNGKey,
) -> np.ndarray:
    r"""Return a linear map, (k, k), after which a distance is that of the decoded rows.

    .. math:: A A^T = W S^{-1} W^T, \quad \operatorname{E}[y \mid z] \approx b + W^T z

    by least squares over draws of q(z | x) for rows of the data, 2,000 at most, with S the
    variances of the columns of y under the model. p(z) gives each latent the variance one,
    whatever it explains of the data: without the map, one that explains little of them is as long
    as the first.

    Parameters
    ----------
    model : VAEModel
    mean, scale : of q(z | x), arrays of shape (n, k)
    rows : of a conditional model, these rows, which end with their covariates
    key : PRNG key
    """
    generator = host_generator(key)
    chosen = generator.permutation(len(mean))[:_ROWS]
    z = mean[chosen] + scale[chosen] * generator.normal(size=(len(chosen), mean.shape[1]))
    points = z.astype(mean.dtype)
    if model.n_covariates and rows is not None:
        points = np.concatenate([points, given_columns(model, rows[chosen])], axis=1)
    found = over_rows(_moments, model, points, key=key)
    decoded, variance = (part.astype(np.float64) for part in found)
    within = np.where(np.isfinite(variance), variance, 0.0).mean(axis=0)  # heavy tails have none
    deviation = np.sqrt(np.maximum(decoded.var(axis=0) + within, _TINY))
    centred = (decoded - decoded.mean(axis=0)) / deviation
    weight = np.linalg.lstsq(z - z.mean(axis=0), centred)[0]
    left, values, _ = np.linalg.svd(weight @ weight.T)
    return left * np.sqrt(values)


def _moments(model: models.VAEModel, z: Latent, *, key: PRNGKey) -> tuple[Point, Point]:
    density = model.decode(z)
    return density.mean, density.variance
