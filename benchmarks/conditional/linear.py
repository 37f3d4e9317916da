"""The linear solution: probabilistic PCA after regression on the batch, by hand."""

import jax
import numpy as np

import wellposed as wp
from benchmarks.conditional.cells import Cells

K = 10


def residuals(train: Cells, rows: np.ndarray, regressed: bool) -> np.ndarray:
    """Return log1p of counts, less the means of the batches in the training cells."""
    values, batch = np.log1p(rows[:, :-1]), rows[:, -1].astype(int)
    known = np.log1p(train.observed)
    means = np.stack([known[train.batch == b].mean(axis=0) for b in (0, 1)])
    return values - (means[batch] if regressed else known.mean(axis=0))


def exact_difference(train: Cells) -> float:
    """Largest |log p(x | c) − that of pPCA after regression| over cells, float64, nats."""
    y = np.log1p(train.observed)
    rows = np.column_stack([y, train.batch])
    with jax.enable_x64(True):
        vae = wp.VAE(
            K, covariates={y.shape[1]: "category"}, noise="shared", prior="standard", hidden=(),
            transform="identity", max_epochs=1, patience=None, learning_rate=1e-300,
            objective="iwae", n_importance=1, validation_fraction=0.0, random_state=0,
        ).fit(rows)  # fmt: skip
        found = vae.score_samples(rows, method="exact")
    apart = residuals(train, train.rows(), True)
    varies = y.std(axis=0) > 0
    apart = apart[:, varies]
    values, vectors = np.linalg.eigh(apart.T @ apart / len(apart))
    values, vectors = values[::-1], vectors[:, ::-1]
    variance = values[K:].mean()
    along = apart @ vectors[:, :K]
    quadratic = (along**2 / values[:K]).sum(1)
    quadratic += ((apart**2).sum(1) - (along**2).sum(1)) / variance
    n_rest = len(values) - K
    log_det = np.log(values[:K]).sum() + n_rest * np.log(variance)
    by_hand = -0.5 * (quadratic + log_det + len(values) * np.log(2 * np.pi))
    return float(np.abs(found - by_hand).max())
