"""Result of an audit: scores, collapse, and advice in plain sentences."""

import dataclasses
import math

import numpy as np

from wellposed._errors import named_features

from .._estimate import Estimate
from .._thresholds import NOISE_RATIO, OPEN
from ..latents.collapse import Collapse
from ..linear.forecast import Forecast
from .implied_noise import ImpliedNoise

_BEST = NOISE_RATIO.sound


@dataclasses.dataclass(frozen=True)
class ScoreAtVariance:
    """The ELBO at one noise variance, a mean over rows with all constants.

    Parameters
    ----------
    noise_variance : σ², squared units of X
    elbo : nats a row, in the units of X
    standard_error : of that mean, from the variation over rows and over draws of z
    monte_carlo_error : the part of it that comes from the draws of z; NaN for one draw
    bits_per_dimension : of the density, or of a quantised value if a resolution is given

    Examples
    --------
    >>> ScoreAtVariance(0.1, -3.2, 0.05, 0.01, 1.15).elbo
    -3.2
    """

    noise_variance: float
    elbo: float
    standard_error: float
    monte_carlo_error: float
    bits_per_dimension: float


@dataclasses.dataclass(frozen=True, eq=False)
class Audit:
    """Result of :func:`audit`; ``print`` it for a report with advice.

    ``collapse`` has two criteria, which may differ: latents that are (ε, δ)-collapsed, and
    active units (Var E[z|x] above a threshold).

    Parameters
    ----------
    account : the loss, if it is given in place of a number
    noise_variance : σ² of training, squared units of X; zero if the loss has no likelihood, None
        if it was not given
    trained : score at that σ²; None at zero, where no density exists, and if it was not given
    optimal : score at the σ² that maximises the ELBO of these networks on these rows
    optimal_error : standard error of that σ² over rows
    collapse : collapse criteria of each latent
    forecast : of a linear model at the σ² of training; None without ``trained``
    forecast_at_optimum : of a linear model at the optimal σ²
    data_variance : variance of X, averaged over features: squared residual of a constant decoder
    floor : largest resolution/√12; zero without a resolution
    n_rows, n_features, n_samples : n, d, and draws of z a row

    Examples
    --------
    >>> import wellposed as wp
    >>> audit = wp.audit(vae, X)  # doctest: +SKIP
    >>> print(audit)  # doctest: +SKIP
    """

    account: ImpliedNoise | None
    noise_variance: float | None
    trained: ScoreAtVariance | None
    optimal: ScoreAtVariance
    optimal_error: float
    collapse: Collapse
    forecast: Forecast | None
    forecast_at_optimum: Forecast
    data_variance: float
    floor: float
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
        """What to change, the most important first; one sentence if nothing has to change."""
        checks = (_units, _variance, _stated, _rounding, _collapsed)
        advice = tuple(sentence for check in checks if (sentence := check(self)))
        return advice or (
            "Nothing to change: σ² is within a tenth of its optimum, no latent has collapsed.",
        )

    def __str__(self) -> str:
        advice = ["advice:", *(f"- {sentence}" for sentence in self.advice)]
        return "\n".join([*_head(self), *_scores(self), *_latents(self), *advice])


def _units(audit: Audit) -> str | None:
    spread = audit.data_variance
    ratio = audit.optimal_noise_variance / spread if spread else math.inf
    if ratio < _BEST[1]:
        return None
    return (
        f"The decoder is worse than the mean of the data: its squared residual is {ratio:.3g} "
        "times their variance. Check that decode returns values in the units of X, and that X has "
        "the units of the training data."
    )


def _variance(audit: Audit) -> str | None:
    best, account = audit.optimal_noise_variance, audit.account
    in_loss = f", kl_weight = {account.kl_weight_at(best):.3g} in this loss" if account else ""
    remedy = (
        f"train at σ² = {best:.4g}{in_loss}, then audit again, since residuals depend on σ²; or "
        "let the model learn σ²."
    )
    if audit.noise_variance is None:
        return (
            "σ² of training was not given, so it cannot be judged. Pass noise_variance, or what "
            "implied_noise_variance returns for the loss; the best for these networks is "
            f"{best:.4g}."
        )
    if audit.noise_variance == 0:
        return f"The loss has no likelihood, so no ELBO: {remedy}"
    value = audit.noise_variance / best
    ratio = Estimate(value, value * audit.optimal_error / best)
    if _BEST[0] < value < _BEST[1]:
        if NOISE_RATIO.verdict(ratio) != OPEN:
            return None
        return (
            f"σ² is {ratio} of its optimum: {NOISE_RATIO.rows_needed(ratio, audit.n_rows)} Pass "
            "more rows."
        )
    size, factor = ("large", value) if value > 1 else ("small", 1 / value)
    return (
        f"σ² = {audit.noise_variance:.4g} is {factor:.3g} times too {size} for the residuals: "
        f"{remedy}"
    )


