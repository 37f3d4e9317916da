"""Tables of levels, counts, amounts and several kinds: the default VAE beside simpler models.

    python -m benchmarks.density.kinds [TABLE ...] [--seeds 2]

Noise of these families has no linear start, so that the KL is warmed up. Each table is fitted with
the default settings, and without the warm-up; the rivals are those of ``VAE.compare``: one
distribution for each column, and a mixture of 4 or 16 of these. Where p(x) is a density (amounts,
shares) they are factor analysis, one Gaussian and a mixture of Gaussians, of the model units.
A quarter of the rows, at most 1,000, is held out. Gaps are ignorable, and drawn by the VAE for the
comparison. Differences are means over seeds of paired differences, with the standard error of rows.
"""

import argparse
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

import wellposed as wp
from benchmarks.data import root
from benchmarks.gaps import mixed

Table = tuple[Any, dict[str, Any]]  # rows, and settings of the VAE
_MOST_HELD_OUT = 1_000
_SOME = [
    "age",
    "workclass",
    "education",
    "marital",
    "occupation",
    "sex",
    "capital-gain",
    "hours",
    "income",
]


def adult(n: int, columns: list[str] | None = None, *, gaps: bool) -> Table:
    """Rows of the adult table, those with an empty cell left out unless ``gaps``."""
    frame = mixed.adult()
    frame = frame if gaps else frame.dropna()
    frame = frame.sample(n, random_state=0, ignore_index=True)[columns or list(frame)]
    return frame, {"missing": "ignorable"} if gaps else {}


def cells(noise: str) -> Table:
    """Counts of 200 genes in 2,500 cells."""
    path = root() / "single-cell" / "mouse_brain_10x_10000x1000_counts_csr.npz"
    counts = np.asarray(wp.datasets.read(path).values)[:2_500, :200]
    return counts, {"noise": noise, "n_components": 10}


def uci(name: str, noise: str) -> Table:
    """Columns of positive numbers; for shares divided by a little more than their range."""
    rows = np.loadtxt(root() / "uci" / f"{name}.txt")
    rows = rows[:, (rows > 0).all(axis=0)]
    if noise == "beta":
        low, high = rows.min(axis=0), rows.max(axis=0)
        rows = (rows - low + 0.01 * (high - low)) / (1.02 * (high - low))
    return rows, {"noise": noise}


TABLES: dict[str, Callable[[], Table]] = {
    "adult, 15 columns": lambda: adult(2_700, gaps=False),
    "adult, 15 columns, gaps": lambda: adult(9_000, gaps=True),
    "adult, 9 columns, gaps": lambda: adult(1_600, _SOME, gaps=True),
    "adult, 9 columns": lambda: adult(800, _SOME, gaps=False),
    "horse colic, gaps": lambda: (mixed.horse_colic(), {"missing": "ignorable"}),
    "digits, Bernoulli": lambda: (
        (load_digits().data > 7).astype(float),
        {"noise": "bernoulli", "n_components": 10},
    ),
    "digits, beta-binomial": lambda: (
        load_digits().data,
        {"noise": "beta-binomial", "n_components": 10},
    ),
    "digits, categorical": lambda: (load_digits().data[:, 8:56:3], {"noise": "categorical"}),
    "cells, negative binomial": lambda: cells("negative-binomial"),
    "cells, Poisson": lambda: cells("poisson"),
    "concrete, gamma": lambda: uci("concrete", "gamma"),
    "wine, log-normal": lambda: uci("wine-quality-red", "log-normal"),
    "wine, beta": lambda: uci("wine-quality-red", "beta"),
}


def splits(rows: Any, seeds: int) -> Iterator[tuple[int, Any, Any]]:
    """Shuffle and split; levels that no training row has are left out of the held-out rows."""
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(len(rows))
        n = min(len(rows) // 4, _MOST_HELD_OUT)
        held, kept = order[:n], order[n:]
        if not isinstance(rows, pd.DataFrame):
            yield seed, rows[kept], rows[held]
            continue
        train, test = rows.iloc[kept], rows.iloc[held]
        for name in train.select_dtypes(exclude="number"):
            test = test[test[name].isna() | test[name].isin(train[name].dropna().unique())]
        yield seed, train, test


def mean(values: list[np.ndarray]) -> str:
    """Mean over seeds and rows, and its standard error over rows."""
    each = np.concatenate(values)
    return f"{each.mean():8.2f} ± {each.std() / np.sqrt(len(each)):.2f}"


def main() -> None:
    """Print a line for each table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(TABLES))
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    warnings.simplefilter("ignore", wp.WellposedWarning)
    print("held-out log p(x), nats a row; then default VAE − model, paired")
    print(f"{'':26}{'default VAE':>17}{'no warm-up':>17}   rivals")
    for name in given.tables or TABLES:
        rows, settings = TABLES[name]()
        own, cold, rivals = [], [], {}
        for seed, train, test in splits(rows, given.seeds):
            of = settings | {"random_state": seed, "progress": False}
            vae, without = wp.VAE(**of).fit(train), wp.VAE(**of, kl_warmup=0).fit(train)
            own.append(vae.score_samples(test))
            cold.append(own[-1] - without.score_samples(test))
            found = vae.compare(test, train)
            for rival in found.rivals:
                if rival.log_p is not None:
                    rivals.setdefault(rival.name, []).append(found.log_p - rival.log_p)
        said = "; ".join(f"{each} {mean(values).strip()}" for each, values in rivals.items())
        print(f"{name:26}{mean(own):>17}{mean(cold):>17}   {said}", flush=True)


if __name__ == "__main__":
    main()
