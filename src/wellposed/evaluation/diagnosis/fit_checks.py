"""Does what was learned hold for rows that were not trained on?"""

import numpy as np

from .._estimate import Estimate
from ..likelihood.pareto_k import TRUSTED
from .evidence import Evidence
from .judge import beyond
from .record import CAUTION, FAULT, OPEN, SOUND, Finding

_GAP = 0.1  # nats a feature
_UNDER, _OVER = 0.8, 0.97  # coverage of central 90 % intervals
_SLIGHT = 0.03
_MANY = 0.05  # share of rows


def overfitted(evidence: Evidence) -> Finding:
    """Is the ELBO of the training rows much above that of the others?"""
    question = "Overfitted?"
    if evidence.train_terms is None:
        return Finding(
            question,
            OPEN,
            "What the model learned by heart shows beside rows that it was trained on.",
            "Pass the training rows too, and rows that were held out.",
        )
    here, there = (np.asarray(t.elbo, np.float64) for t in (evidence.terms, evidence.train_terms))
    error = np.sqrt(here.var(ddof=1) / len(here) + there.var(ddof=1) / len(there))
    gap = Estimate(float(there.mean() - here.mean()), float(error))
    figures = {"ELBO, training rows": float(there.mean()), "ELBO, these rows": float(here.mean())}
    told = f"The ELBO is {gap} nats a datum higher on the training rows"
    verdict = beyond(gap, -np.inf, _GAP * evidence.d)
    if verdict != FAULT:
        return Finding(question, SOUND, f"{told}, as chance and learning make it.", figures=figures)
    return Finding(
        question,
        FAULT,
        f"{told}: {gap.value / evidence.d:.2g} a feature.",
        "Fewer or narrower layers, weight_decay, fewer epochs (a validation_fraction with "
        "patience), or more data.",
        "the decoder has overfitted",
        figures,
    )


def calibrated(evidence: Evidence) -> Finding:
    """Do central intervals of p(x | z), z ~ q(z | x), hold what they should?"""
    found = evidence.calibration
    coverage = found.coverage
    held = Estimate(float(coverage.coverage[2]), float(coverage.standard_error[2]))
    figures = {
        f"coverage at {level:.0%}": float(share)
        for level, share in zip(coverage.levels, coverage.coverage, strict=True)
    }
    figures["CRPS"] = found.crps.mean.value
    told, question = f"Central 90 % intervals hold {held.value:.1%} of the features.", "Calibrated?"
    remedy = "recalibrate() on rows held out from training and from this."
    if beyond(held, _UNDER, _OVER) == FAULT:
        fault = "reconstructions are miscalibrated"
        return Finding(question, FAULT, told, remedy, fault, figures)
    if beyond(held, 0.9 - _SLIGHT, 0.9 + _SLIGHT) == FAULT:
        return Finding(question, CAUTION, told, remedy, figures=figures)
    return Finding(question, SOUND, told, figures=figures)


def likelihood_trusted(evidence: Evidence) -> Finding:
    """Can importance sampling say what log p(x) is?"""
    question = "Is log p trustworthy?"
    if not np.isfinite(evidence.model.log_density_bound(evidence.d)):
        return Finding(
            question,
            CAUTION,
            "Not at all: a likelihood without a bound has no maximum, and log p no meaning.",
        )
    found = evidence.likelihood
    share = float(np.mean(np.asarray(found.pareto_k) > TRUSTED))
    gain = float(np.mean(np.asarray(found.value, np.float64)))
    gain -= float(np.mean(np.asarray(evidence.terms.elbo, np.float64)[evidence.few]))
    figures = {"share of rows with k̂ > 0.7": share, "log p − ELBO, nats": gain}
    told = f"k̂ of 256 importance weights exceeds {TRUSTED} in {share:.0%} of the rows"
    if share <= _MANY:
        return Finding(question, SOUND, f"{told}: the estimate holds.", figures=figures)
    return Finding(
        question,
        CAUTION,
        f"{told}: there it is a lower bound, and not a close one.",
        'score_samples(X, method="auto") anneals those rows.',
        figures=figures,
    )
