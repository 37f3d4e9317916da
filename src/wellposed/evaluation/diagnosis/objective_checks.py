"""Checks of the posterior: a floor of its scale, and the weight of the KL in training."""

import math

import numpy as np

from .._thresholds import (
    FAULT,
    KL_WEIGHT,
    MOVES,
    NOISE_RATIO,
    OPEN,
    POSTERIOR_FLOOR,
    SOUND,
    WEIGHTLESS,
)
from .evidence import Evidence
from .record import MORE_ROWS, Finding


def check_posterior_floor(evidence: Evidence) -> Finding:
    """Check that the σ of q(z | x) has no floor near the prior's.

    Parameters
    ----------
    evidence : measures of the model
    """
    question = "Posterior free?"
    used = evidence.codes.loc.var(axis=0) > MOVES
    least = evidence.codes.scale.min(axis=0)
    figures = {"latents in use": float(used.sum()), "smallest σ of q": float(least.min())}
    if not (np.isfinite(evidence.codes.loc).all() and np.isfinite(least).all()):
        answer = "The encoder returns numbers that are not finite on some of these rows."
        remedy = "Train again with a lower learning rate."
        return Finding(question, OPEN, answer, remedy, figures=figures)
    narrow = least.min() if not used.any() else least[used].min()
    if narrow < POSTERIOR_FLOOR:
        answer = f"The smallest σ of the posterior is {least.min():.3g}."
        return Finding(question, SOUND, answer, figures=figures)
    if not used.any():
        answer = "No posterior mean varies with the data, so that none has to be narrow."
        return Finding(question, OPEN, answer, figures=figures)
    return Finding(
        question,
        FAULT,
        f"The posterior means of {used.sum()} latents vary with the data, but the σ of q(z | x) is "
        f"at least {narrow:.3g}: the encoder's σ has a floor, and the information of a latent is "
        "at most ½ log(1 + Var E[z|x]/σ²) nats.",
        "Use a parametrisation of the encoder's σ that allows every positive value.",
        "the encoder's σ has a floor",
        figures,
    )


def check_kl_weight(evidence: Evidence) -> Finding:
    """Compare the implied weight of the KL with one, the weight in the ELBO.

    Parameters
    ----------
    evidence : measures of the model
    """
    question, weight = "Trained on the ELBO?", evidence.kl_weight
    on_train = evidence.train is not None
    n = len(evidence.rows if evidence.train is None else evidence.train)
    figures = {"implied weight of the KL": weight.value, "standard error": weight.standard_error}
    if math.isnan(weight.value):
        answer = "All latents have collapsed, so that the weight of the KL cannot be measured."
        return Finding(question, OPEN, answer, figures=figures)
    if math.isinf(weight.value):
        answer = (
            "No weight of the KL explains the posterior: it is not narrower than the prior, and a "
            "narrower one would describe the data better, so that the encoder is not at an optimum."
        )
        remedy = "Train for longer. If the scale of q is fixed, let the encoder learn it."
        return Finding(question, FAULT, answer, remedy, "the encoder is not trained", figures)
    answer = f"The width of the posterior implies a weight of {weight} on the KL"
    verdict = KL_WEIGHT.verdict(weight)
    narrow = evidence.split.total_ratio.value < (NOISE_RATIO.tolerable or NOISE_RATIO.sound)[0]
    if verdict == FAULT and weight.value > 1 and not on_train and narrow:
        return Finding(
            question,
            OPEN,
            f"{answer}, but the residuals on these rows are too large for a reliable value.",
            "Also pass the training rows.",
            figures=figures,
        )
    if verdict == SOUND:
        return Finding(question, SOUND, f"{answer}; the ELBO has a weight of one.", figures=figures)
    if verdict == OPEN:
        answer = f"{answer}; the ELBO has a weight of one. {KL_WEIGHT.rows_needed(weight, n)}"
        return Finding(question, OPEN, answer, MORE_ROWS, figures=figures)
    consequence, remedy, fault = _consequence(weight.value)
    return Finding(question, FAULT, f"{answer}: {consequence}", remedy, fault, figures)


def _consequence(weight: float) -> tuple[str, str, str]:
    """Return the consequence of a weight other than one, the remedy and the name of the fault."""
    remedy = 'Train with beta=1 and a learned σ² (noise="shared").'
    if weight < WEIGHTLESS:
        return (
            "none. The objective clamps or omits the KL, so that the model is an autoencoder.",
            "Train on the ELBO, without a clamp or a capacity for the KL.",
            "the KL has no weight: it is clamped or left out",
        )
    if weight < 1:
        return (
            "the weight is too small (a β below one, a mean in place of a sum, or a floor of the "
            "KL), so that the model is not at a maximum of the ELBO.",
            remedy,
            "the KL weighs too little (β below one)",
        )
    return (
        "the weight is too large (a β above one, or a mean in place of a sum), so that q is too "
        "wide and latents collapse.",
        remedy,
        "the KL weighs too much (β above one)",
    )
