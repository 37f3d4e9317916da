"""The importance-weighted bound."""

from typing import ClassVar

import equinox as eqx
import jax

from wellposed._checks import check_count
from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.models import VAEModel, draw_keys
from wellposed.numerics import log_mean_exp

from ._abstract import AbstractObjective, Evaluation
from ._terms import ElboTerms, log_weights


class IWAE(AbstractObjective):
    r"""log (1/K) Σ_k p(x, z_k) / q(z_k | x), z_k ~ q: between the ELBO (K = 1) and log p(x).

    Parameters
    ----------
    n_importance : int ≥ 1
        K, the number of draws, used exactly.

    References: Burda, Grosse & Salakhutdinov (2016), eq. 8.

    Examples
    --------
    >>> print(IWAE(8))
    IWAE(8): a lower bound on log p(x); the noise variance is the model's own
    """

    trains_noise: ClassVar[bool] = True
    refits_noise: ClassVar[bool] = False
    n_importance: int = eqx.field(static=True)

    def __init__(self, n_importance: int = 8):
        self.n_importance = check_count("n_importance", n_importance, "Try 8.")

    def __call__(
        self, model: VAEModel, x: Point, *, key: PRNGKey, annealing: Scalar | float = 1.0
    ) -> Evaluation:
        model = model.with_fixed_prior()
        found, (latent_key,) = model.infer(x, key=key), draw_keys(key, 1)
        log_likelihood, ratio = log_weights(
            model, found.y, found.q, n_samples=self.n_importance, key=latent_key
        )
        value = log_mean_exp(log_likelihood + annealing * ratio) + found.log_det
        rate = model.prior.rate(found.q, ratio)
        terms = ElboTerms(log_likelihood.mean() + found.log_det, rate)
        return Evaluation(value, jax.lax.stop_gradient(terms))

    def implied_noise_variance(self) -> None:
        return None

    def __str__(self) -> str:
        return (
            f"IWAE({self.n_importance}): a lower bound on log p(x); the noise variance is the "
            "model's own"
        )
