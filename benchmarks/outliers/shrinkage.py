"""Variance shrinkage: coverage of σ(z) and of quantile heads, and what mends it.

    python -m benchmarks.outliers.shrinkage [wine] [power-plant] [kin8nm] [--train 2000]

Three VAEs a table, which differ in their noise: Gaussian with σ(z) that has neither limit nor
floor, Gaussian with σ(z) above the floor of the data, and quantile heads. Of rows that were not in
the training, the share is measured that is below the 15, 50 and 85 % quantile of p(x_j | z) at
z = E[z | x], and inside the central 70 and 95 % intervals, over all columns. "rescaled" has σ
fitted to further rows by ``recalibrate``, "corrected" has the levels that these rows ask for.
"""

import argparse
import warnings
from typing import Any

import jax
import numpy as np

import wellposed as wp
from benchmarks.outliers.cells import FILES, frame_of
from wellposed.estimators.outliers.columns import quantile_noise
from wellposed.estimators.outliers.outlier_vae import default_vae
from wellposed.evaluation.outliers import central_ranks

LEVELS = np.array([0.025, 0.15, 0.5, 0.85, 0.975])
NOISES: dict[str, Any] = {
    "σ(z), no floor": lambda: wp.noise.Gaussian("conditional", floor=0.0, ratio=None),
    "σ(z), floor": lambda: "conditional",
    "quantile heads": quantile_noise,
}


def below(ranks: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Share of the cells below quantiles, (5,), for levels of shape (5, 1) or (5, d)."""
    return (ranks[None] <= levels[:, None]).mean(axis=(1, 2))


def line(title: str, shares: np.ndarray) -> str:
    """Shares below 15, 50 and 85 %, and inside 70 and 95 %."""
    inside = shares[3] - shares[1], shares[4] - shares[0]
    figures = (*shares[1:4], *inside)
    return f"  {title:28}" + "".join(f"{value:9.1%}" for value in figures)


def measure(name: str, n_train: int) -> None:
    """Print the lines of a table."""
    rng, values = np.random.default_rng(0), frame_of(name).to_numpy()
    values = values[rng.permutation(len(values))]
    n_train = min(n_train, len(values) // 2)
    train, rest = values[:n_train], values[n_train:]
    half = min(len(rest) // 2, 2_000)
    further, held = rest[:half], rest[half : 2 * half]
    print(f"{name}: {n_train} rows to train on, {half} further, {half} to judge")
    print(f"  {'':28}" + "".join(f"{c:>9}" for c in ("15 %", "50 %", "85 %", "70 %", "95 %")))
    for title, noise in NOISES.items():
        free = {"noise": noise(), "allow_unbounded": True, "random_state": 0}
        vae = default_vae(**free, progress=False).fit(train)
        ranks = [
            central_ranks(vae.model_, vae.rows(rows), key=jax.random.key(0))
            for rows in (train, held, further)
        ]
        even = LEVELS[:, None]
        print(line(f"{title}, training rows", below(ranks[0], even)))
        print(line(title, below(ranks[1], even)))
        print(line("  corrected", below(ranks[1], np.quantile(ranks[2], LEVELS, axis=0))))
        vae.recalibrate(further)
        again = central_ranks(vae.model_, vae.rows(held), key=jax.random.key(0))
        print(line("  rescaled", below(again, even)), flush=True)


def main() -> None:
    """Print a block a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables", nargs="*", default=list(FILES))
    parser.add_argument("--train", type=int, default=2_000)
    given = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in given.tables:
            measure(name, given.train)


if __name__ == "__main__":
    main()
