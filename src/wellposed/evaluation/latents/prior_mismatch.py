"""Bounds on the mismatch of the codes and the prior, KL(q(z) ‖ p(z))."""

import dataclasses
import math
from collections.abc import Mapping

import jax
import numpy as np

from wellposed._errors import DataError
from wellposed._forks import check_process
from wellposed._typing import PRNGKey
from wellposed.latents import AbstractPrior, FlowPrior, GaussianMixture, StandardNormal
from wellposed.models import VAEModel

from .._estimate import Estimate
from .._thresholds import MISMATCH, OPEN, OUTSIDE, OUTSIDE_IDEAL, Verdict, prior_verdict
from .codes import Codes, codes, log_aggregate
from .prior import draw_prior, log_prior

_MOST_ROWS = 10_000  # the 10,000² densities take seconds
_DRAWS = 2_000
OWN = "own"  # of the model's own prior, among those compared

_ADOPT = "call adopt_prior(X) with the training rows"
# What fits p(z) to the codes, by the way in which p(z) was set.
_REMEDIES = {
    "standard": f'Fit with prior="mixture", or {_ADOPT}.',
    "aggregate": f'Fit with prior="mixture", which is learned with the ELBO, or {_ADOPT} again.',
    "mixture": (
        f"Give the mixture more components (n_prior_components), train for longer, or {_ADOPT}."
    ),
    "vamp": (
        f"Give the prior more pseudo-inputs (n_prior_components), train for longer, or {_ADOPT}."
    ),
    "flow": (
        f"Train for longer, or {_ADOPT}, which replaces the flow by a mixture where that gains."
    ),
}
_OTHER = f"Train for longer, or {_ADOPT}."


@dataclasses.dataclass(frozen=True)
class Mismatch:
    """Comparison of one prior r(z) with the aggregate posterior q(z).

    ``low`` and ``high`` are bounds of KL(q(z) ‖ r(z)) in expectation.

    Parameters
    ----------
    low : lower bound, nats a datum; it may be negative
    high : upper bound, nats a datum
    log_density : E log r(z) over z ~ q(z), nats a datum
    gain : ``log_density`` less that of the model's own prior, the decrease of the mismatch, nats
        a datum
    outside : share of the draws from r at which q(z) is smaller than at 95 % of the codes; 0.05
        if r = q
    """

    low: Estimate
    high: Estimate
    log_density: Estimate
    gain: Estimate
    outside: Estimate


