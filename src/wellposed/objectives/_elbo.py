"""The evidence lower bound, and its β-weighted relative."""

from typing import ClassVar

from wellposed._checks import check_number
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
        remedy = "1 is the ELBO. For another noise variance, set it (noise=0.1) or learn it."
        self.beta = scalar(check_number("beta", beta, remedy, low=0))

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
