"""Checks on rows that were not trained on: overfitting, calibration, importance weights."""

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
from .record import Finding


def check_overfitting(evidence: Evidence) -> Finding:
    """Compare the ELBO of the training rows with that of the others."""
    question = "Overfitted?"
    if evidence.train_terms is None:
        return Finding(
            question,
            OPEN,
            "Overfitting is visible only beside rows that the model was trained on.",
            "Pass the training rows too, and rows that were held out.",
        )
    here, there = (np.asarray(t.elbo, np.float64) for t in (evidence.terms, evidence.train_terms))
    error = np.hypot(standard_error(here), standard_error(there))
    gap = Estimate(float(there.mean() - here.mean()), float(error))
    per_feature = Estimate(gap.value / evidence.d, gap.standard_error / evidence.d)
    figures = {"ELBO, training rows": float(there.mean()), "ELBO, these rows": float(here.mean())}
    said = f"The ELBO is {gap} nats a datum higher on the training rows"
    verdict = OVERFITTING.verdict(per_feature)
    if verdict == OPEN:
        said = f"{said}. {OVERFITTING.rows_needed(per_feature, len(here))}"
        return Finding(question, OPEN, said, "Pass more rows.", figures=figures)
    if verdict != FAULT:
        return Finding(question, SOUND, f"{said}, no more than is usual.", figures=figures)
    return Finding(
        question,
        FAULT,
        f"{said}: {per_feature.value:.2g} a feature.",
        "Fewer or narrower layers, weight_decay, fewer epochs (a validation_fraction with "
        "patience), or more data.",
        "the decoder has overfitted",
        figures,
    )


def check_calibration(evidence: Evidence) -> Finding:
    """Compare the coverage of central intervals of p(x | z), z ~ q(z | x), with their level."""
    calibration = evidence.calibration
    coverage = calibration.coverage
    figures = {
        f"coverage at {level:.0%}": float(share)
        for level, share in zip(coverage.levels, coverage.coverage, strict=True)
    }
    figures["CRPS"] = calibration.crps.mean.value
    verdict = calibration.judgement
    remedy = {SOUND: "", OPEN: "Pass more rows."}.get(
        verdict, "recalibrate() on rows held out from training and from these."
    )
    fault = "reconstructions are miscalibrated" if verdict == FAULT else ""
    return Finding("Calibrated?", verdict, calibration.statement, remedy, fault, figures)


def check_weights(evidence: Evidence) -> Finding:
    """Check by Pareto k̂ whether importance sampling measures log p(x)."""
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
        said = f"The importance weights have no finite k̂ in {unknown} of {len(shape)} rows."
        return Finding(question, OPEN, said, "Compare models by the ELBO.", figures=figures)
    said = f"k̂ of 256 importance weights exceeds {PARETO_K} in {share:.0%} of the rows"
    if verdict == SOUND:
        return Finding(question, SOUND, f"{said}: the estimate is reliable.", figures=figures)
    return Finding(
        question,
        CAUTION,
        f"{said}: there the estimate is a lower bound that may be far below log p.",
        'score_samples(X, method="auto") anneals those rows.',
        figures=figures,
    )
