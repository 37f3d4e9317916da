"""What an audit found, and its report."""

import dataclasses
import math

import numpy as np

from wellposed._errors import named_features

from ..latents.collapse import Collapse
from ..linear.forecast import Forecast
from .advice import advise, kept_by_linear
from .implied_noise import ImpliedNoise


@dataclasses.dataclass(frozen=True)
class ScoreAtVariance:
    """The ELBO at one noise variance, a mean over rows with every constant kept."""

    noise_variance: float  # σ², squared units of X
    elbo: float  # nats a row, in the units of X
    standard_error: float  # of that mean; what the draws scatter is within it
    monte_carlo_error: float  # the part of it that more draws would remove; NaN for one draw
    bits_per_dimension: float  # of the density, or of a quantised value where resolution is given


@dataclasses.dataclass(frozen=True, eq=False)
class Audit:
    """What :func:`audit` found; ``print`` it for a report.

    ``collapse`` says which latents have (ε, δ)-collapsed and which are active units
    (Var E[z|x] above a threshold): two criteria, which need not agree.
    """

    account: ImpliedNoise | None  # the loss, where it was given in place of a number
    noise_variance: float  # σ² of training; zero where the loss has no likelihood
    trained: ScoreAtVariance | None  # at that σ²; None at zero, where no density exists
    optimal: ScoreAtVariance  # at the σ² that is best for these networks on these rows
    optimal_error: float  # standard error of that σ²
    collapse: Collapse
    forecast: Forecast | None  # of a linear model at the σ² of training; None at zero
    forecast_at_optimum: Forecast
    data_variance: float  # of X, averaged over features: what a decoder of constants would leave
    floor: float  # largest resolution/√12; zero where none is given
    n_rows: int
    n_features: int
    n_samples: int

    @property
    def optimal_noise_variance(self) -> float:
        """σ² that maximises the ELBO of these networks on these rows."""
        return self.optimal.noise_variance

    @property
    def rates(self) -> np.ndarray:
        """Mean KL(q(z_j|x) ‖ p(z_j)) of each latent, shape (k,), nats."""
        return self.collapse.rates

    @property
    def advice(self) -> tuple[str, ...]:
        """What to change, in plain sentences, most pressing first."""
        return advise(self)

    def __str__(self) -> str:
        return "\n".join([*_head(self), *_scores(self), *_latents(self), *_advice(self)])


def _head(found: Audit) -> list[str]:
    draws = f"{found.n_samples} draw{'s' * (found.n_samples > 1)} of z a row"
    head = [f"Audit of {found.n_rows} rows, {found.n_features} features, {draws}"]
    return [*head, str(found.account)] if found.account else head


def _scores(found: Audit) -> list[str]:
    lines = [f"{'':14}{'σ²':>10}{'σ':>10}{'ELBO, nats a row':>24}{'bits/dim':>10}"]
    for name, score in (("of training", found.trained), ("optimal", found.optimal)):
        if score is None:
            lines.append(f"{name:14}{0:>10}{0:>10}{'no density':>24}")
            continue
        elbo = f"{score.elbo:.2f} ± {score.standard_error:.2f}"
        deviation = math.sqrt(score.noise_variance)
        lines.append(
            f"{name:14}{score.noise_variance:>10.4g}{deviation:>10.4g}{elbo:>24}"
            f"{score.bits_per_dimension:>10.3f}"
        )
    return lines


def _latents(found: Audit) -> list[str]:
    collapse = found.collapse
    k, gone = len(collapse.rates), np.flatnonzero(collapse.collapsed)
    which = f" ({named_features(gone)})" if gone.size else ""
    units = int(np.sum(collapse.active_units))
    rates = ", ".join(f"{rate:.2f}" for rate in collapse.rates[:12]) + ", ..." * (k > 12)
    kept, best = kept_by_linear(found)
    linear = f"{kept} at the σ² of training, " if found.forecast else ""
    return [
        f"rates, nats: {rates}; in all {collapse.rates.sum():.2f}",
        f"collapsed, KL < {collapse.epsilon:g} on {1 - collapse.delta:.0%} of rows: "
        f"{gone.size} of {k}{which}",
        f"active units, Var E[z|x] > {collapse.threshold:g}: {units} of {k}",
        f"kept by a linear model: {linear}{best} at the optimal σ²",
    ]


def _advice(found: Audit) -> list[str]:
    return ["advice:", *(f"- {sentence}" for sentence in found.advice)]
