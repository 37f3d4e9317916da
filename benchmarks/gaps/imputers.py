"""The imputers that are compared. Adding one is adding a line."""

import dataclasses
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer

import wellposed as wp
from benchmarks.gaps.data import Task


def _forest() -> Any:
    trees = ExtraTreesRegressor(n_estimators=100, n_jobs=1, random_state=0)
    return IterativeImputer(trees, max_iter=10, random_state=0)


def _ridge() -> Any:
    return IterativeImputer(max_iter=50, random_state=0)


def _neighbours(k: int) -> Callable[[], Any]:
    return lambda: KNNImputer(n_neighbors=k)


# Where there are several, the one with the least error of hidden entries counts.
IMPUTERS: dict[str, tuple[Callable[[], Any], ...]] = {
    "mean": (SimpleImputer,),
    "KNN, best k": tuple(_neighbours(k) for k in (3, 5, 10, 20, 50)),
    "iterative ridge": (_ridge,),
    "iterative trees": (_forest,),
    "GaussianImputer": (lambda: wp.GaussianImputer(random_state=0),),
    "VAEImputer": (lambda: wp.VAEImputer(random_state=0),),
}


def masked(n_models: int) -> dict[str, tuple[Callable[[], Any], ...]]:
    """The imputers of entries that are missing for their own value."""
    settings = {"objective": "iwae", "n_importance": 20, "patience": 20}
    return {
        **{name: IMPUTERS[name] for name in ("mean", "iterative ridge", "GaussianImputer")},
        **{
            f"VAE {word} x{n_models}": (
                lambda word=word: wp.VAEImputer(
                    wp.VAE(missing=word, **settings), n_models=n_models, random_state=0
                ),
            )
            for word in ("ignorable", "self-masking", "self-masking-high")
        },
    }


@dataclasses.dataclass(frozen=True)
class Score:
    """Figures of an imputer on a task.

    Parameters
    ----------
    error : mean squared error of hidden entries
    seconds : of fit and fill, of the best one where there are several
    coverage : share of hidden entries within their 90 % intervals; None without intervals
    """

    error: float
    seconds: float
    coverage: float | None = None


def score(makers: tuple[Callable[[], Any], ...], task: Task) -> Score:
    """Fit the imputers of a name, and return the figures of the best."""
    return min((_score(make(), task) for make in makers), key=lambda found: found.error)


def _score(imputer: Any, task: Task) -> Score:
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # IterativeImputer warns at any number of rounds
        filled = np.asarray(imputer.fit_transform(task.rows))
    seconds = time.perf_counter() - start
    coverage = None
    if hasattr(imputer, "predict_interval"):
        interval = imputer.predict_interval(task.rows, level=0.9)
        within = (interval.low <= task.whole) & (task.whole <= interval.high)
        coverage = float(within[task.hidden].mean())
    return Score(task.squared_error(filled), seconds, coverage)
