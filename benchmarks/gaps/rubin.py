"""Coverage of Rubin's interval of a column mean, over repeated samples of a table."""

from collections.abc import Callable
from typing import Any

import numpy as np

import wellposed as wp
from benchmarks.gaps.data import SIX

N_ROWS, N_DRAWS, SHARE = 200, 10, 0.4


def population(kind: str, n: int = 100_000) -> np.ndarray:
    """Rows from which samples are drawn: "normal" with correlations, or white wine."""
    if kind == "normal":
        generator = np.random.default_rng(0)
        return generator.normal(size=(n, 6)) @ generator.normal(size=(6, 6))
    return SIX["white"]()


def coverage(
    make: Callable[[int], Any],
    kind: str,
    hide: Callable[..., np.ndarray],
    n_repeats: int,
) -> float:
    """Share of 95 % intervals of column means that hold the mean of the population.

    Parameters
    ----------
    make : returns an imputer for a seed
    kind : of the population
    hide : function of ``wellposed.datasets`` that hides entries
    n_repeats : samples
    """
    rows, held = population(kind), []
    truth = rows.mean(axis=0)
    for repeat in range(n_repeats):
        generator = np.random.default_rng(repeat)
        sample = rows[generator.integers(0, len(rows), N_ROWS)]
        gappy = hide(sample, SHARE, generator)
        lost = np.isnan(gappy).any(axis=0)
        draws = make(repeat).fit(gappy).draw(gappy, N_DRAWS)
        pooled = wp.pool(
            draws.mean(axis=1), draws.var(axis=1, ddof=1) / N_ROWS, n=N_ROWS - 1, level=0.95
        )
        held.append(((pooled.low <= truth) & (truth <= pooled.high))[lost])
    return float(np.concatenate(held).mean())
