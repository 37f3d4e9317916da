"""The evidence lower bound, and its β-weighted relative."""

import math
from typing import ClassVar

from wellposed._errors import SettingError
from wellposed._typing import Point, PRNGKey, Scalar
from wellposed.models import VAEModel
from wellposed.numerics import scalar

from ._abstract import AbstractObjective, Evaluation, evaluation
from ._terms import elbo_terms


class ELBO(AbstractObjective):
    """E_q log p(x | z) − KL(q(z | x) ‖ p(z)) ≤ log p(x).

    References: Kingma & Welling (2014), eq. 3.

    Examples
    --------
    >>> print(ELBO())
    ELBO: a lower bound on log p(x); the noise variance is the model's own
    """

    trains_noise: ClassVar[bool] = True
    refits_noise: ClassVar[bool] = True

    def __call__(
        self, model: VAEModel, x: Point, *, key: PRNGKey, annealing: Scalar | float = 1.0
    ) -> Evaluation:
        return evaluation(elbo_terms(model, x, key=key), annealing)

    def implied_noise_variance(self) -> None:
        return None

    def __str__(self) -> str:
        return "ELBO: a lower bound on log p(x); the noise variance is the model's own"


class BetaELBO(AbstractObjective):
    r"""E_q log p(x | z) − β KL(q(z | x) ‖ p(z)).

    Not a bound on log p(x) for β < 1. For Gaussian noise of given variance σ² its gradient in
    the networks is, up to the factor β, that of the ELBO at variance βσ²: one number under two
    names. At β = 0 the rate is free, so q(z|x) is trained only through the reconstruction and
    shrinks to a point: an autoencoder.

    References: Higgins et al. (2017), eq. 4; Rybkin, Daniilidis & Levine (2021), §3.

    Examples
    --------
    >>> print(BetaELBO(4.0))
    BetaELBO(4): a bound; acts as the ELBO at 4 times the noise variance of the model
    """

    trains_noise: ClassVar[bool] = True
    refits_noise: ClassVar[bool] = True
    beta: Scalar

    def __init__(self, beta: float):
        if not (math.isfinite(beta) and beta >= 0):
            raise SettingError(
                f"beta must be a finite number ≥ 0; got {beta}. 1 is the ELBO; to move the noise "
                "variance, set it (noise=0.1) or learn it (noise='shared')."
            )
        self.beta = scalar(beta)

    def __call__(
        self, model: VAEModel, x: Point, *, key: PRNGKey, annealing: Scalar | float = 1.0
    ) -> Evaluation:
        return evaluation(elbo_terms(model, x, key=key), self.beta * annealing)

    def implied_noise_variance(self) -> None:
        return None

    def __str__(self) -> str:
        beta = float(self.beta)
        if beta == 0:
            return "BetaELBO(0): not a bound; an autoencoder, its noise variance as good as zero"
        bound = "a bound" if beta >= 1 else "not a bound"
        return (
            f"BetaELBO({beta:g}): {bound}; acts as the ELBO at {beta:g} times the noise variance "
            "of the model"
        )
