"""What an audit advises, in plain sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from wellposed._errors import named_features

if TYPE_CHECKING:
    from .record import Audit

# A σ² off by this factor costs 0.0024 nats a feature.
_NEAR = 1.1


def advise(found: Audit) -> tuple[str, ...]:
    """Say what to change, most pressing first; one sentence that says so where nothing is."""
    checks = (_units, _variance, _stated, _rounding, _collapsed)
    said = tuple(sentence for check in checks if (sentence := check(found)))
    return said or (
        "Nothing to change: σ² is within a tenth of its optimum, no latent has collapsed.",
    )


def _units(found: Audit) -> str | None:
    worse = found.optimal_noise_variance / found.data_variance if found.data_variance else math.inf
    if worse < _NEAR:
        return None
    return (
        f"The decoder is worse than the mean of the data: its squared residual is {worse:.3g} "
        "times their variance: check that decode answers in the units of X and encode is given "
        "what it was trained on."
    )


def _variance(found: Audit) -> str | None:
    best = found.optimal_noise_variance
    account = found.account
    how = f", kl_weight = {account.kl_weight_at(best):.3g} in this loss" if account else ""
    remedy = (
        f"train at σ² = {best:.4g}{how}, audit again, since residuals move with σ², or let the "
        "model learn σ²."
    )
    if found.noise_variance == 0:
        return f"The loss has no likelihood, so no ELBO: {remedy}"
    ratio = found.noise_variance / best
    if 1 / _NEAR < ratio < _NEAR:
        return None
    size, factor = ("large", ratio) if ratio > 1 else ("small", 1 / ratio)
    return (
        f"σ² = {found.noise_variance:.4g} is {factor:.3g} times too {size} for the residuals: "
        f"{remedy}"
    )


def _stated(found: Audit) -> str | None:
    account = found.account
    stated = account and account.stated_noise_variance
    if not account or not stated or not account.has_likelihood:
        return None
    if 1 / _NEAR < account.beta < _NEAR:
        return None
    return (
        f"The loss states σ² = {stated:.4g} and weighs its KL by {account.beta:.4g}: sample and "
        f"score at σ² = {account.noise_variance:.4g}, which is what it was trained at."
    )


def _rounding(found: Audit) -> str | None:
    deviation = math.sqrt(found.optimal_noise_variance)
    if deviation >= found.floor:
        return None
    return (
        f"σ = {deviation:.3g} is below {found.floor:.3g}, the standard deviation of the data's own "
        "rounding: densities measure the rounding there; add uniform noise to the data or use a "
        "discretised likelihood."
    )


def _collapsed(found: Audit) -> str | None:
    gone = np.flatnonzero(found.collapse.collapsed)
    if not gone.size:
        return None
    k = len(found.collapse.collapsed)
    said = f"{gone.size} of {k} latents have collapsed ({named_features(gone)})"
    if not found.forecast:
        return (
            f"{said} though nothing drew them to the prior: is this the encoder that was trained?"
        )
    kept, best = kept_by_linear(found)
    if best > kept:
        return (
            f"{said}: σ² prices them out, since a linear model keeps {kept} at this σ²; it keeps "
            f"{best} at the optimal one, which is the cure."
        )
    if k - gone.size < kept:
        return (
            f"{said}, yet a linear model keeps {kept} at this σ²: not σ² but training did it: "
            "begin with a small weight on the KL, or train for longer."
        )
    return f"{said}, as in a linear model, which keeps {kept}: {k - gone.size} latents will do."


def kept_by_linear(found: Audit) -> tuple[int, int]:
    """Latents that a linear model keeps at the σ² of training, and at the optimal σ².

    Those whose rate would be above ε: a sample's eigenvalue is above σ² by chance, and such a
    latent counts as collapsed.
    """
    epsilon = found.collapse.epsilon
    kept = int(np.sum(found.forecast.rates > epsilon)) if found.forecast else 0
    return kept, int(np.sum(found.forecast_at_optimum.rates > epsilon))
