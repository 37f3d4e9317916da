"""Draws z ~ q(z | x) of data, and their density under the aggregate posterior."""

import dataclasses

import jax
import numpy as np
from numpy.typing import ArrayLike

from wellposed._budget import at_once, slices
from wellposed._forks import check_process
from wellposed._typing import PRNGKey
from wellposed.latents import StandardNormal
from wellposed.models import VAEModel
from wellposed.numerics import LOG_2PI, host_generator

from .._passes import posteriors, total_rates
from .._rows import subsample

_LEAST_SCALE = 1e-30  # its inverse square is finite


@dataclasses.dataclass(frozen=True)
class Codes:
    """q(z | x) of n rows, and one draw of each, in float64.

    Parameters
    ----------
    loc, scale : shape (n, k), mean and standard deviation of q(z | x)
    noise : shape (n, k), standard normal draws
    rates : shape (n,), KL(q(z | x) ‖ p(z)), nats; see :func:`wellposed.evaluation.total_rates`

    Examples
    --------
    >>> loc, scale, noise = np.array([[1.0]]), np.array([[0.5]]), np.array([[2.0]])
    >>> Codes(loc, scale, noise, rates=np.array([0.8])).z.tolist()
    [[2.0]]
    """

    loc: np.ndarray
    scale: np.ndarray
    noise: np.ndarray
    rates: np.ndarray

    @property
    def z(self) -> np.ndarray:
        """The draws, shape (n, k)."""
        return self.loc + self.scale * self.noise

    @property
    def log_density(self) -> np.ndarray:
        """log q(z_i | x_i) of each draw under the posterior of its own row, shape (n,), nats."""
        k = self.loc.shape[1]
        return -0.5 * (self.noise**2).sum(1) - np.log(self.scale).sum(1) - 0.5 * k * LOG_2PI


def codes(
    model: VAEModel, rows: ArrayLike, *, key: PRNGKey, most: int, noise_key: PRNGKey | None = None
) -> Codes:
    """Draw z ~ q(z | x) once for each row.

    Equal rows have independent draws: for data with few distinct rows, q(z) is still a mixture of
    Gaussians.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    key : PRNG key
    most : largest number of rows to use, spread evenly over the data
    noise_key : PRNG key of the draws; by default it is derived from ``key``

    Returns
    -------
    Codes

    Examples
    --------
    >>> codes(model, X, key=key, most=100).z.shape
    (100, 2)
    """
    check_process()
    rows = subsample(np.asarray(rows), most)
    parts = posteriors(model, rows, key=key)
    loc, scale, rates = (np.asarray(part, np.float64) for part in parts)
    if isinstance(model.prior, StandardNormal):
        rates = rates.sum(axis=1)
    else:
        rates = total_rates(model, rows, key=key)
    # The host draws, since a compiled generator is compiled for each number of rows.
    noise_key = jax.random.fold_in(key, 1) if noise_key is None else noise_key
    noise = host_generator(noise_key).normal(size=loc.shape)
    return Codes(loc, np.maximum(scale, _LEAST_SCALE), noise, rates)


def log_aggregate(codes: Codes, z: np.ndarray, *, leave_out: bool = False) -> np.ndarray:
    r"""Return log q(z), with q(z) = (1/n) Σ_j q(z | x_j).

    With ``leave_out``, the sum omits the row of each draw,
    q(z_i) = (1/(n − 1)) Σ_{j≠i} q(z_i | x_j).

    The quadratic form is expanded into matrix products, in float64. Its rounding error is
    negligible for posteriors with a scale above 1e-6.

    Parameters
    ----------
    codes : q(z | x) of n rows
    z : array of shape (s, k), latents
    leave_out : whether to omit the row of each draw; ``z`` must then be the draws of ``codes``

    Returns
    -------
    array of shape (s,), nats
    """
    centre = codes.loc.mean(axis=0)
    loc, precision = codes.loc - centre, codes.scale**-2
    constant = -0.5 * ((loc**2 * precision).sum(1) + loc.shape[1] * LOG_2PI)
    constant -= np.log(codes.scale).sum(1)
    linear, n = (loc * precision).T, len(loc)
    log_density = np.empty(len(z))
    for part in slices(len(z), at_once(n, len(z))):
        piece = z[part] - centre
        log_q = piece @ linear - 0.5 * piece**2 @ precision.T + constant
        if leave_out:
            own = np.arange(len(piece))
            log_q[own, part.start + own] = -np.inf
        highest = log_q.max(axis=1)
        log_density[part] = highest + np.log(np.exp(log_q - highest[:, None]).sum(axis=1))
    return log_density - np.log(n - leave_out)
