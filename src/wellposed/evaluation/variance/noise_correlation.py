"""With which features the noise of a feature goes."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from wellposed._checks import check_count
from wellposed._compiled import compiled_soon
from wellposed._forks import check_process
from wellposed._typing import Point, PRNGKey
from wellposed.models import VAEModel

_AT_ONCE = 250


def noise_correlation(
    model: VAEModel, x: Point, *, key: PRNGKey, n_draws: int = 2_000
) -> Float[np.ndarray, "d d"]:
    """Estimate the correlation of p(y | z) at the posterior mean of one datum.

    Parameters
    ----------
    model : VAEModel
    x : array of shape (d,), data units
    key : PRNG key
    n_draws : from p(y | z); a correlation has a standard error of at most n_draws^(−½)

    Returns
    -------
    array of shape (d, d), in model units; NaN for features whose noise does not vary. Plot it
    with :func:`wellposed.plotting.noise_correlation`.

    Raises
    ------
    SettingError
        If ``n_draws`` is below two.
    """
    check_process()
    n_draws = check_count("n_draws", n_draws, "2000 is a start.", low=2)
    parts = [
        np.asarray(_draws(model, jnp.asarray(x, jnp.result_type(float)), size, part_key))
        for size, part_key in zip(
            np.diff([*range(0, n_draws, _AT_ONCE), n_draws]).tolist(),
            jax.random.split(key, -(-n_draws // _AT_ONCE)),
            strict=True,
        )
    ]
    drawn = np.concatenate(parts).astype(np.float64)
    drawn -= drawn.mean(axis=0)
    deviation = np.sqrt((drawn**2).mean(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return drawn.T @ drawn / n_draws / np.outer(deviation, deviation)


@compiled_soon
def _draws(model: VAEModel, x: Point, size: int, key: PRNGKey) -> Float[Array, "s d"]:
    transform_key, noise_key = jax.random.split(key)
    p = model.decode(model.infer(x, key=transform_key).q.loc)
    return jax.vmap(p.sample)(jax.random.split(noise_key, size))
