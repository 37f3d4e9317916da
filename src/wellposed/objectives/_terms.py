"""The two halves of the ELBO, and importance weights: what every objective is made of."""

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from wellposed._typing import Latent, Point, Posterior, PRNGKey
from wellposed.models import VAEModel, draw_keys


class ElboTerms(eqx.Module):
    """One evaluation of the ELBO, in nats and data units; may carry batch axes.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> float(ElboTerms(jnp.asarray(-10.0), jnp.asarray(2.5)).elbo)
    -12.5
    """

    log_likelihood: Float[Array, "*batch"]  # E_q log p(x | z): minus the distortion
    kl: Float[Array, "*batch"]  # KL(q(z | x) ‖ p(z)): the rate

    @property
    def elbo(self) -> Float[Array | np.ndarray, "*batch"]:
        """log_likelihood − kl."""
        return self.log_likelihood - self.kl


def elbo_terms(model: VAEModel, x: Point, *, key: PRNGKey) -> ElboTerms:
    r"""Estimate the ELBO of one datum with one draw of z and the KL in closed form.

    .. math:: E_{q(z|x)} \log p(y \mid z) + \log|\det dT/dx| - KL(q(z|x) \| p(z))

    Parameters
    ----------
    model : VAEModel
    x : array of shape (d,), data units
    key : PRNG key

    References: Kingma & Welling (2014), eq. 7.

    Examples
    --------
    >>> terms = elbo_terms(vae.model_, X[0], key=key)
    >>> bool(terms.elbo == terms.log_likelihood - terms.kl)
    True
    """
    return terms_at_draw(model, x, key=key)[0]


def terms_at_draw(model: VAEModel, x: Point, *, key: PRNGKey) -> tuple[ElboTerms, Latent]:
    """Return :func:`elbo_terms`, and the draw of z that they are of, shape (k,)."""
    model = model.with_fixed_prior()
    found, (latent_key,) = model.infer(x, key=key), draw_keys(key, 1)
    q, standard = found.q, jax.random.normal(latent_key, found.q.batch_shape)
    z = q.loc + q.scale * standard
    rate = model.prior.rate(q, model.prior.log_ratio(q, standard))
    return ElboTerms(model.decode(z).log_prob(found.y) + found.log_det, rate), z


def log_weights(
    model: VAEModel, y: Point, q: Posterior, *, n_samples: int, key: PRNGKey
) -> tuple[Float[Array, " s"], Float[Array, " s"]]:
    """Draw z_1 … z_s from q and return log p(y | z_s) and log p(z_s) − log q(z_s).

    Their sum is the log importance weight, in nats and model units. The two are kept apart
    because an annealed objective weighs the second alone.

    Parameters
    ----------
    model : VAEModel
    y : shape (d,), one datum in model units
    q : posterior of z given y
    n_samples : number of draws s
    key : PRNG key

    Examples
    --------
    >>> found = vae.model_.infer(X[0], key=key)
    >>> log_p, log_ratio = log_weights(vae.model_, found.y, found.q, n_samples=5, key=key)
    >>> log_p.shape, log_ratio.shape
    ((5,), (5,))
    """
    standard = jax.random.normal(key, (n_samples, *q.batch_shape))
    z = q.loc[None] + q.scale[None] * standard
    log_likelihood = jax.vmap(lambda latent: model.decode(latent).log_prob(y))(z)
    return log_likelihood, jax.vmap(lambda draw: model.prior.log_ratio(q, draw))(standard)
