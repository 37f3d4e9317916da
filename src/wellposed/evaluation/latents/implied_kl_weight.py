"""The weight of the KL at which an encoder is stationary, measured on a fitted model."""

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from wellposed._forks import check_process
from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.latents import StandardNormal
from wellposed.models import VAEModel, draw_keys

from .._estimate import Estimate, standard_error
from .._rows import over_rows

_DRAWS = 16
# Nats of −∂KL. Below it nearly all latents have collapsed, and chance dominates the ratio.
_LEAST = 0.005


def implied_kl_weight(model: VAEModel, rows: ArrayLike, *, key: PRNGKey) -> Estimate:
    r"""Return the β at which the scales of the posterior are stationary; the ELBO has β = 1.

    Let a factor τ multiply all scales of q. E_q log p(x|z) − β KL(q ‖ p) is stationary at τ = 1 if

    .. math:: \beta = \frac{-\partial_{\log\tau} E_q \log p(x \mid z)}
       {-\partial_{\log\tau} KL(q \| p)}, \qquad
       -\partial_{\log\tau} KL = k + \partial_{\log\tau} E_q \log p(z)

    where both are averages over rows. For N(0, I) the last is Σ_j (1 − σ_j²). An encoder can
    multiply all its scales by one factor, so that after training τ = 1 is stationary on the
    training rows. On other rows an overfitted decoder leads to a larger β. A clamped KL has no
    gradient on some rows, which leads to a β
    below one.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units, preferably the training rows
    key : PRNG key

    Returns
    -------
    β and its standard error over rows: infinite if the posterior is not narrower than the prior,
    and NaN if all latents have collapsed

    Examples
    --------
    >>> implied_kl_weight(model, X, key=key).value > 0
    True
    """
    check_process()
    loss, gain = over_rows(_slopes, model, rows, key=key)
    loss, gain = np.asarray(loss, np.float64), np.asarray(gain, np.float64)
    top, bottom = loss.mean(), gain.mean()
    if bottom < _LEAST:
        return Estimate(np.inf if bottom <= 0 and top > _LEAST else np.nan, np.nan)
    weight = top / bottom
    return Estimate(float(weight), float(standard_error(loss - weight * gain) / bottom))


def _slopes(model: VAEModel, x: Point, *, key: PRNGKey) -> tuple[Scalar, Scalar]:
    """Derivatives of −E_q log p(x|z) and of −KL of one datum with respect to log τ, at τ = 1."""
    inference, (latent_key,) = model.infer(x, key=key), draw_keys(key, 1)
    loc, scale = inference.q.loc, inference.q.scale
    # Antithetic pairs: terms that are odd in the noise cancel.
    half = jax.random.normal(latent_key, (_DRAWS // 2, *loc.shape))

    def expected(log_tau: Scalar) -> tuple[Scalar, Scalar]:
        z = loc + jnp.exp(log_tau) * scale * jnp.concatenate([half, -half])
        likelihood = jax.vmap(lambda z: model.decode(z).log_prob(inference.y))(z).mean()
        return likelihood, jax.vmap(model.prior.log_prob)(z).mean()

    _, (slope, prior_slope) = jax.jvp(expected, (jnp.zeros(()),), (jnp.ones(()),))
    if isinstance(model.prior, StandardNormal):
        return -slope, jnp.sum(1.0 - scale**2)
    return -slope, len(loc) + prior_slope
