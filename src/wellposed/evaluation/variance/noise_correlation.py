"""Correlation between features of the noise."""

import jax
import numpy as np
from jaxtyping import Array, Float

from wellposed._budget import at_once
from wellposed._checks import check_count
from wellposed._forks import check_process
from wellposed._typing import Point, PRNGKey
from wellposed.models import VAEModel, draw_keys

from .._rows import over_rows

_DRAWS = 250  # largest number in one batch


def noise_correlation(
    model: VAEModel, x: Point, *, key: PRNGKey, n_draws: int = 2_000
) -> Float[np.ndarray, "d d"]:
    """Estimate the correlation of p(y | z) at the posterior mean of one datum.

    Parameters
    ----------
    model : VAEModel
    x : array of shape (d,), data units
    key : PRNG key
    n_draws : number of draws from p(y | z); the standard error of a correlation is at most
        n_draws^(−½)

    Returns
    -------
    array of shape (d, d), in model units; NaN for features whose noise is constant. Plot it with
    :func:`wellposed.plotting.noise_correlation`.

    Raises
    ------
    SettingError
        If ``n_draws`` is below two.

    Examples
    --------
    >>> noise_correlation(model, X[0], key=key, n_draws=50).shape
    (4, 4)
    """
    check_process()
    n_draws = check_count("n_draws", n_draws, "2000 is a start.", low=2)
    draws = over_rows(_draw, model, np.asarray(x)[None], key=key, chunk=1, n_draws=n_draws)
    draws = draws[0].astype(np.float64)
    draws -= draws.mean(axis=0)
    deviation = np.sqrt((draws**2).mean(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return draws.T @ draws / n_draws / np.outer(deviation, deviation)


def _draw(model: VAEModel, x: Point, *, key: PRNGKey, n_draws: int) -> Float[Array, "s d"]:
    p, (noise_key,) = model.decode(model.infer(x, key=key).q.loc), draw_keys(key, 1)
    keys = jax.random.split(noise_key, n_draws)
    return jax.lax.map(p.sample, keys, batch_size=at_once(x.shape[0], _DRAWS))
