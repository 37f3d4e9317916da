"""Wrong cells that were planted in tables: rows flagged, and columns named by ``explain``.

    python -m benchmarks.outliers.cells [power-plant] [wine] [kin8nm] [adult] [--rows 200]
        [--train 4000]

A cell of each of ``--rows`` held-out rows is made wrong: a number is moved by 3 to 6 standard
deviations of its column, up or down, and a category becomes another level. A row is flagged if its
p-value is at most 0.05, or a cell is named at the level 0.01. Beside ours stand boosted trees, one
model of each column given the others. ``clean`` is the share of cells that are named in as
many rows as they are.
"""

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import wellposed as wp
from benchmarks.data import root
from benchmarks.gaps.mixed import adult

from .cell_rivals import TreesOfCells

FILES = {"power-plant": "power-plant", "wine": "wine-quality-red", "kin8nm": "kin8nm"}
ALPHA, LEVEL = 0.05, 0.01


def frame_of(name: str) -> pd.DataFrame:
    """Rows of a table."""
    if name == "adult":
        frame: Any = adult()
        return frame.dropna().reset_index(drop=True)
    folder = root() / "uci"
    (path,) = (p for p in Path(folder).iterdir() if p.stem == FILES[name])
    values = np.asarray(wp.datasets.read(path).values, np.float64)
    return pd.DataFrame(values, columns=[f"x{j}" for j in range(values.shape[1])])


def plant(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Return rows with one wrong cell each, and its column."""
    wrong = frame.astype(object)
    cell = rng.integers(frame.shape[1], size=len(frame))
    for i, j in enumerate(cell):
        column = frame.iloc[:, j]
        if pd.api.types.is_numeric_dtype(column):
            step = rng.uniform(3, 6) * column.std()
            moved = column.iloc[i] + rng.choice([-1, 1]) * step
            if column.min() >= 0 and moved < 0:  # outside the support of amounts and counts
                moved = column.iloc[i] + step
            whole = bool((column % 1 == 0).all())
            wrong.iat[i, j] = round(moved) if whole else moved
        else:
            others = [level for level in column.unique() if level != column.iloc[i]]
            wrong.iat[i, j] = rng.choice(others)
    return wrong.astype(frame.dtypes.to_dict()), cell


def line(name: str, n_rows: int, n_train: int) -> str:
    """Fit, plant, explain; return a line of figures."""
    rng, frame = np.random.default_rng(0), frame_of(name)
    order = rng.permutation(len(frame))
    held, train = order[: 2 * n_rows], order[2 * n_rows :][:n_train]
    start = time.perf_counter()
    detector = wp.OutlierVAE(random_state=0)
    if name == "adult":
        rows: Any = frame
        train_rows = rows.iloc[train].reset_index(drop=True)
    else:
        train_rows = frame.iloc[train].to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        detector.fit(train_rows)
        planted, cell = plant(frame.iloc[held[:n_rows]].reset_index(drop=True), rng)
        clean = frame.iloc[held[n_rows:]].reset_index(drop=True)
        given: Any = planted if name == "adult" else planted.to_numpy()
        calm: Any = clean if name == "adult" else clean.to_numpy()
        found, right = detector.explain(given, LEVEL), detector.explain(calm, LEVEL)
        p = detector.p_values(given)
        trees = TreesOfCells.fit(frame.iloc[train].reset_index(drop=True))
        by_trees, of_trees = trees.name(planted, frame.iloc[train], LEVEL)
    kept = list(found.names)
    column = np.array([list(frame.columns)[j] for j in cell])
    if name != "adult":
        column = np.array([found.names[j] for j in cell])
    judged = np.isin(column, kept)
    flagged = (p <= ALPHA) | found.wrong.any(axis=1)
    first = np.array(found.first) == column
    levels = np.array([not pd.api.types.is_numeric_dtype(frame.iloc[:, j]) for j in cell])
    rival = of_trees == np.array([list(frame.columns)[j] for j in cell])
    gap = np.abs(found.contributions.sum(axis=1) - found.surprise).max()
    return (
        f"{name:12} flagged {flagged[judged].mean():6.1%}   first-named column right "
        f"{first[judged].mean():6.1%}   clean {right.wrong.mean():5.2%}   sum off by {gap:.1e}   "
        f"{time.perf_counter() - start:.0f} s"
        + _of_kinds("numbers", judged & ~levels, flagged, first, by_trees, rival)
        + _of_kinds("levels", judged & levels, flagged, first, by_trees, rival)
    )


def _of_kinds(name: str, of: np.ndarray, *found: np.ndarray) -> str:
    """Shares of the rows whose wrong cell is of a kind: ours, then those of boosted trees."""
    if not of.any():
        return ""
    flagged, first, by_trees, rival = (each[of].mean() for each in found)
    return (
        f"\n    {name:8} of {of.sum():4} rows: flagged {flagged:6.1%}, first {first:6.1%}; boosted "
        f"trees of each column: {by_trees:6.1%}, {rival:6.1%}"
    )


def main() -> None:
    """Print a line a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables", nargs="*", default=[*FILES, "adult"])
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--train", type=int, default=4_000)
    given = parser.parse_args()
    for name in given.tables:
        print(line(name, given.rows, given.train), flush=True)


if __name__ == "__main__":
    main()
