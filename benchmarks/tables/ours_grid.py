"""A grid search by scikit-learn over the library: ``ours_grid.py ROWS.npy``."""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.model_selection import GridSearchCV

import wellposed as wp
from wellposed.estimators._build import plan_of

FOLDS = 3
GRID = {"n_components": [2, 5], "noise": ["shared", "feature"]}


def main() -> None:
    """Fit 2 noises x 2 k x 3 folds, score each, and fit the best on all rows."""
    warnings.simplefilter("ignore")
    rows = np.load(Path(sys.argv[1]))
    fits: list[dict] = []

    def score(vae: wp.VAE, X: np.ndarray, y: None = None) -> float:
        fits.append({"k": vae.n_components, "feature": vae.noise == "feature", **settings(vae)})
        return vae.score(X)

    def settings(vae: wp.VAE) -> dict[str, int]:
        n = len(rows) * (FOLDS - 1) // FOLDS
        return {"epochs": vae.n_epochs_, "batch": plan_of(vae.get_params(), n).batch_size}

    search = GridSearchCV(wp.VAE(random_state=0), GRID, cv=FOLDS, scoring=score).fit(rows)
    print(json.dumps({"fits": fits, "refit": settings(search.best_estimator_)}))


if __name__ == "__main__":
    main()
