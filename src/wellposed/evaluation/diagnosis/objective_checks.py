"""Checks of the posterior: is it free to be narrow, and trained on the ELBO?"""

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
from .record import Finding


def check_posterior_floor(evidence: Evidence) -> Finding:
    """Check that the σ of q(z | x) has no floor near the prior's."""
    question = "Posterior free?"
    used = evidence.codes.loc.var(axis=0) > MOVES
    least = evidence.codes.scale.min(axis=0)
    figures = {"latents in use": float(used.sum()), "smallest σ of q": float(least.min())}
    if not (np.isfinite(evidence.codes.loc).all() and np.isfinite(least).all()):
        said = "The encoder returns numbers that are not finite on some of these rows."
        return Finding(question, OPEN, said, "Train again, with a lower rate.", figures=figures)
    narrow = least.min() if not used.any() else least[used].min()
    if narrow < POSTERIOR_FLOOR:
        said = f"The posterior's σ is as small as {least.min():.3g}."
        return Finding(question, SOUND, said, figures=figures)
    if not used.any():
        said = "No latent moves with the data, so that no narrow posterior is called for."
        return Finding(question, OPEN, said, figures=figures)
    return Finding(
        question,
        FAULT,
        f"{used.sum()} latents move with the data, but the σ of q(z | x) is never below "
        f"{narrow:.3g}: the encoder has a floor there, and no latent can carry more than "
        "½ log(1 + Var E[z|x]/σ²) nats.",
        "Let the encoder's σ fall below one: a parametrisation with every positive value.",
        "the encoder's σ has a floor",
        figures,
    )


def check_kl_weight(evidence: Evidence) -> Finding:
    """Compare the weight of the KL that the encoder was trained for with one."""
    question, weight = "Trained on the ELBO?", evidence.kl_weight
    on_train = evidence.train is not None
    n = len(evidence.rows if evidence.train is None else evidence.train)
    figures = {"implied weight of the KL": weight.value, "standard error": weight.standard_error}
    if math.isnan(weight.value):
        said = "All latents have collapsed, so that the weight of the KL cannot be measured."
        return Finding(question, OPEN, said, figures=figures)
    said = f"The posterior is as wide as a weight of {weight} on the KL makes it"
    # The weight is infinite where the posterior is nowhere narrower than the prior.
    verdict = FAULT if math.isinf(weight.value) else KL_WEIGHT.verdict(weight)
    narrow = evidence.split.total_ratio.value < (NOISE_RATIO.tolerable or NOISE_RATIO.sound)[0]
    if verdict == FAULT and weight.value > 1 and not on_train and narrow:
        return Finding(
            question,
            OPEN,
            f"{said}, but the decoder fits these rows so badly that they would narrow any q.",
            "Pass the training rows too.",
            figures=figures,
        )
    if verdict == SOUND:
        return Finding(question, SOUND, f"{said}; the ELBO has one.", figures=figures)
    if verdict == OPEN:
        said = f"{said}; the ELBO has one. {KL_WEIGHT.rows_needed(weight, n)}"
        return Finding(question, OPEN, said, "Pass more rows.", figures=figures)
    consequence, remedy, fault = _consequence(weight.value)
    return Finding(question, FAULT, f"{said}: {consequence}", remedy, fault, figures)


def _consequence(weight: float) -> tuple[str, str, str]:
    """Return what a weight other than one does, the remedy, and the name of the fault."""
    remedy = 'Train with beta=1 and a learned σ² (noise="shared").'
    if weight < WEIGHTLESS:
        return (
            "none. The KL is clamped on these data, or was left out, and the model is an "
            "autoencoder.",
            "Train on the ELBO, the KL with neither clamp nor capacity.",
            "the KL has no weight: it is clamped or left out",
        )
    if weight < 1:
        return (
            "information in the latents costs too little (a β below one, a mean in place of a "
            "sum, a floor under the KL), and no ELBO has its maximum here.",
            remedy,
            "the KL weighs too little (β below one)",
        )
    return (
        "information in the latents costs too much (a β above one, a mean in place of a sum), "
        "so that q is too wide and latents collapse.",
        remedy,
        "the KL weighs too much (β above one)",
    )
