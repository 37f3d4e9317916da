"""Checks of the latents: the match of codes and prior, and the cause of collapse."""

import numpy as np

from .._thresholds import CAUTION, DEPENDENCE, FAULT, OPEN, SOUND, Verdict
from ..latents.prior_mismatch import OWN
from .evidence import Evidence
from .record import MORE_ROWS, Finding

_LONGER = (
    "Start with a small weight on the KL for longer (kl_warmup of up to 40 % of the epochs), or "
    "train for longer."
)


def check_prior(evidence: Evidence) -> Finding:
    """Compare the aggregate posterior q(z) with the prior p(z).

    Parameters
    ----------
    evidence : measures of the model
    """
    question, mismatch = "Does q(z) match p(z)?", evidence.mismatch
    low, high = mismatch.least_mismatch, max(mismatch.mismatch[1], mismatch.least_mismatch)
    outside = mismatch.priors[OWN].outside.value
    figures = {
        "mismatch, nats, at least": low,
        "at most": high,
        "rate, nats": mismatch.rate.value,
        "share of p(z) outside the codes": outside,
    }
    answer = (
        f"KL(q(z) ‖ p(z)) is {low:.3g} to {high:.3g} nats of a rate of "
        f"{mismatch.rate.value:.4g}; {outside:.0%} of the draws from {mismatch.prior} are in "
        "regions with few codes."
    )
    verdict = mismatch.judgement
    if verdict == FAULT:
        return Finding(
            question,
            FAULT,
            answer,
            mismatch.remedy,
            "the codes are not where the prior is",
            figures,
        )
    if verdict == OPEN:
        answer += f" {mismatch.n_rows} rows are too few to decide."
        return Finding(question, OPEN, answer, MORE_ROWS, figures=figures)
    remedy = "" if verdict == SOUND else mismatch.remedy
    return Finding(question, verdict, answer, remedy, figures=figures)


def check_covariates(evidence: Evidence) -> Finding | None:
    """Check that z tells little of the covariates of a conditional model; None without.

    Parameters
    ----------
    evidence : measures of the model
    """
    question, information = "z independent of the covariates?", evidence.information
    if information is None:
        return None
    worst = max(information.covariates, key=lambda each: each.share.value)
    figures = {
        f"I(z; {e.name}), nats, at least": e.information.value for e in information.covariates
    }
    figures["share of the entropy, the largest"] = worst.share.value
    answer = (
        f"Of {worst.name}, z tells at least {worst.information} nats of {worst.entropy:.3g} "
        f"(permuted {worst.null}): it predicts {worst.accuracy.value:.0%} of held-out rows, where "
        f"{worst.chance:.0%} is chance."
    )
    verdict = DEPENDENCE.verdict(worst.share)
    if verdict == OPEN:
        answer += f" {DEPENDENCE.rows_needed(worst.share, information.n_rows)}"
        return Finding(question, OPEN, answer, MORE_ROWS, figures=figures)
    if verdict == SOUND:
        return Finding(question, SOUND, answer, figures=figures)
    remedy = (
        "p(z) is one for all covariates, so that rows given another batch keep what z tells of "
        "their own. Train for longer or with a wider decoder, which then takes it from the "
        "covariates; where the levels hold different rows, such as other types of cells, some of "
        "it is no fault."
    )
    fault = "z tells which covariates a row has" if verdict == FAULT else ""
    return Finding(question, verdict, answer, remedy, fault, figures)


def check_collapse(evidence: Evidence) -> Finding:
    """Check whether a collapsed latent could be active.

    Parameters
    ----------
    evidence : measures of the model
    """
    question, collapse = "Collapsed?", evidence.collapse
    k, n_collapsed = len(collapse.collapsed), int(collapse.collapsed.sum())
    figures = {
        "latents": float(k),
        "collapsed": float(n_collapsed),
        "active units": float(collapse.active_units.sum()),
        "rates added up, nats": float(collapse.rates.sum()),
    }
    if not np.isfinite(collapse.rates).all():
        answer = "The rates of some latents are not finite on these rows."
        remedy = "Train again with a lower learning rate."
        return Finding(question, OPEN, answer, remedy, figures=figures)
    if not n_collapsed:
        answer = f"All {k} latents carry information, {collapse.rates.sum():.3g} nats together."
        return Finding(question, SOUND, answer, figures=figures)
    verdict, reason = _room(evidence, k - n_collapsed, figures)
    answer = f"{n_collapsed} of {k} latents have collapsed. {reason}"
    if verdict == OPEN:
        return Finding(question, OPEN, answer, MORE_ROWS, figures=figures)
    if verdict == SOUND and evidence.is_behind:
        answer += (
            " But a simpler model is ahead, so that there is structure which the latents miss, "
            f"with {collapse.rates.sum():.3g} nats together."
        )
        return Finding(question, CAUTION, answer, _LONGER, figures=figures)
    if verdict == SOUND:
        remedy = f"No change is needed; {k - n_collapsed or 1} latents are enough."
        return Finding(question, SOUND, answer, remedy, figures=figures)
    return Finding(
        question,
        FAULT,
        answer,
        f"{_LONGER} Or learn σ².",
        "collapsed latents could be active",
        figures,
    )


def _room(evidence: Evidence, n_active: int, figures: dict[str, float]) -> tuple[Verdict, str]:
    """Whether another latent could be active, by the residuals and by any forecast."""
    residuals = evidence.residuals
    figures["leading residual over σ²"] = residuals.leading
    if evidence.forecast is None:
        return residuals.judgement, str(residuals)
    n_forecast = int(np.sum(evidence.forecast.rates > evidence.collapse.epsilon))
    figures["active by the forecast"] = float(n_forecast)
    answer = f"At this noise variance a linear model has {n_forecast} active latents."
    if n_forecast <= n_active:
        return SOUND, answer
    link = ""
    if residuals.judgement == SOUND:
        link = "This model's active latents have the information of all of these. "
    return residuals.judgement, f"{answer} {link}{residuals}"
