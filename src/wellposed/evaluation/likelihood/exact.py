"""log p(x) in closed form, for a linear decoder with Gaussian noise."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special

from wellposed._errors import SettingError
from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.latents import GaussianMixture, StandardNormal
from wellposed.models import VAEModel
from wellposed.nn import MLP, Linear, LinearSkip
from wellposed.noise import Gaussian
from wellposed.numerics import LOG_2PI

from .._rows import over_rows

_REMEDY = 'Use method="importance", or "ais" if k̂ exceeds 0.7.'


def has_exact_log_likelihood(model: VAEModel) -> bool:
    """Whether p(x) is a mixture of Gaussians.

    The decoder is one affine layer, z does not affect its Gaussian noise, and the prior is a
    standard normal or a mixture of Gaussians.

    Parameters
    ----------
    model : VAEModel

    Returns
    -------
    True if :func:`exact_log_likelihood` accepts the model
    """
    gaussian = isinstance(model.noise, Gaussian) and model.noise.kind != "conditional"
    mixture = isinstance(model.prior, StandardNormal | GaussianMixture)
    return gaussian and mixture and _is_affine(model.decoder)


def _is_affine(network: Any) -> bool:
    if isinstance(network, LinearSkip):
        network = network.network
    return isinstance(network, Linear) or (isinstance(network, MLP) and len(network.layers) == 1)


def exact_log_likelihood(model: VAEModel, rows: Any, *, key: PRNGKey) -> np.ndarray:
    r"""Evaluate log p(x) of each row, shape (n,), float64, nats in data units.

    For a decoder with mean Wz + b, diagonal noise covariance Σ and p(z) = ∑ᵢ wᵢ N(mᵢ, LᵢLᵢᵀ),

    .. math:: p(y) = \sum_i w_i \, N(y \mid W m_i + b, \; W L_i L_i^T W^T + \Sigma)

    which for N(0, I) is N(b, WWᵀ + Σ). The quadratic form is a sum of two parts, along the singular
    vectors of Σ^{−1/2}W and orthogonal to them, so that it subtracts no large squares; the
    orthogonal part is the same for all i. All sums are in float64. A feature that never varies has
    the density of its constant.

    Parameters
    ----------
    model : VAEModel for which :func:`has_exact_log_likelihood` is true
    rows : array of shape (n, d), data units
    key : PRNG key for dequantisation, if the transform dequantises

    Raises
    ------
    SettingError
        If p(x) has no closed form.

    References: Tipping & Bishop (1999), §3.1; Woodbury (1950).

    Examples
    --------
    >>> import wellposed as wp
    >>> linear = wp.VAE(1, hidden=(), noise="shared", prior="standard", max_epochs=2)
    >>> exact_log_likelihood(linear.fit(X).model_, X, key=key).shape
    (150,)
    """
    if not has_exact_log_likelihood(model):
        raise SettingError(
            "log p(x) has a closed form for a decoder of one affine layer (hidden=()) with "
            "Gaussian noise that does not depend on z, and a prior that is a standard normal or a "
            f"mixture of Gaussians; got {type(model.decoder).__name__}, "
            f"{type(model.noise).__name__} noise and {type(model.prior).__name__}. {_REMEDY}"
        )
    y, log_det, own = over_rows(_mapped, model, rows, key=key)
    mean, weight, variance = (np.asarray(part, np.float64) for part in _affine(model))
    y = y.astype(np.float64)
    if model.n_covariates:  # which move the mean alone
        y = y - own.astype(np.float64) + mean
    density: Any = model.decode(jnp.zeros(model.prior.k))  # Features, since noise is Gaussian
    constants = density.constants
    if constants is not None:
        v = np.asarray(constants.varies)
        log_det = log_det + over_rows(_log_constants, constants, y, key=key)
        y, mean, weight, variance = y[:, v], mean[v], weight[v], variance[v]
    return log_det + _log_density(y, mean, weight, np.sqrt(variance), model.prior)


def _log_density(
    y: np.ndarray, mean: np.ndarray, weight: np.ndarray, scale: np.ndarray, prior: Any
) -> np.ndarray:
    """Return log p(y) of each of n rows, shape (n, d), for N(0, I) or a mixture of m Gaussians."""
    if isinstance(prior, StandardNormal):
        return _log_gaussian(y, mean, weight, scale)
    means, cholesky = np.asarray(prior.means, np.float64), np.tril(prior.cholesky)
    log_weights = scipy.special.log_softmax(np.asarray(prior.log_weights, np.float64))
    whitened = (y - mean) / scale
    axes, sizes, rotation = np.linalg.svd(weight / scale[:, None], full_matrices=False)
    along = whitened @ axes
    across = whitened - along @ axes.T
    inward = sizes[:, None] * rotation  # from z to coordinates along the axes
    joint = [
        log_w + _log_gaussian(along, inward @ m, inward @ root, np.ones(len(sizes)))
        for log_w, m, root in zip(log_weights, means, cholesky, strict=True)
    ]
    rest = (across**2).sum(1) + (len(mean) - len(sizes)) * LOG_2PI + 2.0 * np.log(scale).sum()
    return scipy.special.logsumexp(joint, axis=0) - 0.5 * rest


def _log_gaussian(
    y: np.ndarray, mean: np.ndarray, weight: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """Return log N(y | mean, WWᵀ + diag scale²) of each of n rows, shape (n, d)."""
    whitened = (y - mean) / scale
    axes, sizes, _ = np.linalg.svd(weight / scale[:, None], full_matrices=False)
    along = whitened @ axes
    across = whitened - along @ axes.T
    explained = 1.0 + sizes**2
    quadratic = (along**2 / explained).sum(1) + (across**2).sum(1)
    log_det = np.log(explained).sum() + 2.0 * np.log(scale).sum()
    return -0.5 * (quadratic + log_det + len(mean) * LOG_2PI)


def _log_constants(constants: Any, y: Point, *, key: PRNGKey) -> Scalar:
    del key
    return jnp.where(constants.varies, 0.0, constants.density.log_prob(y)).sum()


def _mapped(model: VAEModel, x: Point, *, key: PRNGKey) -> tuple[Point, Scalar, Point]:
    """Return y, log |det dT/dx|, and the mean of p(y | z) at z = 0."""
    mapped = model.to_model_units(x, key=key)
    return mapped.value, mapped.log_det, model.decode(jnp.zeros(model.prior.k)).mean


def _affine(model: VAEModel) -> tuple[Point, jax.Array, Point]:
    """Return the mean at z = 0, its Jacobian (d, k) and the noise variances (d,)."""
    origin = jnp.zeros(model.prior.k)
    p = model.decode(origin)
    slope = jax.jacfwd(lambda z: model.decode(z).mean)(origin)
    return p.mean, slope, jnp.broadcast_to(p.variance, p.mean.shape)
