"""How far each cell of a row is in the tails of p(x_j | z), and the quantiles of its column."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from wellposed._errors import SettingError
from wellposed._typing import Point, PRNGKey
from wellposed.models import VAEModel, draw_keys
from wellposed.numerics import log_mean_exp

from .._rows import over_rows


def tail_surprise(
    model: VAEModel, rows: ArrayLike, *, key: PRNGKey, n_samples: int = 16
) -> np.ndarray:
    r"""Return −log p_j of each cell, shape (n, d), of the smaller of its two tails.

    .. math:: p_j = 2 \min\{E_q P(X_j \le x_j \mid z), \, E_q P(X_j \ge x_j \mid z)\}, \quad
       z \sim q(z \mid x)

    z depends on x, so that these p-values are not uniform; those of rows held out of training say
    how small they are. Noise whose tails are known as 1 less a number has p ≥ 10⁻⁷ or so.

    Parameters
    ----------
    model : with features that are independent given z, and have a distribution function
    rows : array of shape (n, d), or (n, d + c) with covariates, data units, without gaps
    key : PRNG key of the draws of z
    n_samples : draws of z a row

    Raises
    ------
    SettingError
        For noise whose features depend on each other given z.
    """
    _check(model)
    return over_rows(_surprise, model, rows, key=key, n_samples=n_samples)


def central_ranks(model: VAEModel, rows: ArrayLike, *, key: PRNGKey) -> np.ndarray:
    """Return P(X_j ≤ x_j | z) of each cell at z = E[z | x], shape (n, d).

    Parameters
    ----------
    model, rows, key : as of :func:`tail_surprise`
    """
    _check(model)
    return np.asarray(over_rows(_rank, model, rows, key=key), np.float64)


def central_quantiles(
    model: VAEModel, rows: ArrayLike, levels: ArrayLike, *, key: PRNGKey
) -> np.ndarray:
    """Return quantiles of each column at z = E[z | x], in data units, shape (n, h, d).

    Parameters
    ----------
    model, rows, key : as of :func:`tail_surprise`
    levels : array of shape (h, d), in (0, 1), of each column
    """
    _check(model)
    given = jnp.asarray(levels, jnp.result_type(float))
    step = float(jnp.finfo(given.dtype).epsneg)
    fixed = model, jnp.clip(given, step, 1.0 - step)
    return np.asarray(over_rows(_quantiles, fixed, rows, key=key), np.float64)


def _check(model: VAEModel) -> None:
    if not model.has_independent_noise:
        raise SettingError(
            "Tails of columns need noise whose features are independent given z; got "
            f"{type(model.noise.whole).__name__}. Use wp.noise.Quantile(), or noise such as "
            '"conditional".'
        )


def _surprise(model: VAEModel, x: Point, *, key: PRNGKey, n_samples: int) -> Point:
    inferred, (latent_key,) = model.infer(x, key=key), draw_keys(key, 1)

    def tails(k: PRNGKey) -> tuple[Point, Point]:
        return _log_tails(model.decode(inferred.q.sample(k)), inferred.y)

    low, high = jax.lax.map(tails, jax.random.split(latent_key, n_samples))
    smaller = jnp.minimum(log_mean_exp(low), log_mean_exp(high))
    return -jnp.minimum(math.log(2.0) + smaller, 0.0)


def _log_tails(p: Any, y: Point) -> tuple[Point, Point]:
    """Return log P(Y_j ≤ y_j) and log P(Y_j ≥ y_j), each of shape (d,)."""
    if p.has_tails.all():
        return p.log_cdf(y), p.log_sf(y)
    step = jnp.finfo(y.dtype).epsneg
    below = jnp.clip(p.cdf(y), step, 1.0 - step)
    return jnp.log(below), jnp.log1p(-below)


def _rank(model: VAEModel, x: Point, *, key: PRNGKey) -> Point:
    inferred = model.infer(x, key=key)
    return model.decode(inferred.q.mean).cdf(inferred.y)


def _quantiles(
    fixed: tuple[VAEModel, Float[Array, "h d"]], x: Point, *, key: PRNGKey
) -> Float[Array, "h d"]:
    model, levels = fixed
    p: Any = model.decode(model.infer(x, key=key).q.mean)
    return jax.vmap(lambda level: model.transform.inverse(p.icdf(level)))(levels)
