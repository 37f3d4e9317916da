"""Squared error in place of the likelihood, with the noise variance that it implies."""

from typing import ClassVar

import jax
import jax.numpy as jnp

from wellposed._checks import check_number
from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.models import VAEModel, draw_keys
from wellposed.numerics import scalar

from ._abstract import AbstractObjective, Evaluation
from ._terms import ElboTerms


class SquaredError(AbstractObjective):
    r"""−‖y − μ(z)‖² − w · KL(q(z | x) ‖ p(z)), in model units, summed over features.

    Up to scale and constant it is the ELBO at the fixed variance σ² = w/2, whatever the noise
    model. With w = 0 it is the autoencoder's objective: σ² is zero in effect, and there is no
    density.

    Parameters
    ----------
    kl_weight : float ≥ 0
        w.

    Examples
    --------
    >>> print(SquaredError(1.0))
    SquaredError(1): acts as the ELBO at a noise variance fixed at 0.5, in model units
    """

    trains_noise: ClassVar[bool] = False
    refits_noise: ClassVar[bool] = True
    kl_weight: Scalar

    def __init__(self, kl_weight: float = 0.0):
        remedy = "1 is usual, and implies σ² = 0.5; 0 is a plain autoencoder."
        self.kl_weight = scalar(check_number("kl_weight", kl_weight, remedy, low=0))

    def __call__(
        self, model: VAEModel, x: Point, *, key: PRNGKey, annealing: Scalar | float = 1.0
    ) -> Evaluation:
        model = model.with_fixed_prior()
        found, (latent_key,) = model.infer(x, key=key), draw_keys(key, 1)
        q, standard = found.q, jax.random.normal(latent_key, found.q.batch_shape)
        p = model.decode(q.loc + q.scale * standard)
        kl = model.prior.rate(q, model.prior.log_ratio(q, standard))
        error = jnp.sum(found.residual(p.mean) ** 2)
        terms = ElboTerms(p.log_prob(found.y) + found.log_det, kl)
        value = -error - annealing * self.kl_weight * kl
        return Evaluation(value, jax.lax.stop_gradient(terms))

    def implied_noise_variance(self) -> Scalar:
        return 0.5 * self.kl_weight

    def __str__(self) -> str:
        weight = float(self.kl_weight)
        if weight == 0:
            return "SquaredError(0): an autoencoder; its noise variance is as good as zero"
        return (
            f"SquaredError({weight:g}): acts as the ELBO at a noise variance fixed at "
            f"{weight / 2:g}, in model units"
        )
