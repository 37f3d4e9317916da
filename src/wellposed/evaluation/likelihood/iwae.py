"""The importance-weighted bound, for any number K of importance samples."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from wellposed._checks import check_count
from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.models import VAEModel, draw_keys

from .._rows import over_rows
from .importance_weights import cut, fold_weights, log_mean_weight, weigh_encoder


class Bound(eqx.Module):
    """A lower bound on log p(x) of each datum, in nats and data units; shape (n,).

    Examples
    --------
    >>> from wellposed.evaluation import iwae
    >>> iwae(model, X[:3], n_importance=5, key=key).value.shape
    (3,)
    """

    value: Float[Array, "*batch"]
    standard_error: Float[Array, "*batch"]  # of value, over repeats; NaN for one repeat


def iwae(
    model: VAEModel, rows: Any, *, n_importance: int, key: PRNGKey, n_samples: int = 16
) -> Bound:
    r"""Estimate IWAE_K, the importance-weighted bound, of each row.

    .. math:: L_K(x) = E \log \frac1K \sum_{i=1}^K \frac{p(x, z_i)}{q(z_i \mid x)},
       \qquad z_i \sim q(z \mid x)

    L_1 is the ELBO, L_K grows with K, and no L_K exceeds log p(x). The estimate is a mean over
    ``n_samples`` repeats, and its standard error is that of this mean. :func:`log_likelihood`, in
    contrast, is a single repeat at large K, and its bias is unknown.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    n_importance : K, the importance samples of each repeat
    key : PRNG key
    n_samples : repeats, each with K draws per row

    Returns
    -------
    Bound of the n rows

    Raises
    ------
    SettingError
        If K or the number of repeats is below one.

    References: Burda, Grosse & Salakhutdinov (2016), eq. 8 and theorem 1.

    Examples
    --------
    >>> few, many = (iwae(model, X, n_importance=k, key=key) for k in (1, 50))
    >>> bool(few.value.mean() < many.value.mean())
    True
    """
    n_importance = check_count("n_importance", n_importance, "Try 64.")
    n_samples = check_count("n_samples", n_samples, "16 is a start.")
    block, chunk = cut(model, np.asarray(rows).shape[1], n_importance)
    settings: dict[str, Any] = {
        "n_importance": n_importance,
        "n_samples": n_samples,
        "block": block,
    }
    return over_rows(_bound, model, rows, key=key, chunk=chunk, **settings)


def _bound(
    model: VAEModel, x: Point, *, key: PRNGKey, n_importance: int, n_samples: int, block: int
) -> Bound:
    inferred, (latent_key,) = model.infer(x, key=key), draw_keys(key, 1)
    weigh = weigh_encoder(model, inferred)

    def add(log_sum: Scalar, log_w: Array) -> Scalar:
        return jnp.logaddexp(log_sum, jax.nn.logsumexp(log_w))

    def repeat(repeat_key: PRNGKey) -> Scalar:
        nothing, sizes = jnp.full((), -jnp.inf), {"n_samples": n_importance, "block": block}
        log_sum = fold_weights(add, nothing, weigh, **sizes, key=repeat_key)
        return log_mean_weight(log_sum, n_importance)

    values = jax.lax.map(repeat, jax.random.split(latent_key, n_samples))
    if n_samples == 1:
        return Bound(values[0] + inferred.log_det, jnp.full((), jnp.nan))
    error = values.std(ddof=1) / jnp.sqrt(1.0 * n_samples)
    return Bound(values.mean() + inferred.log_det, error)
