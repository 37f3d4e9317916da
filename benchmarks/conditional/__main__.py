"""One data set in two batches: the batch given to the model, and not.

python -m benchmarks.conditional [--cells 4000] [--genes 200] [--epochs 60]
"""

import argparse
import time
import warnings

import jax
import numpy as np
from sklearn.decomposition import PCA

import wellposed as wp
from benchmarks.conditional.cells import Cells, read_cells
from benchmarks.conditional.linear import exact_difference, residuals
from benchmarks.conditional.mixing import line, twins
from wellposed import evaluation

HELD_OUT = 800
K = 10


def main() -> None:
    """Train the two, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=4000)
    parser.add_argument("--genes", type=int, default=200)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--rates", type=float, nargs=2, default=(0.2, 0.8))
    given = parser.parse_args()
    cells = read_cells(given.cells, given.genes, tuple(given.rates))
    train, held = cells.part(slice(HELD_OUT, None)), cells.part(slice(HELD_OUT))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wp.WellposedWarning)  # trainings of a fixed length
        print(f"linear solution, float64: |log p(x | c) − pPCA after regression| ≤ "
              f"{exact_difference(train):.1e} nats a row", flush=True)  # fmt: skip
        compare(train, held, given.epochs)


def fit(train: Cells, epochs: int, *, conditional: bool) -> wp.VAE:
    """Fit one of the two models of counts."""
    start, d = time.perf_counter(), train.whole.shape[1]
    settings = {"noise": wp.noise.NegativeBinomial(), "hidden": (64,), "max_epochs": epochs}
    covariates = {d: "category"} if conditional else None
    vae = wp.VAE(K, covariates=covariates, patience=None, random_state=0, **settings)
    vae.fit(train.rows()[:, : None if conditional else d])
    name = "batch given" if conditional else "unconditioned"
    print(f"{name}: fitted in {time.perf_counter() - start:.0f} s", flush=True)
    return vae


def compare(train: Cells, held: Cells, epochs: int) -> None:
    """Print log p of held-out cells, the mixing of z, and the batches corrected."""
    d = train.whole.shape[1]
    both = [fit(train, epochs, conditional=flag) for flag in (True, False)]
    own = [lambda rows: rows, lambda rows: rows[:, :d]]
    log_p = [
        vae.score_samples(take(held.rows())).astype(float)
        for vae, take in zip(both, own, strict=True)
    ]
    gain = log_p[0] - log_p[1]
    error = [each.std(ddof=1) / len(each) ** 0.5 for each in (*log_p, gain)]
    print(f"log p(x | c), batch given     {log_p[0].mean():9.2f} ± {error[0]:.2f} nats a cell")
    print(f"log p(x), unconditioned       {log_p[1].mean():9.2f} ± {error[1]:.2f}")
    print(f"difference, paired            {gain.mean():9.2f} ± {error[2]:.2f}\n", flush=True)
    print(f"{'latents of held-out cells':34}{'I(z; batch) ≥':>16}{'permuted':>9}{'accuracy':>10}"
          f"{'mixing':>18}{'twins':>9}")  # fmt: skip
    names = "VAE, batch given", "VAE, unconditioned"
    for name, vae, take in zip(names, both, own, strict=True):
        rows = vae.rows(take(held.rows()))
        codes = evaluation.codes(vae.model_, rows, key=jax.random.key(0), most=len(rows))
        pairs = [vae.transform(take(held.rows(np.full(len(rows), b)))) for b in (0, 1)]
        print(line(name, codes.z, codes.loc, held.batch, twins(*pairs)), flush=True)
    for name, regressed in (("PCA of log1p after regression", True), ("PCA of log1p", False)):
        means, pairs = pca(train, held, regressed=regressed)
        print(line(name, means, means, held.batch, twins(*pairs)), flush=True)
    corrected(both, held, d)


def pca(train: Cells, held: Cells, *, regressed: bool) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return components of held-out cells, and of these in the first and the second batch."""
    fitted = PCA(K).fit(residuals(train, train.rows(), regressed))
    sets = [held.rows(), *(held.rows(np.full(len(held.batch), b)) for b in (0, 1))]
    means, *pairs = [fitted.transform(residuals(train, rows, regressed)) for rows in sets]
    return means, pairs


def corrected(both: list[wp.VAE], held: Cells, d: int) -> None:
    """Compare cells of the second batch, brought to the first, with their counts there."""
    second = held.batch == 1
    rows, truth = held.rows()[second], held.whole[second]
    found = {
        "VAE, batch given": both[0].reconstruct(rows, covariates=[0])[:, :d],
        "VAE, unconditioned": both[1].reconstruct(rows[:, :d]),
        "as observed": rows[:, :d],
    }
    print(f"\n{'thinned cells in the first batch':34}{'means of genes':>20}{'cell by cell':>22}")
    for name, counts in found.items():
        ratio = np.abs(np.log(counts.mean(axis=0) / truth.mean(axis=0)))
        squares = ((np.log1p(np.maximum(counts, 0)) - np.log1p(truth)) ** 2).mean(axis=1)
        shown = [f"{v.mean():.4f} ± {v.std() / len(v) ** 0.5:.4f}" for v in (ratio, squares)]
        print(f"{name:34}{shown[0]:>20}{shown[1]:>22}")
    print("means of genes: mean |log ratio|; cell by cell: mean squared error of log1p")


if __name__ == "__main__":
    main()
