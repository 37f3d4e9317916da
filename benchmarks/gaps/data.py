"""Tables with hidden entries: the columns of numbers, without the target."""

import dataclasses
from collections.abc import Callable

import numpy as np
from sklearn import datasets

import wellposed as wp
from benchmarks.data import root


@dataclasses.dataclass(frozen=True, eq=False)
class Task:
    """A table with hidden entries.

    Parameters
    ----------
    name : of the table and the mask
    whole : array of shape (n, d), in the units in which errors are measured
    hidden : mask of shape (n, d), the entries hidden from the imputer
    """

    name: str
    whole: np.ndarray
    hidden: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        """The table with NaN for hidden entries."""
        return np.where(self.hidden, np.nan, self.whole)

    def squared_error(self, filled: np.ndarray) -> float:
        """Mean over the hidden entries."""
        return float(np.mean((filled - self.whole)[self.hidden] ** 2))


def _read(path: str) -> np.ndarray:
    return np.asarray(wp.datasets.read(root() / path).values, np.float64)


def _yeast() -> np.ndarray:
    with np.load(root() / "outliers" / "47_yeast.npz", allow_pickle=False) as file:
        return np.asarray(file["X"], np.float64)


SIX: dict[str, Callable[[], np.ndarray]] = {
    "breast": lambda: np.asarray(datasets.load_breast_cancer(return_X_y=True)[0], np.float64),
    "banknote": lambda: _read("gaps/banknote_authentication.csv")[:, :-1],
    "concrete": lambda: _read("uci/concrete.txt")[:, :-1],
    "red": lambda: _read("uci/wine-quality-red.txt")[:, :-1],
    "white": lambda: _read("gaps/winequality-white.csv")[:, :-1],
    "yeast": _yeast,
}


def notebook() -> Task:
    """Breast cancer with the mask of MIWAE's notebook, standardised on the whole table."""
    whole = SIX["breast"]().astype(np.float32)
    whole = (whole - whole.mean(axis=0)) / whole.std(axis=0)
    generator = np.random.RandomState(1234)
    hidden = np.zeros(whole.size, bool)
    hidden[generator.choice(whole.size, whole.size // 2, replace=False)] = True
    return Task("breast, notebook", np.asarray(whole, np.float64), hidden.reshape(whole.shape))


def half_hidden(name: str, mask: int) -> Task:
    """One of six tables, standardised, with half of the entries hidden at random."""
    whole = SIX[name]()
    spread = whole.std(axis=0)
    whole = (whole - whole.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    hidden = np.isnan(wp.datasets.hide_completely_at_random(whole, 0.5, mask))
    return Task(f"{name}, mask {mask}", whole, hidden)


def high_hidden(n_columns: int = 5) -> Task:
    """White wine, standardised, values above the mean hidden in the first half of the columns.

    The protocol of not-MIWAE's notebook (Ipsen, Mattei & Frellsen, 2021).
    """
    whole = SIX["white"]()
    whole = (whole - whole.mean(axis=0)) / whole.std(axis=0)
    hidden = (whole > 0) & (np.arange(whole.shape[1]) < n_columns)
    return Task("white, high hidden", whole, hidden)


def fifth_hidden(name: str, mask: int, n_rows: int | None = None) -> Task:
    """Letter or spam, each column on [0, 1], with a fifth of the entries hidden at random."""
    whole = _read(f"gaps/gain-{name}.csv")
    low, high = whole.min(axis=0), whole.max(axis=0)
    whole = (whole - low) / np.where(high > low, high - low, 1.0)
    if n_rows is not None and n_rows < len(whole):
        whole = whole[np.random.default_rng(0).permutation(len(whole))[:n_rows]]
    hidden = np.isnan(wp.datasets.hide_completely_at_random(whole, 0.2, mask))
    return Task(f"{name}, {len(whole)} rows, mask {mask}", whole, hidden)
