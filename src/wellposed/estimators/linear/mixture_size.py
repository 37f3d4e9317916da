"""Starts of a mixture of probabilistic PCAs by k-means, and the choice of its size."""

import dataclasses
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from wellposed import models, training

_SIZES = (1, 2, 3, 5, 7, 10, 15, 20, 30)  # components tried
_HELD_OUT = 0.2
_IN_VAIN = 2  # sizes tried beyond the best
_NARROWEST = 1e-3  # share of the standard deviation: smallest noise of the model that fills gaps
_FEW = 100  # iterations of that model
_ROUGHLY = 1e-5  # tolerance of the mixtures that are compared

Run = training.LinearRun[models.MixturePPCAModel]


def best_of_starts(
    values: np.ndarray,
    n_components: int,
    size: int,
    n_init: int,
    plan: training.LinearPlan,
    *,
    log_det: float = 0.0,
    seed: int,
    progress: bool | str,
) -> Run:
    """Fit a mixture of ``size`` components from ``n_init`` starts; return the most likely.

    In rows with gaps, the starts are those of rows filled by one probabilistic PCA.
    """
    runs, filled = [], _filled(values, n_components, plan.floor)
    for i in range(n_init if size > 1 else 1):
        shares = np.eye(size)[_labels(filled, size, seed + i)]
        start = training.mixture_of(filled, shares, n_components, plan.floor)
        run = training.mixture_em(values, start, plan, log_det=log_det, progress=progress)
        runs.append(run)
        if run.outcome is training.Outcome.interrupted:
            break
    return max(runs, key=lambda run: run.objective[-1])


def choose(
    values: np.ndarray,
    n_components: int,
    n_init: int,
    plan: training.LinearPlan,
    *,
    seed: int,
    progress: bool | str,
) -> models.MixturePPCAModel:
    """Return the mixture with the highest log density of a held-out fifth of the rows.

    Its number of components rises until two sizes in a row are no better. Each component has at
    least the rows on average that leave it a residual.
    """
    n, d = values.shape
    order = np.random.default_rng(seed).permutation(n)
    held = round(_HELD_OUT * n)
    training_rows, test_rows = values[order[held:]], values[order[:held]]
    fewest = training.fewest_rows(d, n_components)
    if np.isnan(training_rows).all(axis=0).any():
        held = 0  # a column has no entry left
    sizes = [size for size in _SIZES if size * fewest <= len(training_rows)]
    rough = dataclasses.replace(plan, tol=max(plan.tol, _ROUGHLY))
    best, highest, in_vain = None, -np.inf, 0
    for size in sizes if held else ():
        run = best_of_starts(
            training_rows, n_components, size, n_init, rough, seed=seed, progress=progress
        )
        reached = float(run.model.log_density(test_rows).mean())
        in_vain = 0 if reached > highest else in_vain + 1
        if reached > highest:
            best, highest = run.model, reached
        if in_vain == _IN_VAIN or run.outcome is training.Outcome.interrupted:
            break
    if best is None:  # too few rows to hold any out
        filled = _filled(values, n_components, plan.floor)
        best = training.mixture_of(filled, np.ones((n, 1)), n_components, plan.floor)
    return best


def _filled(values: np.ndarray, n_components: int, floor: float) -> np.ndarray:
    """Rows whose gaps have their means given the observed entries, by probabilistic PCA."""
    if not np.isnan(values).any():
        return values
    _, variance = models.gaps.observed_moments(values)
    floor = max(floor, _NARROWEST * float(np.sqrt(variance.mean())))
    solution = models.gaps.factor_analysis(
        values, n_components, floor=floor, one_variance=True, max_iter=_FEW
    )
    return solution.model.conditional(values)[0]


def _labels(values: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Component of each row by k-means of the standardised features, shape (n,)."""
    if size == 1:
        return np.zeros(len(values), int)
    from sklearn.cluster import KMeans  # its import takes longer than most fits

    spread = values.std(axis=0)
    standard = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        # Fewer distinct rows than components: some stay empty.
        warnings.simplefilter("ignore", ConvergenceWarning)
        k_means: Any = KMeans(size, n_init="auto", random_state=seed)  # one start, by k-means++
        return k_means.fit_predict(standard)
