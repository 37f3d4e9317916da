"""Checks on held-out rows: overfitting, calibration and importance weights."""

import numpy as np

from .._estimate import Estimate, standard_error
from .._thresholds import (
    CAUTION,
    FAULT,
    OPEN,
    OVERFITTING,
    PARETO_K,
    SOUND,
    weights_verdict,
)
from .evidence import Evidence
from .record import MORE_ROWS, Finding


def check_overfitting(evidence: Evidence) -> Finding:
    """Compare the ELBO of the training rows with that of the evaluation rows.

    Parameters
    ----------
    evidence : measures of the model
    """
    question = "Overfitted?"
    if evidence.train_terms is None:
        return Finding(
            question,
            OPEN,
            "A check of overfitting needs training rows to compare with.",
            "Pass the training rows and held-out rows.",
        )
    here, there = (np.asarray(t.elbo, np.float64) for t in (evidence.terms, evidence.train_terms))
    error = np.hypot(standard_error(here), standard_error(there))
    gap = Estimate(float(there.mean() - here.mean()), float(error))
    per_feature = Estimate(gap.value / evidence.d, gap.standard_error / evidence.d)
    figures = {"ELBO, training rows": float(there.mean()), "ELBO, these rows": float(here.mean())}
    answer = f"The ELBO is {gap} nats a datum higher on the training rows"
    verdict = OVERFITTING.verdict(per_feature)
    if verdict == OPEN:
        answer = f"{answer}. {OVERFITTING.rows_needed(per_feature, len(here))}"
        return Finding(question, OPEN, answer, MORE_ROWS, figures=figures)
    if verdict != FAULT:
        return Finding(question, SOUND, f"{answer}, within the usual range.", figures=figures)
    return Finding(
        question,
        FAULT,
        f"{answer}: {per_feature.value:.2g} nats a feature.",
        "Use fewer or narrower layers, weight_decay, fewer epochs (a validation_fraction with "
        "patience), or more data.",
        "the decoder has overfitted",
        figures,
    )


def check_calibration(evidence: Evidence) -> Finding:
    """Compare the coverage of central intervals of p(x | z), z ~ q(z | x), with their level.

    Parameters
    ----------
    evidence : measures of the model
    """
    calibration = evidence.calibration
    coverage = calibration.coverage
    figures = {
        f"coverage at {level:.0%}": float(share)
        for level, share in zip(coverage.levels, coverage.coverage, strict=True)
    }
    figures["CRPS"] = calibration.crps.mean.value
    verdict = calibration.judgement
    remedy = "" if verdict == SOUND else MORE_ROWS
    if calibration.is_off:
        remedy = "Call recalibrate() on further held-out rows."
    fault = "reconstructions are miscalibrated" if verdict == FAULT else ""
    return Finding("Calibrated?", verdict, calibration.statement, remedy, fault, figures)


def check_weights(evidence: Evidence) -> Finding:
    """Check by Pareto k̂ whether importance sampling estimates log p(x) reliably.

    Parameters
    ----------
    evidence : measures of the model
    """
    question = "Is log p trustworthy?"
    if not np.isfinite(evidence.model.log_density_bound(evidence.d)):
        return Finding(
            question,
            CAUTION,
            "No: a likelihood without a bound has no maximum, so log p has no meaning.",
        )
    likelihood = evidence.likelihood
    shape = np.asarray(likelihood.pareto_k)
    share = float(np.mean(shape > PARETO_K))
    gain = float(np.mean(np.asarray(likelihood.value, np.float64)))
    gain -= float(np.mean(np.asarray(evidence.terms.elbo, np.float64)[evidence.few]))
    figures = {f"share of rows with k̂ > {PARETO_K}": share, "log p − ELBO, nats": gain}
    verdict = weights_verdict(shape)
    if verdict == OPEN:
        unknown = int((~np.isfinite(shape)).sum())
        answer = f"k̂ of the importance weights is not finite in {unknown} of {len(shape)} rows."
        return Finding(question, OPEN, answer, "Compare models by the ELBO.", figures=figures)
    answer = f"k̂ of 256 importance weights exceeds {PARETO_K} in {share:.0%} of the rows"
    if verdict == SOUND:
        return Finding(question, SOUND, f"{answer}: the estimate is reliable.", figures=figures)
    return Finding(
        question,
        CAUTION,
        f"{answer}: the estimate for these is a lower bound that may be far below log p.",
        'Use score_samples(X, method="auto"), which uses annealing for these rows.',
        figures=figures,
    )
