"""Checks of the latents: do the codes match the prior, and could a collapsed latent be active?"""

import numpy as np

from .._thresholds import FAULT, OPEN, SOUND, Verdict
from .evidence import Evidence
from .record import Finding


def check_prior(evidence: Evidence) -> Finding:
    """Compare q(z) with p(z)."""
    question, mismatch = "Does q(z) match p(z)?", evidence.mismatch
    low, high = mismatch.least_mismatch, max(mismatch.mismatch[1], mismatch.least_mismatch)
    outside = mismatch.priors["standard"].outside.value
    figures = {
        "mismatch, nats, at least": low,
        "at most": high,
        "rate, nats": mismatch.rate.value,
        "share of N(0, I) outside the codes": outside,
    }
    said = (
        f"KL(q(z) ‖ p(z)) is {low:.3g} to {high:.3g} nats of a rate of "
        f"{mismatch.rate.value:.4g}; {outside:.0%} of the draws of N(0, I) fall where there are "
        "hardly any codes."
    )
    verdict = mismatch.judgement
    if verdict == FAULT:
        return Finding(
            question,
            FAULT,
            said,
            'Draw with sample(prior="aggregate"). To remove the mismatch, train with more latents '
            "and less capacity, or for longer.",
            "the codes are not where the prior is",
            figures,
        )
    if verdict == OPEN:
        said += f" {mismatch.n_rows} rows cannot narrow this down."
        return Finding(question, OPEN, said, "Pass more rows.", figures=figures)
    remedy = "" if verdict == SOUND else 'Draw with sample(prior="aggregate").'
    return Finding(question, verdict, said, remedy, figures=figures)


def check_collapse(evidence: Evidence) -> Finding:
    """Check whether a collapsed latent could be active."""
    question, collapse = "Collapsed?", evidence.collapse
    k, n_collapsed = len(collapse.collapsed), int(collapse.collapsed.sum())
    figures = {
        "latents": float(k),
        "collapsed": float(n_collapsed),
        "active units": float(collapse.active_units.sum()),
        "rate, nats": float(collapse.rates.sum()),
    }
    if not np.isfinite(collapse.rates).all():
        said = "The rates of some latents are not finite on these rows."
        return Finding(question, OPEN, said, "Train again, with a lower rate.", figures=figures)
    if not n_collapsed:
        return Finding(question, SOUND, f"All {k} latents carry information.", figures=figures)
    said = f"{n_collapsed} of {k} latents have collapsed."
    verdict, why = _room(evidence, k - n_collapsed, figures)
    said = f"{said} {why}"
    if verdict == OPEN:
        return Finding(question, OPEN, said, "Pass more rows.", figures=figures)
    if verdict == SOUND:
        remedy = f"No change is needed; {k - n_collapsed or 1} latents are enough."
        return Finding(question, SOUND, said, remedy, figures=figures)
    return Finding(
        question,
        FAULT,
        said,
        "Begin with a small weight on the KL (kl_warmup of some 40 % of the epochs), train for "
        "longer, or let σ² be learned.",
        "collapsed latents could be active",
        figures,
    )


def _room(evidence: Evidence, n_active: int, figures: dict[str, float]) -> tuple[Verdict, str]:
    """Whether a further latent has room, by the forecast if there is one and by the residuals."""
    residuals = evidence.residuals
    figures["leading residual over σ²"] = residuals.leading
    if evidence.forecast is None:
        return residuals.judgement, str(residuals)
    n_forecast = int(np.sum(evidence.forecast.rates > evidence.collapse.epsilon))
    figures["active by the forecast"] = float(n_forecast)
    said = f"At this noise variance a linear model has {n_forecast} active latents."
    if n_forecast <= n_active:
        return SOUND, said
    link = "The active latents carry what these would: " if residuals.judgement == SOUND else ""
    return residuals.judgement, f"{said} {link}{residuals}"