@dataclasses.dataclass(frozen=True)
class PriorMismatch:
    """The rate, split into information and mismatch.

    Parameters
    ----------
    n_rows : number of rows
    rate : mean KL(q(z | x) ‖ p(z)), nats a datum
    information : lower and upper bound of I(x; z), nats a datum
    priors : comparison of each prior by name; "own" is the model's own
    prior : the model's own prior, in texts
    setting : how the model's own prior was set, as in ``VAE(prior=)``; "" for any other

    Examples
    --------
    >>> from wellposed.evaluation import prior_mismatch
    >>> found = prior_mismatch(model, X, key=key)
    >>> found.n_rows, found.setting
    (150, 'mixture')
    """

    n_rows: int
    rate: Estimate
    information: tuple[Estimate, Estimate]
    priors: dict[str, Mismatch]
    prior: str = "N(0, I)"
    setting: str = "standard"

    @property
    def mismatch(self) -> tuple[float, float]:
        """Lower and upper bound of KL(q(z) ‖ p(z)) for the model's own prior, nats a datum."""
        own = self.priors[OWN]
        return own.low.value, own.high.value

    @property
    def mutual_information(self) -> tuple[float, float]:
        """Lower and upper bound of I(x; z), the rate less the mismatch, nats a datum."""
        low, high = self.mismatch
        return self.rate.value - high, self.rate.value - low

    @property
    def least_mismatch(self) -> float:
        """Best lower bound on KL(q(z) ‖ p(z)), nats a datum: at least zero and every prior's gain.

        The gain of a prior r is KL(q‖p) − KL(q‖r) if r was not fitted to these rows.
        """
        gains = [prior.gain.value for prior in self.priors.values()]
        return max(0.0, self.mismatch[0], *gains)

    @property
    def saturated(self) -> bool:
        """Whether the rows are too few to estimate the information: I exceeds log n − 0.1."""
        return self.mutual_information[0] > math.log(self.n_rows) - 0.1

    @property
    def judgement(self) -> Verdict:
        """Verdict on the match of q(z) and p(z): "sound", "caution", "open" or "fault".

        "open" if a figure is not finite, or the rows are too few to bound the mismatch.
        """
        own = self.priors[OWN]
        ends = [own.low.value, own.high.value, *(p.gain.value for p in self.priors.values())]
        low = self.least_mismatch if np.isfinite(ends).all() else math.nan
        return prior_verdict(low, own.high.value, self.rate.value, own.outside.value)

    @property
    def remedy(self) -> str:
        """What fits p(z) to the codes."""
        return _REMEDIES.get(self.setting, _OTHER)

    def __str__(self) -> str:
        return " ".join([*self._split(), *self._own(), *self._others()])

    def _split(self) -> list[str]:
        information, high = self.mutual_information[0], self.mismatch[1]
        low = self.least_mismatch
        sentences = [
            f"The rate is {self.rate} nats a datum, over {self.n_rows} rows. It is the sum of the "
            f"information I(x; z), {max(information, 0):.3g} to {self.rate.value - low:.3g} nats, "
            f"and the mismatch KL(q(z) ‖ p(z)) of the codes and {self.prior}, {low:.3g} to "
            f"{max(high, low):.3g} nats."
        ]
        if self.saturated:
            sentences.append(
                f"The largest information that {self.n_rows} rows can prove is log n = "
                f"{math.log(self.n_rows):.3g} nats, and this model reaches it: the upper end of "
                "the mismatch is a bound and no estimate."
            )
        return sentences

    def _own(self) -> list[str]:
        share = self.priors[OWN].outside
        outside = (
            f"{_percent(share)} of the draws from {self.prior} lie outside the region of "
            f"{1 - OUTSIDE_IDEAL:.0%} of the codes (ideal: {OUTSIDE_IDEAL:.0%})"
        )
        if self.judgement == OPEN:
            too_few = f"{self.n_rows} rows are too few to decide whether the codes match it."
            return [f"{outside}. {too_few}"]
        if share.value > OUTSIDE:
            outside += ": the decoder had little training there, so that samples are poor."
        elif self.least_mismatch > MISMATCH:
            outside += ", but few of the draws are in regions with many codes."
        else:
            return [f"{outside}: the decoder was trained where these draws are."]
        return [outside, self.remedy]

    def _others(self) -> list[str]:
        return [
            f"Prior {name!r}: its log density of the codes exceeds that of {self.prior} by "
            f"{prior.gain} nats, its mismatch is at most {max(prior.high.value, 0):.3g} nats, and "
            f"{_percent(prior.outside)} of its draws lie outside the region."
            for name, prior in self.priors.items()
            if name != OWN
        ]


def _percent(share: Estimate) -> str:
    return f"{100 * share.value:.3g}%"


