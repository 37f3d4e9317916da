"""Quantities of each datum under a model: latents, reconstructions, ELBO, rates."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from wellposed._checks import check_count
from wellposed._compiled import compiled_soon
from wellposed._forks import check_process
from wellposed._typing import Latent, Point, PRNGKey, Scalar, Variance
from wellposed.latents import StandardNormal
from wellposed.models import (
    SAMPLERS,
    VAEModel,
    covariates_of_draws,
    draw_keys,
    given_columns,
    sample,
)
from wellposed.numerics import on_device, scalar
from wellposed.objectives import ElboTerms

from ._rows import in_chunks, over_rows, subsample
from ._spread import in_turn
from ._work import chunk_within, rows_within, work_of

DRAWN = 256
"""Number of draws that are made at once, under a random key of their own."""
_VARIANCE_ROWS, _CHUNK = 2_000, 256
_RATE_DRAWS = 16


def latent_means(model: VAEModel, rows: ArrayLike, *, key: PRNGKey) -> np.ndarray:
    """Return the posterior mean E[z | x] of each row, shape (n, k).

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    key : PRNG key

    Examples
    --------
    >>> latent_means(model, X, key=key).shape
    (150, 2)
    """
    return posteriors(model, rows, key=key)[0]


def posteriors(model: VAEModel, rows: ArrayLike, *, key: PRNGKey) -> tuple[np.ndarray, ...]:
    """Return the mean and σ of q(z | x), and the rate of each latent in nats, each (n, k).

    The rates are those of :func:`rates`. One compiled program computes all three, and fitting uses
    the same program.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    key : PRNG key

    Examples
    --------
    >>> [values.shape for values in posteriors(model, X, key=key)]
    [(150, 2), (150, 2), (150, 2)]
    """
    return over_rows(_posterior, model, rows, key=key)


def reconstructions(model: VAEModel, rows: ArrayLike, *, key: PRNGKey) -> np.ndarray:
    """Return the decoder mean at the posterior mean of each row, shape (n, d), data units.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    key : PRNG key

    Examples
    --------
    >>> reconstructions(model, X, key=key).shape
    (150, 4)
    """
    means = latent_means(model, rows, key=key)
    if model.n_covariates:
        means = np.concatenate([means, given_columns(model, rows)], axis=1)
    return decode(model, means, how="mean", key=key)


def elbo(model: VAEModel, rows: ArrayLike, *, n_samples: int, key: PRNGKey) -> ElboTerms:
    """Estimate the ELBO terms of each row, with the log likelihood averaged over draws of z.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    n_samples : draws of z ~ q(z | x) a row
    key : PRNG key

    Returns
    -------
    ElboTerms with arrays of shape (n,), in nats and data units

    Raises
    ------
    SettingError
        If ``n_samples`` is below one or above 100,000.

    Examples
    --------
    >>> elbo(model, X, n_samples=8, key=key).elbo.shape
    (150,)
    """
    n_samples = check_count("n_samples", n_samples, "16 is a start.", most=100_000)
    return over_rows(_elbo, model, rows, key=key, n_samples=n_samples)


def squared_residuals(model: VAEModel, rows: ArrayLike, *, key: PRNGKey) -> np.ndarray:
    """Return ‖y − μ(z)‖² for one draw z ~ q(z | x) of each row, shape (n,), model units².

    It is of the observed entries. Its mean over rows, divided by d, is the σ² that maximises the
    ELBO of these networks.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    key : PRNG key

    Examples
    --------
    >>> squared_residuals(model, X, key=key).shape
    (150,)
    """
    return over_rows(_squared_residual, model, rows, key=key)


def _squared_residual(model: VAEModel, x: Point, *, key: PRNGKey) -> Scalar:
    inferred, (latent_key,) = model.infer(x, key=key), draw_keys(key, 1)
    return jnp.sum(inferred.residual(model.decode(inferred.q.rsample(latent_key)).mean) ** 2)


def _elbo(model: VAEModel, x: Point, *, key: PRNGKey, n_samples: int) -> ElboTerms:
    inferred, (latent_key,) = model.infer(x, key=key), draw_keys(key, 1)

    def add(total: Scalar, draw_key: PRNGKey) -> tuple[Scalar, Scalar]:
        standard = jax.random.normal(draw_key, inferred.q.batch_shape)
        p = model.decode(inferred.q.loc + inferred.q.scale * standard)
        return total + p.log_prob(inferred.y), model.prior.log_ratio(inferred.q, standard)

    keys = jax.random.split(latent_key, n_samples)
    total, log_ratios = jax.lax.scan(add, jnp.zeros(()), keys)
    rate = model.prior.rate(inferred.q, log_ratios)
    return ElboTerms(total / n_samples + inferred.log_det, rate)


def rates(model: VAEModel, rows: ArrayLike, *, key: PRNGKey) -> np.ndarray:
    """Return KL(q(z_i | x) ‖ N(m_i, s_i²)) of each row and latent, shape (n, k), in nats.

    m_i and s_i are the mean and the standard deviation of p(z_i). For N(0, I) the sum over latents
    is the rate of the row; for another prior see :func:`total_rates`.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    key : PRNG key

    Examples
    --------
    >>> rates(model, X, key=key).shape
    (150, 2)
    """
    return posteriors(model, rows, key=key)[2]


def total_rates(model: VAEModel, rows: ArrayLike, *, key: PRNGKey) -> np.ndarray:
    """Return KL(q(z | x) ‖ p(z)) of each row, shape (n,), float64, in nats.

    It is exact for N(0, I), and the mean of 16 draws a row for other priors.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    key : PRNG key

    Examples
    --------
    >>> total_rates(model, X, key=key).shape
    (150,)
    """
    if isinstance(model.prior, StandardNormal):
        return posteriors(model, rows, key=key)[2].astype(np.float64).sum(axis=1)
    return over_rows(_total_rate, model, rows, key=key).astype(np.float64)


def standardised_residuals(model: VAEModel, rows: ArrayLike, *, key: PRNGKey) -> np.ndarray:
    """Return (y − E[y|z])/√Var[y|z] at the posterior mean z, shape (n, d); zero if y = E[y|z].

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    key : PRNG key

    Examples
    --------
    >>> standardised_residuals(model, X, key=key).shape
    (150, 4)
    """
    return over_rows(_standardised, model, rows, key=key)


def mean_noise_variance(
    model: VAEModel,
    rows: ArrayLike,
    *,
    key: PRNGKey,
    shown: Callable[[int, int], object] | None = None,
) -> Variance:
    """Return the noise variance in model units, averaged over rows if it depends on z.

    The average is over at most 2,000 evenly spaced rows, and over fewer, at least one, if a row
    takes long, such as a large image with causal noise.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    key : PRNG key
    shown : called before each chunk with the number of rows done and the number of all rows

    Examples
    --------
    >>> bool((mean_noise_variance(model, X, key=key) > 0).all())
    True
    """
    check_process()
    known = jax.device_get(model.noise).variance()
    if known is not None:
        return known
    rows = np.asarray(rows)
    work = work_of(_noise_variance, model, rows[0], key=key)
    visited = subsample(rows, rows_within(work, len(rows), _VARIANCE_ROWS))
    chunk = chunk_within(work, _CHUNK)
    total, done = np.zeros(rows.shape[1] - model.n_covariates), 0
    for variances in in_chunks(_noise_variance, model, visited, key=key, chunk=chunk):
        if shown is not None:
            shown(done, len(visited))
        total += variances.sum(axis=0, dtype=np.float64)
        done += len(variances)
    return on_device(total / len(visited))


def samples(
    model: VAEModel,
    n_samples: int,
    *,
    how: str,
    alpha: float,
    key: PRNGKey,
    chunk: int = DRAWN,
    covariates: ArrayLike | None = None,
    first: int = 0,
) -> np.ndarray:
    """Draw data from the model, shape (n_samples, d), data units.

    Parameters
    ----------
    model : VAEModel
    n_samples : number of draws
    how : a key of ``models.SAMPLERS``
    alpha : α of coupled samples
    key : PRNG key
    chunk : draws at a time; the draws depend on it
    covariates : of a conditional model, array of shape (n_samples, c), or (1, c) for all draws
    first : number of the first draw, a multiple of ``chunk``: the draws are those that a larger
        number of draws has from there on

    Raises
    ------
    SettingError
        For a conditional model without covariates, or covariates of another shape.

    Examples
    --------
    >>> samples(model, 5, how="ancestral", alpha=0.0, key=key).shape
    (5, 4)
    """
    ways = ((how, alpha),)
    settings = {"key": key, "chunk": chunk, "covariates": covariates, "first": first}
    return samples_each_way(model, n_samples, ways, **settings)[0]


def samples_each_way(
    model: VAEModel,
    n_samples: int,
    ways: Sequence[tuple[str, float]],
    *,
    key: PRNGKey,
    chunk: int = DRAWN,
    covariates: ArrayLike | None = None,
    first: int = 0,
) -> list[np.ndarray]:
    """Draw as :func:`samples`, in several ways from the same z.

    Parameters
    ----------
    model : VAEModel
    n_samples : number of draws
    ways : pairs (how, alpha), see :func:`samples`
    key : PRNG key
    chunk : draws at a time; the draws depend on it
    covariates, first : see :func:`samples`

    Returns
    -------
    one array of shape (n_samples, d) for each way, data units
    """
    check_process()
    n_samples = check_count("n_samples", n_samples, most=10**9)
    hows, alphas = tuple(how for how, _ in ways), [scalar(alpha) for _, alpha in ways]
    given = covariates_of_draws(model, n_samples, covariates)

    def draw(copied: Any, start: int) -> tuple[jax.Array, ...]:
        own, own_key = copied
        piece = None if given is None else given[start : start + chunk]
        if piece is not None and len(piece) < chunk:
            piece = np.concatenate([piece, np.repeat(piece[:1], chunk - len(piece), axis=0)])
        return _draws(own, hows, alphas, jax.random.fold_in(own_key, first + start), chunk, piece)

    running = in_turn(draw, (model, key), range(0, n_samples, chunk))
    parts = [jax.device_get(piece) for piece in running]
    return [np.concatenate(each)[:n_samples] for each in zip(*parts, strict=True)]


def decode(
    model: VAEModel, latents: ArrayLike, *, how: str, alpha: float = 1.0, key: PRNGKey
) -> np.ndarray:
    """Return x at given z, shape (n, d), data units.

    Parameters
    ----------
    model : VAEModel
    latents : array of shape (n, k); of a conditional model (n, k + c), each z followed by its
        covariates
    how : a key of ``models.SAMPLERS``
    alpha : α of coupled samples
    key : PRNG key; equal z have equal draws under one key

    Examples
    --------
    >>> decode(model, np.zeros((3, 2)), how="mean", alpha=0.0, key=key).shape
    (3, 4)
    """
    return over_rows(_decode, (model, scalar(alpha)), latents, key=key, how=how)


def _decode(given: tuple[VAEModel, Scalar], z: Latent, *, key: PRNGKey, how: str) -> Point:
    model, alpha = given
    return SAMPLERS[how](model, z, alpha, key=key)


@compiled_soon
def _draws(
    model: VAEModel,
    hows: tuple[str, ...],
    alphas: list[Scalar],
    key: PRNGKey,
    n: int,
    given: Float[Array | np.ndarray, "n c"] | None,
) -> tuple[jax.Array, ...]:
    def one(key: PRNGKey, covariates: Any) -> tuple[Point, ...]:
        at = model if covariates is None else model.at(covariates)
        ways = zip(hows, alphas, strict=True)
        return tuple(sample(at, how, alpha, key=key) for how, alpha in ways)

    return jax.vmap(one)(jax.random.split(key, n), given)


def _standardised(model: VAEModel, x: Point, *, key: PRNGKey) -> Point:
    inferred = model.infer(x, key=key)
    p = model.decode(inferred.q.loc)
    residual = inferred.y - p.mean
    deviation = jnp.sqrt(p.variance)
    return jnp.where(residual == 0, 0.0, residual / jnp.where(deviation > 0, deviation, 1.0))


def _posterior(model: VAEModel, x: Point, *, key: PRNGKey) -> tuple[Latent, Latent, Latent]:
    q = model.infer(x, key=key).q
    return q.loc, q.scale, model.prior.kl(q)


def _total_rate(model: VAEModel, x: Point, *, key: PRNGKey) -> Scalar:
    q, (latent_key,) = model.infer(x, key=key).q, draw_keys(key, 1)
    standard = jax.random.normal(latent_key, (_RATE_DRAWS, model.prior.k))
    return model.prior.rate(q, jax.vmap(lambda draw: model.prior.log_ratio(q, draw))(standard))


def _noise_variance(model: VAEModel, x: Point, *, key: PRNGKey) -> Point:
    return model.decode(model.infer(x, key=key).q.loc).variance
