"""The tables: rows jittered within their resolution, and their splits."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
from sklearn import datasets

import wellposed as wp
from benchmarks.data import root
from wellposed.transforms import summarise

MOST_ROWS, MOST_INLIERS = 1_500, 5_000
_TEST_SHARE = 5  # one row in so many is held out


def _uci(name: str) -> Callable[[], np.ndarray]:
    return lambda: np.asarray(wp.datasets.read(root() / "uci" / f"{name}.txt").values)


SEVEN: dict[str, Callable[[], np.ndarray]] = {
    "breast-cancer": lambda: np.asarray(datasets.load_breast_cancer(return_X_y=True)[0]),
    "wine": lambda: np.asarray(datasets.load_wine(return_X_y=True)[0]),
    "power-plant": _uci("power-plant"),
    "concrete": _uci("concrete"),
    "red-wine": _uci("wine-quality-red"),
    "energy": _uci("energy"),
    "kin8nm": _uci("kin8nm"),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Rows to fit, and rows whose log density counts; data units."""

    train: np.ndarray
    test: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """Real rows without ties: float64, shape (n, d)."""

    name: str
    rows: np.ndarray

    def __str__(self) -> str:
        return f"{self.name} {self.rows.shape[0]}x{self.rows.shape[1]}"

    def split(self, seed: int) -> Split:
        """A fifth of the rows, drawn by ``seed``, is held out."""
        order = np.random.default_rng([1, seed]).permutation(len(self.rows))
        n_test = len(order) // _TEST_SHARE
        return Split(self.rows[order[n_test:]], self.rows[order[:n_test]])


def jittered(name: str, rows: np.ndarray, most: int) -> Table:
    """At most ``most`` rows, each value moved uniformly by half of its column's resolution.

    A density of recorded values has no maximum: a column of few distinct values is given any
    density at all by a component that is narrow enough. Jittered within the resolution, the rows
    are a draw from a law that has a density, and its log is a bound of that of the values.
    Columns that never vary are dropped.
    """
    generator = np.random.default_rng(0)
    kept = generator.permutation(len(rows))[:most]
    values = np.asarray(rows, np.float64)[np.sort(kept)]
    values = values[:, values.max(axis=0) > values.min(axis=0)]
    step = summarise(values).resolution
    return Table(name, values + step * generator.uniform(-0.5, 0.5, values.shape))


def inlier_names() -> list[str]:
    """Names of the tables of inliers: those of the files of ``outliers``, by their number."""
    names = [path.stem for path in (root() / "outliers").glob("*.npz")]
    return sorted(names, key=lambda name: int(name.partition("_")[0]))


def inliers(name: str) -> np.ndarray:
    """The rows of a file of ``outliers`` that are none."""
    with np.load(root() / "outliers" / f"{name}.npz", allow_pickle=False) as file:
        return file["X"][file["y"] == 0]


def chosen(names: list[str], asked: list[str] | None) -> list[str]:
    """Those of the tables that were asked for: by name, or by name without its number.

    Raises
    ------
    SystemExit
        If no table has a name that was asked for.
    """
    if asked is None:
        return names
    unknown = [word for word in asked if not any(_named(name, word) for name in names)]
    if unknown:
        raise SystemExit(f"no table {', '.join(unknown)}; there are {', '.join(names)}")
    return [name for name in names if any(_named(name, word) for word in asked)]


def _named(name: str, word: str) -> bool:
    return word in (name, name.partition("_")[2])


def read(asked: list[str] | None, *, outliers: bool) -> Iterator[Table]:
    """Yield the tables asked for, each read when it is its turn."""
    if outliers:
        for name in chosen(inlier_names(), asked):
            yield jittered(name, inliers(name), MOST_INLIERS)
    else:
        for name in chosen(list(SEVEN), asked):
            yield jittered(name, SEVEN[name](), MOST_ROWS)
