"""A second VAE as the prior of a first VAE."""

import equinox as eqx

from wellposed._typing import Latent, PRNGKey
from wellposed.numerics import scalar

from ._sampling import sample
from ._vae import VAEModel


class SecondStage(eqx.Module):
    r"""A VAE of the latents: its data are z ~ q(z | x), and its noise variance γ is learned.

    .. math:: u \sim N(0, I_k), \qquad z \mid u \sim N(\mu(u), \gamma I_k)

    The aggregate q(z) of the first stage has full dimension, since q(z | x) fills R^k, so a second
    VAE with k latents can match it.

    Files of earlier versions may hold one, beside the model's own prior; loading drops it. It has
    no ``log_prob``, since log p(z) = log E p(z | u) has no closed form. Estimate it by
    importance sampling (:func:`wellposed.evaluation.log_likelihood` of ``model``).

    Parameters
    ----------
    model : the second VAE, of data of shape (k,)

    References: Dai & Wipf (2019), §4.
    """

    model: VAEModel

    def sample(self, *, key: PRNGKey) -> Latent:
        """Draw one z, shape (k,), noise included."""
        return sample(self.model, "ancestral", scalar(0.0), key=key)