def _stated(audit: Audit) -> str | None:
    account = audit.account
    stated = account and account.stated_noise_variance
    if not account or not stated or not account.has_likelihood:
        return None
    if _BEST[0] < account.beta < _BEST[1]:
        return None
    return (
        f"The loss states σ² = {stated:.4g} and weighs its KL by {account.beta:.4g}: sample and "
        f"score at σ² = {account.noise_variance:.4g}, at which the model was trained."
    )


def _rounding(audit: Audit) -> str | None:
    deviation = math.sqrt(audit.optimal_noise_variance)
    if deviation >= audit.floor:
        return None
    return (
        f"σ = {deviation:.3g} is below {audit.floor:.3g}, the standard deviation of the rounding "
        "of the data: densities measure the rounding there. Add uniform noise to the data, or use "
        "a discretised likelihood."
    )


def _collapsed(audit: Audit) -> str | None:
    collapsed = np.flatnonzero(audit.collapse.collapsed)
    if not collapsed.size:
        return None
    k = len(audit.collapse.collapsed)
    n_active = k - collapsed.size
    count = f"{collapsed.size} of {k} latents have collapsed ({named_features(collapsed)})"
    if audit.noise_variance is None:
        _, best = _kept_by_linear(audit)
        return f"{count}; a linear model keeps {best} at the optimal σ²."
    if not audit.forecast:
        return (
            f"{count}, although the loss has no KL term that could cause it. Check that this is "
            "the trained encoder."
        )
    kept, best = _kept_by_linear(audit)
    if best > kept:
        return (
            f"{count}: σ² is too large for them. A linear model keeps {kept} at this σ², and "
            f"{best} at the optimal one: train at the optimal one."
        )
    if n_active < kept:
        return (
            f"{count}, but a linear model keeps {kept} at this σ². The cause is not σ² but "
            "training: begin with a small weight on the KL, or train for longer."
        )
    return f"{count}, as in a linear model, which keeps {kept}: {n_active} latents are enough."


def _kept_by_linear(audit: Audit) -> tuple[int, int]:
    """Latents that a linear model keeps at the σ² of training, and at the optimal σ².

    Only rates above ε count: an eigenvalue of a sample exceeds σ² by chance, and such a latent
    counts as collapsed.
    """
    epsilon = audit.collapse.epsilon
    kept = int(np.sum(audit.forecast.rates > epsilon)) if audit.forecast else 0
    return kept, int(np.sum(audit.forecast_at_optimum.rates > epsilon))


def _head(audit: Audit) -> list[str]:
    draws = f"{audit.n_samples} draw{'s' * (audit.n_samples > 1)} of z a row"
    head = [f"Audit of {audit.n_rows} rows, {audit.n_features} features, {draws}"]
    return [*head, str(audit.account)] if audit.account else head


def _scores(audit: Audit) -> list[str]:
    lines = [f"{'':14}{'σ²':>10}{'σ':>10}{'ELBO, nats a row':>24}{'bits/dim':>10}"]
    for name, score in (("of training", audit.trained), ("optimal", audit.optimal)):
        if score is None:
            known = audit.noise_variance is not None
            value, elbo = (0, "no density") if known else ("?", "cannot tell")
            lines.append(f"{name:14}{value:>10}{value:>10}{elbo:>24}")
            continue
        elbo = f"{score.elbo:.2f} ± {score.standard_error:.2f}"
        deviation = math.sqrt(score.noise_variance)
        lines.append(
            f"{name:14}{score.noise_variance:>10.4g}{deviation:>10.4g}{elbo:>24}"
            f"{score.bits_per_dimension:>10.3f}"
        )
    return lines


def _latents(audit: Audit) -> list[str]:
    collapse = audit.collapse
    k, collapsed = len(collapse.rates), np.flatnonzero(collapse.collapsed)
    which = f" ({named_features(collapsed)})" if collapsed.size else ""
    units = int(np.sum(collapse.active_units))
    rates = ", ".join(f"{rate:.2f}" for rate in collapse.rates[:12]) + ", ..." * (k > 12)
    kept, best = _kept_by_linear(audit)
    linear = f"{kept} at the σ² of training, " if audit.forecast else ""
    return [
        f"rates, nats: {rates}; in all {collapse.rates.sum():.2f}",
        f"collapsed, KL < {collapse.epsilon:g} on {1 - collapse.delta:.0%} of rows: "
        f"{collapsed.size} of {k}{which}",
        f"active units, Var E[z|x] > {collapse.threshold:g}: {units} of {k}",
        f"kept by a linear model: {linear}{best} at the optimal σ²",
    ]
