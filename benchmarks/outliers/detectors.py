"""OutlierVAE and its rivals, each with its default settings, but for ``TRIMMED``."""

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
from pyod.models.ecod import ECOD
from pyod.models.knn import KNN
from sklearn.covariance import MinCovDet
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import LocalOutlierFactor
from sklearn.svm import OneClassSVM

import wellposed as wp

_MOST = 10_000  # rows that detectors of quadratic cost are fitted to
_MOST_DIRECTIONS = 40  # of a robust covariance, which takes minutes with more
OURS, TRIMMED = "OutlierVAE", "trim=0.2"
Scores = tuple[np.ndarray, Any]  # larger for outliers, and the detector


def _ours(train: np.ndarray, test: np.ndarray, seed: int) -> Scores:
    detector = wp.OutlierVAE(random_state=seed).fit(train)
    return -detector.score_samples(test), detector


def _trimmed(train: np.ndarray, test: np.ndarray, seed: int) -> Scores:
    detector = wp.OutlierVAE(trim=0.2, random_state=seed).fit(train)
    return -detector.score_samples(test), detector


def _sklearn(make: Callable[[int], Any]) -> Callable[..., Scores]:
    def scores(train: np.ndarray, test: np.ndarray, seed: int) -> Scores:
        fitted = make(seed).fit(train)
        return -fitted.score_samples(test), None

    return scores


def _few(make: Callable[[int], Any]) -> Callable[..., Scores]:
    def scores(train: np.ndarray, test: np.ndarray, seed: int) -> Scores:
        return _sklearn(make)(_at_most(train, seed), test, seed)

    return scores


def _pyod(make: Callable[[int], Any]) -> Callable[..., Scores]:
    def scores(train: np.ndarray, test: np.ndarray, seed: int) -> Scores:
        return make(seed).fit(train).decision_function(test), None

    return scores


def _at_most(rows: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rows if len(rows) <= _MOST else rows[rng.choice(len(rows), _MOST, replace=False)]


def _linear(train: np.ndarray, test: np.ndarray, seed: int) -> Scores:
    varies = train.std(axis=0) > 0
    n, d = train[:, varies].shape
    model = wp.PPCA(max(1, min(d - 1, n // 5, 50)), random_state=seed).fit(train[:, varies])
    return -model.score_samples(test[:, varies]), None


def _mixture(train: np.ndarray, test: np.ndarray, seed: int) -> Scores:
    varies = train.std(axis=0) > 0
    some = _at_most(train[:, varies], seed)
    k = max(1, min(some.shape[1] - 1, 20, len(some) // 30))
    settings: dict[str, Any] = {"n_init": 1, "max_iter": 300, "tol": 1e-5, "progress": False}
    model = wp.MixturePPCA(k, random_state=seed, **settings).fit(some)
    return -model.score_samples(test[:, varies]), None


def _robust(train: np.ndarray, test: np.ndarray, seed: int) -> Scores:
    size = min(_MOST_DIRECTIONS, train.shape[1], len(train) // 5)
    axes = PCA(size, random_state=seed).fit(train)
    fitted = MinCovDet(random_state=seed).fit(axes.transform(train))
    return fitted.mahalanobis(axes.transform(test)), None


def _pyod_vae(seed: int) -> Any:
    from pyod.models.vae import VAE

    return VAE(random_state=seed)


DETECTORS: dict[str, Callable[..., Scores]] = {
    OURS: _ours,
    TRIMMED: _trimmed,
    "KNN": _pyod(lambda seed: KNN()),
    "LOF": _few(lambda seed: LocalOutlierFactor(novelty=True)),
    "IsolationForest": _sklearn(lambda seed: IsolationForest(random_state=seed)),
    "OCSVM": _few(lambda seed: OneClassSVM()),
    "GaussianMixture": _sklearn(lambda seed: GaussianMixture(5, reg_covar=1e-3, random_state=seed)),
    "ECOD": _pyod(lambda seed: ECOD()),
    "MCD": _robust,
    "pPCA log p": _linear,
    "mixture log p": _mixture,
}
# Its own package is needed, which may be absent.
ABSENT = () if importlib.util.find_spec("torch") else ("PyOD's VAE (torch is not installed)",)
if not ABSENT:
    DETECTORS["PyOD's VAE"] = _pyod(_pyod_vae)