def prior_mismatch(
    model: VAEModel,
    rows: np.ndarray,
    *,
    key: PRNGKey,
    priors: Mapping[str, AbstractPrior] | None = None,
    most_rows: int = _MOST_ROWS,
    setting: str | None = None,
) -> PriorMismatch:
    r"""Split the rate of a model on rows of data into information and mismatch.

    Let q(z) = E_x q(z | x) be the aggregate posterior. Then

    .. math:: E_x KL(q(z|x) \| p(z)) = I_q(x; z) + KL(q(z) \| p(z))

    The mismatch is the mean of log q(z) − log p(z) over draws z_i ~ q(z | x_i), one for each row.
    Two estimates of q(z_i) from n rows give two bounds that hold in expectation. The mean of
    q(z_i | x_j) over all j includes the draw's own row: log q(z_i) and the KL are too large on
    average, and I is too small, at most log n. The mean without the own row has a bias of the
    opposite sign, by Jensen's inequality. If the rate exceeds log n the bounds are far apart: no
    distribution-free lower bound on I from n rows exceeds log n by much (McAllester & Stratos,
    2020).

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units, preferably held-out rows. Priors that were fitted to
        the training rows need held-out rows
    key : PRNG key
    priors : other priors by name, such as a mixture fitted to codes of other rows
    most_rows : largest number of rows to use, spread evenly over the data; time and memory grow
        with its square
    setting : how the model's own prior was set, "standard", "aggregate", "mixture", "vamp" or
        "flow", for the remedy; None takes it from the kind of the prior

    Raises
    ------
    DataError
        If there are fewer than two rows.

    References: Hoffman & Johnson (2016), §2; Poole et al. (2019), §2.4 for the bracket.

    Examples
    --------
    >>> low, high = prior_mismatch(model, X, key=key).information
    >>> low.value <= high.value
    True
    """
    check_process()
    if len(rows) < 2:
        raise DataError(
            f"The mismatch needs at least 2 rows; got {len(rows)}. Pass some thousand rows for a "
            "good estimate."
        )
    code_key, prior_key = (jax.random.fold_in(key, i) for i in range(2))
    noise_key = jax.random.fold_in(code_key, 1)
    some_codes = codes(model, rows, key=key, most=most_rows, noise_key=noise_key)
    setting = _setting_of(model.prior) if setting is None else setting
    compared = {OWN: model.prior, **(priors or {})}
    return _compare(some_codes, compared, setting, key=prior_key)


def _setting_of(prior: AbstractPrior) -> str:
    kinds = {StandardNormal: "standard", GaussianMixture: "mixture", FlowPrior: "flow"}
    return kinds.get(type(prior), "")


def _compare(
    sample: Codes, priors: Mapping[str, AbstractPrior], setting: str, *, key: PRNGKey
) -> PriorMismatch:
    z = sample.z
    without = log_aggregate(sample, z, leave_out=True)
    n = len(z)
    all_rows = np.logaddexp(without + np.log(n - 1), sample.log_density) - np.log(n)
    keys = [jax.random.fold_in(key, i) for i in range(2 * len(priors))]
    log_p = {name: log_prior(prior, z) for name, prior in priors.items()}
    # Mean zero for each row: the chance of one draw of z, over which the rate is an average.
    chance = sample.log_density - log_p[OWN] - sample.rates
    usual = np.quantile(without, OUTSIDE_IDEAL)
    own = log_p[OWN]
    return PriorMismatch(
        n_rows=n,
        rate=Estimate.of(sample.rates),
        information=(
            Estimate.of(sample.rates - _without_chance(all_rows - own, chance)),
            Estimate.of(sample.rates - _without_chance(without - own, chance)),
        ),
        priors={
            name: Mismatch(
                low=_estimate(without - log_p[name], chance),
                high=_estimate(all_rows - log_p[name], chance),
                log_density=_estimate(log_p[name], chance),
                gain=_estimate(log_p[name] - log_p[OWN], chance),
                outside=_share_below(usual, sample, prior, key=keys[2 * i + 1]),
            )
            for i, (name, prior) in enumerate(priors.items())
        },
        prior=priors[OWN].notation,
        setting=setting,
    )


def _estimate(values: np.ndarray, chance: np.ndarray) -> Estimate:
    """Mean and standard error over rows, with ``chance``, of mean zero, as a control variate.

    The dependence of q(z) on the rows does not change the standard error at first order: its
    influence of one row on E log q(z) is ∫ q(z | x) dz, which is the same for all rows.
    """
    return Estimate.of(_without_chance(values, chance))


def _without_chance(values: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Values less their regression on ``chance``."""
    if not chance.var() > 0:
        return values
    return values - np.cov(values, chance, bias=True)[0, 1] / chance.var() * chance


def _share_below(usual: float, sample: Codes, prior: AbstractPrior, *, key: PRNGKey) -> Estimate:
    """Share of draws from a prior where q(z) is below a value, and its standard error."""
    draws = draw_prior(prior, _DRAWS, key=key).astype(np.float64)
    return Estimate.of(log_aggregate(sample, draws) < usual)
