"""One line: the targets, and which are met."""

import numpy as np

from .compare import BEYOND, Comparison
from .rivals import MIXTURE

_TIME, _FAR = 3.0, 0.03  # times the mixture's search; share of |log p|


def at_least(what: str, reached: int, target: int) -> str:
    """Text of a target that a count must reach."""
    ended = "met" if reached >= target else f"missed by {target - reached}"
    return f"{what} {reached} (≥ {target}: {ended})"


def at_most(what: str, reached: float, target: float, unit: str = "") -> str:
    """Text of a target that a figure must not exceed."""
    ended = "met" if reached <= target else f"missed by {reached - target:.3g}{unit}"
    return f"{what} {reached:.3g}{unit} (≤ {target:g}{unit}: {ended})"


def verdict(compared: list[Comparison], *, outliers: bool) -> str:
    """Compare what was reached with the targets of the tables that were run."""
    leads = {c.table: c.lead(MIXTURE) for c in compared}
    known = {table: lead for table, lead in leads.items() if lead is not None}
    if not known:
        return "no verdict: it needs the VAE and the mixture on one table at least"
    n = len(known)
    ahead = sum(lead.value > 0 for lead in known.values())
    if outliers:
        parts = [at_least(f"ahead of the mixture on, of {n},", ahead, 24), _never_far(compared)]
    else:
        beyond = sum(lead.value > BEYOND * lead.error for lead in known.values())
        below = sum(c.below_linear for c in compared)
        wide = sum(lead.value >= 2 for lead in known.values())
        parts = [
            at_least(f"ahead of the mixture on, of {n},", ahead, 7),
            at_least("beyond two standard errors on", beyond, 5),
            at_least("by 2 nats on", wide, 2),
            at_most("not above pPCA and factors on splits", below, 0),
        ]
    ratios = {c.table: c.time_ratio for c in compared if c.time_ratio is not None}
    slowest = max(ratios, key=ratios.__getitem__)
    parts.append(at_most(f"time at most ({slowest})", ratios[slowest], _TIME, "x"))
    return "verdict: " + "; ".join(parts)


def _never_far(compared: list[Comparison]) -> str:
    """Text of the target on the worst table, relative to the mixture's log density."""
    behind = {}
    for c in compared:
        lead, mixture = c.lead(MIXTURE), c.mean(MIXTURE)
        if lead is not None and mixture is not None:
            behind[c.table] = -lead.value / max(abs(mixture.value), np.finfo(float).tiny)
    worst = max(behind, key=behind.__getitem__)
    return at_most(f"most below it ({worst})", 100 * behind[worst], 100 * _FAR, " %")
