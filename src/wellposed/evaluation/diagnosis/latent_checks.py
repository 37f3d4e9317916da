"""Are the latents where the prior is, and do as many live as could?"""

import numpy as np

from .evidence import Evidence
from .record import CAUTION, FAULT, SOUND, Finding

_SLIGHT, _MUCH = 0.5, 2.0  # nats of mismatch
_SHARE = 0.15  # of the rate
_OUTSIDE = 0.1  # share of the prior's draws


def prior_match(evidence: Evidence) -> Finding:
    """Does q(z) match p(z)?"""
    question, found = "Does q(z) match p(z)?", evidence.mismatch
    low, high = found.least_mismatch, max(found.mismatch[1], found.least_mismatch)
    outside = found.priors["standard"].outside.value
    figures = {
        "mismatch, nats, at least": low,
        "at most": high,
        "rate, nats": found.rate.value,
        "share of N(0, I) outside the codes": outside,
    }
    told = (
        f"KL(q(z) ‖ p(z)) is {low:.3g} to {high:.3g} nats of a rate of {found.rate.value:.4g}; "
        f"{outside:.0%} of the draws of N(0, I) fall where hardly any code is."
    )
    if low > max(_MUCH, _SHARE * found.rate.value) and outside > _OUTSIDE:
        return Finding(
            question,
            FAULT,
            told,
            'Draw with sample(prior="aggregate"); a lasting cure is more latents with less '
            "capacity, or longer training.",
            "the codes are not where the prior is",
            figures,
        )
    if low > _SLIGHT or outside > _OUTSIDE:
        remedy = 'Draw with sample(prior="aggregate").'
        return Finding(question, CAUTION, told, remedy, figures=figures)
    return Finding(question, SOUND, told, figures=figures)


def collapsed(evidence: Evidence) -> Finding:
    """Have latents died that could live?"""
    question, found = "Collapsed?", evidence.collapse
    k, dead = len(found.collapsed), int(found.collapsed.sum())
    figures = {
        "latents": float(k),
        "collapsed": float(dead),
        "active units": float(found.active_units.sum()),
        "rate, nats": float(found.rates.sum()),
    }
    if not dead:
        return Finding(question, SOUND, f"All {k} latents carry information.", figures=figures)
    told = f"{dead} of {k} latents have collapsed."
    could, why = _could_live(evidence, k - dead, figures)
    if not could:
        remedy = f"Nothing to cure; {k - dead or 1} latents would do." if why else ""
        return Finding(question, SOUND, f"{told} {why}", remedy, figures=figures)
    return Finding(
        question,
        FAULT,
        f"{told} {why}",
        "Begin with a small weight on the KL (kl_warmup of some 40 % of the epochs), train for "
        "longer, or let σ² be learned.",
        "latents are dead that could live",
        figures,
    )


def _could_live(evidence: Evidence, alive: int, figures: dict[str, float]) -> tuple[bool, str]:
    """By the forecast, where there is one, and by what the live latents leave over."""
    residuals = evidence.residuals
    figures["leading residual over σ²"] = residuals.leading
    if evidence.forecast is not None:
        lived = int(np.sum(evidence.forecast.rates > evidence.collapse.epsilon))
        figures["alive by the forecast"] = float(lived)
        told = f"At this noise variance a linear model keeps {lived}."
        if lived <= alive:
            return False, told
        if residuals.can_revive:
            return True, f"{told} {residuals}"
        return False, f"{told} The live ones carry it: {residuals}"
    return residuals.can_revive, str(residuals)
