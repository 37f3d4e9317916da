"""Mixtures of Gaussians: scikit-learn's with full covariances, and of pPCA."""

import itertools

import numpy as np
from sklearn.mixture import GaussianMixture

import wellposed as wp

from .fitted import Fit, Fitted, SkippedError, by_validation, on_standardised

_REGULARISATIONS = (1e-6, 1e-4, 1e-2)
_WIDE = 300  # columns above which a search takes hours


@on_standardised
def gaussian_mixture(train: np.ndarray, folds: int) -> Fitted:
    """One to ten full components times three regularisations, by validation."""
    most = 10 if train.shape[1] <= _WIDE else 3

    def fit(size: int, regularisation: float) -> Fit:
        def fitted(rows: np.ndarray):
            mixture = GaussianMixture(size, reg_covar=regularisation, max_iter=200, random_state=0)
            return mixture.fit(rows).score_samples

        return fitted

    return by_validation(
        train,
        {
            f"{size} of {most}, {regularisation:g}": fit(size, regularisation)
            for size, regularisation in itertools.product(range(1, most + 1), _REGULARISATIONS)
            if size <= len(train) // 2
        },
        folds,
    )


@on_standardised
def mixture_ppca(train: np.ndarray, folds: int) -> Fitted:
    """Mixture of pPCA with loadings and σ² a component: sizes and k by validation."""
    ours = getattr(wp, "MixturePPCA", None)
    if ours is None:
        raise SkippedError("wellposed has no MixturePPCA")
    d = train.shape[1]
    if d > _WIDE:
        raise SkippedError(f"{d} columns: its search takes hours")
    components = [size for size in (1, 2, 4, 8, 16) if size <= len(train) // 10]
    latents = sorted({k for k in (2, 5, 10, d // 2, d - 1) if 1 <= k < d})

    settings = {"n_init": 1, "transform": "identity", "progress": False, "random_state": 0}

    def fit(k: int, size: int) -> Fit:
        def fitted(rows: np.ndarray):
            return ours(k, n_mixture=size, **settings).fit(rows).score_samples

        return fitted

    return by_validation(
        train,
        {f"{size} of k = {k}": fit(k, size) for k, size in itertools.product(latents, components)},
        folds,
    )
