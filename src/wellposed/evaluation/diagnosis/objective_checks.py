"""Does the posterior rest where the ELBO has its maximum?"""

import math

from .evidence import Evidence
from .judge import beyond, rows_needed
from .record import FAULT, OPEN, SOUND, Finding

_OFF = 1.5  # factor of the KL's weight from which it matters
_WEIGHTLESS = 0.03
_FLOOR = 0.95  # of the prior's σ
_MOVES = 0.1  # variance of the posterior means of a latent in use
_TOO_NARROW = 1 / 1.5  # noise: held-out rows then ask for a narrower q than training did


def posterior_floor(evidence: Evidence) -> Finding:
    """Can q(z | x) be as narrow as the data allow?"""
    question = "Posterior free?"
    used = evidence.codes.loc.var(axis=0) > _MOVES
    least = evidence.codes.scale.min(axis=0)
    figures = {"latents in use": float(used.sum()), "smallest σ of q": float(least.min())}
    if not used.any() or least[used].min() < _FLOOR:
        said = f"The posterior's σ goes down to {least.min():.3g}."
        return Finding(question, SOUND, said, figures=figures)
    return Finding(
        question,
        FAULT,
        f"{used.sum()} latents move with the data, yet the σ of q(z | x) never falls below "
        f"{least[used].min():.3g}: something holds it there, and no latent can say more than "
        f"½ log(1 + Var E[z|x]/σ²) nats.",
        "Let the encoder's σ fall below one: a parametrisation with every positive value.",
        "the encoder's σ has a floor",
        figures,
    )


def kl_weight(evidence: Evidence) -> Finding:
    """Which weight on the KL was the encoder trained for?"""
    question = "Trained on the ELBO?"
    found, on_train = evidence.kl_weight, evidence.train is not None
    n = len(evidence.rows if evidence.train is None else evidence.train)
    figures = {"implied weight of the KL": found.value, "standard error": found.standard_error}
    if math.isnan(found.value):
        return Finding(
            question,
            SOUND,
            "All latents are as good as dead: no weight of the KL can be told.",
            figures=figures,
        )
    told = f"The posterior is as wide as a weight of {found} on the KL makes it"
    verdict = beyond(found, 1 / _OFF, _OFF)
    narrow = evidence.split.total_ratio.value < _TOO_NARROW
    if verdict == FAULT and found.value > 1 and not on_train and narrow:
        return Finding(
            question,
            OPEN,
            f"{told}, but these rows fit the decoder so badly that they would narrow any q.",
            "Pass the training rows too.",
            figures=figures,
        )
    if verdict == SOUND:
        return Finding(question, SOUND, f"{told}; the ELBO has one.", figures=figures)
    if verdict == OPEN:
        needed = rows_needed(found, 1 / _OFF, _OFF, n)
        return Finding(question, OPEN, f"{told}; the ELBO has one. {needed}", figures=figures)
    said, remedy, fault = _what(found.value)
    return Finding(question, FAULT, f"{told}: {said}", remedy, fault, figures)


def _what(weight: float) -> tuple[str, str, str]:
    if weight < _WEIGHTLESS:
        return (
            "none. It is clamped where the data are, or was left out, and the model is an "
            "autoencoder.",
            "Train on the ELBO, the KL with neither clamp nor capacity.",
            "the KL has no weight: it is clamped or left out",
        )
    if weight < 1:
        return (
            "latents are paid for below their price (a β below one, a mean in the place of a "
            "sum, a floor under the KL), and the values are no ELBO's maximum.",
            'Train with beta=1 and a learned σ² (noise="shared").',
            "the KL weighs too little (β below one)",
        )
    return (
        "latents are charged above their price (a β above one, a mean in the place of a sum), "
        "so that q is too wide and latents die.",
        'Train with beta=1 and a learned σ² (noise="shared").',
        "the KL weighs too much (β above one)",
    )
