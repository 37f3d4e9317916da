"""What every objective promises."""

import abc

import equinox as eqx
import jax.numpy as jnp

from wellposed._typing import Data, Point, PRNGKey, Scalar, Tree
from wellposed.models import VAEModel

from ._terms import ElboTerms


class Evaluation(eqx.Module):
    """An objective at one datum: the value to maximise, and the ELBO's terms beside it.

    Examples
    --------
    >>> from wellposed.objectives import ELBO
    >>> found = ELBO()(vae.model_, X[0], key=key)
    >>> isinstance(found, Evaluation), bool(found.value == found.terms.elbo)
    (True, True)
    """

    value: Scalar
    terms: ElboTerms


class AbstractObjective(eqx.Module):
    """A scalar to maximise, for one datum, in nats.

    ``str()`` states the objective and the noise variance that it implies.

    Examples
    --------
    >>> from wellposed.objectives import ELBO
    >>> isinstance(ELBO(), AbstractObjective)
    True
    """

    trains_noise: eqx.AbstractClassVar[bool]  # the noise variance has a gradient
    refits_noise: eqx.AbstractClassVar[bool]  # the mean squared residual is its optimum

    @abc.abstractmethod
    def __call__(
        self, model: VAEModel, x: Point, *, key: PRNGKey, annealing: Scalar | float = 1.0
    ) -> Evaluation:
        """Evaluate at one datum of shape (d,) in data units.

        ``annealing`` in [0, 1] multiplies the KL while it warms up; held-out values use 1.
        """

    def beside(self, model: Tree, data: Data, *, key: PRNGKey) -> Scalar | float:
        """Return what each step of a training adds to the mean over its batch; zero by default.

        Parameters
        ----------
        model : of the training
        data : array of shape (n, d), all rows of the training, data units
        key : PRNG key of the step
        """
        del model, data, key
        return 0.0

    @abc.abstractmethod
    def implied_noise_variance(self) -> Scalar | None:
        """Return the σ² that the objective fixes, whatever the noise model, or None."""


def evaluation(terms: ElboTerms, kl_weight: Scalar | float) -> Evaluation:
    """Weigh the rate: E_q log p(x | z) − kl_weight · KL."""
    return Evaluation(terms.log_likelihood - jnp.asarray(kl_weight) * terms.kl, terms)
