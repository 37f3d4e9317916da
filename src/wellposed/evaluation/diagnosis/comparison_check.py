"""Check of the outcome: log p(x) beside that of simpler models."""

import numpy as np

from wellposed._errors import SettingError
from wellposed.latents import StandardNormal

from .._estimate import Estimate
from .._thresholds import CAUTION, FAULT, OPEN
from ..rivals.linear import has_one_variance
from ..rivals.record import Comparison, Rival
from .evidence import Evidence
from .record import Finding

_QUESTION = "Better than simpler models?"
_OVERFITTED = 0.5  # share of the deficit that the gap to the training rows makes up


def check_comparison(evidence: Evidence, causes: tuple[Finding, ...]) -> Finding:
    """Compare held-out log p(x) with that of the linear model, one Gaussian and a mixture.

    Parameters
    ----------
    evidence : measures of the model
    causes : all other findings, for the remedy
    """
    if evidence.train is None:
        answer = "A comparison with simpler models needs training rows to fit them to."
        return _finding(OPEN, answer, "Also pass the training rows.")
    try:
        comparison = evidence.comparison
    except SettingError as error:
        reason, remedy = _split(str(error))
        return _finding(OPEN, f"Not compared, because {reason}", remedy)
    figures = _figures(comparison)
    verdict, table, said = comparison.judgement, comparison.table, comparison.sentences
    fault, remedy = "", ""
    if verdict == FAULT and comparison.worst is not None:
        worst = comparison.worst
        deficit = comparison.difference(worst)
        size = Estimate(-deficit.value, deficit.standard_error)
        fault = f"worse than {worst.name} by {size} nats a row"
        remedy = _remedy(evidence, comparison, causes)
    elif verdict == OPEN:
        remedy = "Pass more held-out rows."
    elif verdict == CAUTION:
        remedy = (
            "A simpler model is as good as a density, and its log p(x) is exact: wp.PPCA, "
            "wp.FactorAnalysis or wp.MixturePPCA."
            if _of_densities(comparison)
            else "The latents describe no more than a simpler model does: use more latents "
            f"(n_components; there are {_latents(evidence)}), or a longer kl_warmup."
        )
    return _finding(verdict, said, remedy, fault, figures, table)


def _finding(verdict, said, remedy="", fault="", figures=None, table=()) -> Finding:
    return Finding(_QUESTION, verdict, said, remedy, fault, figures or {}, table, is_outcome=True)


def _split(message: str) -> tuple[str, str]:
    """Return the first sentence of a message, and the rest."""
    first, _, rest = message.partition(". ")
    return f"{first}.", rest


def _figures(comparison: Comparison) -> dict[str, float]:
    figures = {"log p(x), nats a row": float(comparison.log_p.mean())}
    for rival in comparison.rivals:
        if rival.log_p is not None:
            difference = comparison.difference(rival)
            figures[f"VAE − {rival.name}, nats a row"] = difference.value
            figures[f"its standard error, {rival.name}"] = difference.standard_error
    return figures


def _remedy(evidence: Evidence, comparison: Comparison, causes: tuple[Finding, ...]) -> str:
    """Return the remedy of the first cause that was found, or else one by who is ahead."""
    found = [cause for cause in causes if cause.verdict == FAULT]
    if found:
        return f"First correct what may be its cause, {found[0].fault}: {found[0].remedy}"
    if not _of_densities(comparison):
        plain = isinstance(evidence.model.prior, StandardNormal)
        learned = ', prior="mixture"' if plain else ""
        return (
            f"Use more latents (n_components; there are {_latents(evidence)}){learned}, wider "
            "layers (hidden), or a longer kl_warmup."
        )
    worse = {r.kind: r for r in comparison.rivals if comparison.reading(r) == "worse"}
    if "linear" in worse:
        first = _of_training(evidence, comparison, worse["linear"])
        # What its linear model is behind of, no training of the same family reaches with certainty.
        return f"{first} {_of_family(evidence)}" if len(worse) > 1 else first
    if "Gaussian" in worse:
        one = "one Gaussian, sklearn.mixture.GaussianMixture(1)"
        return f"{_of_family(evidence)} Or use {one}, whose log p(x) is exact."
    remedies = [_of_family(evidence)]
    if isinstance(evidence.model.prior, StandardNormal):
        remedies.insert(0, 'Learn p(z): prior="mixture".')
    return f"{' '.join(remedies)} Or use wp.MixturePPCA, whose log p(x) is exact."


def _latents(evidence: Evidence) -> int:
    return evidence.model.prior.k


def _of_densities(comparison: Comparison) -> bool:
    """Whether the rivals are Gaussians, and not of the family of the VAE's noise."""
    return any(rival.kind == "Gaussian" for rival in comparison.rivals)


def _of_training(evidence: Evidence, comparison: Comparison, linear: Rival) -> str:
    """Return the remedy for a model that is worse than the linear model within its family."""
    deficit = -comparison.difference(linear).value
    gap = 0.0
    if evidence.train_terms is not None:
        here, there = (
            float(np.asarray(terms.elbo, np.float64).mean())
            for terms in (evidence.terms, evidence.train_terms)
        )
        gap = there - here
    if gap > _OVERFITTED * deficit:
        return (
            f"The ELBO of the training rows is higher by {gap:.3g} nats: the networks have fitted "
            "their noise. Use linear_start=True, narrower layers, weight_decay, or a "
            "validation_fraction with patience."
        )
    return (
        "Start at the linear model: linear_start=True. Or train for longer, with a lower "
        "learning rate, or with a kl_warmup."
    )


def _of_family(evidence: Evidence) -> str:
    """Return the remedy for a model whose family is too narrow."""
    k, d = _latents(evidence), evidence.d
    more = f"Use more latents (n_components; there are {k} for {d} features)" if k < d - 1 else ""
    if has_one_variance(evidence.model):
        wider = 'one noise variance a feature, noise="feature" or "conditional"'
        return f"{more}, or {wider}." if more else f"Use {wider}."
    return f"{more}." if more else 'Use noise="conditional", prior="flow", or wider layers.'
