"""Tables of several kinds as they are, gaps and all, with a tenth of the observed cells hidden."""

import dataclasses
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer

import wellposed as wp
from benchmarks.data import root
from benchmarks.gaps.store import kept
from wellposed.evaluation.predictive.crps import fair_crps

HORSE_NUMBERS = {
    "rectal temperature": 3,
    "pulse": 4,
    "respiratory rate": 5,
    "reflux pH": 15,
    "packed cell volume": 18,
    "total protein": 19,
    "abdominal protein": 21,
}
HORSE_NUMBER = 2  # of the hospital, an identifier
ADULT_NAMES = (
    "age workclass weight education education-years marital occupation relationship race sex "
    "capital-gain capital-loss hours country income"
)
N_DRAWS = 20
RIDGE_ROWS = 10_000


@dataclasses.dataclass(frozen=True, eq=False)
class MixedTask:
    """A frame with hidden cells.

    Parameters
    ----------
    name : of the table and the mask
    whole : frame of n rows and d columns: numbers, and categories
    hidden : mask of shape (n, d), the cells hidden from the imputer; all are observed in ``whole``
    """

    name: str
    whole: pd.DataFrame
    hidden: np.ndarray

    @property
    def frame(self) -> pd.DataFrame:
        """The frame with the hidden cells empty."""
        return self.whole.mask(self.hidden)

    @property
    def numbers(self) -> list[str]:
        """Names of the columns of numbers."""
        return [name for name in self.whole if self.whole[name].dtype.kind == "f"]


@dataclasses.dataclass(frozen=True)
class MixedScore:
    """Figures of an imputer on a task.

    Parameters
    ----------
    rmse : of hidden numbers, in standard deviations of their columns
    accuracy : share of the hidden categories that are right
    crps : of hidden numbers, in standard deviations; of one fill it is its absolute error
    seconds : of fit and fill, without draws
    """

    rmse: float
    accuracy: float
    crps: float
    seconds: float


def horse_colic() -> pd.DataFrame:
    """300 horses: seven numbers, twenty columns of codes; the notes on the data say which."""
    path = root() / "gaps" / "horse-colic.csv"
    cells = pd.read_csv(path, header=None, na_values="?", skipinitialspace=True, dtype=str)
    cells = cells.drop(columns=HORSE_NUMBER)
    numbers = {place: name for name, place in HORSE_NUMBERS.items()}
    columns = {
        numbers.get(j, f"code {j + 1}"): cells[j].astype(float if j in numbers else "category")
        for j in cells
    }
    return pd.DataFrame(columns)


def adult(n_rows: int | None = None) -> pd.DataFrame:
    """Persons of a census: six numbers, nine columns of text."""
    path = root() / "gaps" / "adult-train.csv"
    frame = pd.read_csv(
        path, header=None, na_values="?", skipinitialspace=True, names=ADULT_NAMES.split()
    )
    kinds = {c: "float64" if frame[c].dtype.kind == "i" else "category" for c in frame}
    frame = frame.astype(kinds)
    if n_rows is not None:
        frame = frame.sample(n_rows, random_state=0).reset_index(drop=True)
    return frame


def tenth_hidden(name: str, frame: pd.DataFrame, mask: int) -> MixedTask:
    """Hide a tenth of the observed cells, and leave each column two."""
    seen = frame.notna().to_numpy()
    hidden = seen & (np.random.default_rng(mask).uniform(size=seen.shape) < 0.1)
    hidden[:, (seen & ~hidden).sum(axis=0) < 2] = False
    return MixedTask(f"{name}, {len(frame)} rows, mask {mask}", frame, hidden)


def score(task: MixedTask, fill: Callable[[pd.DataFrame], tuple[Any, Any]]) -> MixedScore:
    """Score a function of a frame that returns the filled frame, and a function of draws or None.

    The function of draws returns the columns of numbers, an array of shape (draws, n, numbers).
    """
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        filled, draw = fill(task.frame)
        seconds = time.perf_counter() - start
        numbers = np.array([task.whole.columns.get_loc(name) for name in task.numbers])
        hidden, truth = task.hidden[:, numbers], task.whole[task.numbers].to_numpy()
        unit = np.nanstd(truth, axis=0)[np.nonzero(hidden)[1]]
        made = filled[task.numbers].to_numpy(float)
        error = (made - truth)[hidden] / unit
        draws = made[None] if draw is None else draw()
    with jax.enable_x64(True):
        spans = fair_crps(jnp.asarray(truth[hidden]), jnp.asarray(draws[:, hidden]))
    crps = np.abs(error) if draw is None else np.asarray(spans) / unit
    rights = []
    for place, column in enumerate(task.whole):
        if column not in task.numbers:
            rows = task.hidden[:, place]
            rights.append(task.whole[column][rows].astype(str) == filled[column][rows].astype(str))
    right = float(np.concatenate(rights).mean())
    return MixedScore(float(np.sqrt(np.mean(error**2))), right, float(crps.mean()), seconds)


class Codes:
    """Numbers of a frame: standardised ones, and an indicator a level of each category.

    ``ordinal``: a code in place of the indicators. ``leaves_out``: without the indicator of the
    last level, which the others determine; a regression on all returns what it was filled with.
    """

    def __init__(self, frame: pd.DataFrame, *, ordinal: bool = False, leaves_out: bool = False):
        self.frame, self.ordinal, self.leaves_out = frame, ordinal, leaves_out
        self.levels = {
            name: frame[name].cat.categories for name in frame if frame[name].dtype == "category"
        }
        numbers = [name for name in frame if name not in self.levels]
        self.numbers = numbers
        self.mean, self.spread = frame[numbers].mean(), frame[numbers].std(ddof=0)

    def encode(self) -> np.ndarray:
        """Return rows of shape (n, numbers and levels); gaps are NaN."""
        parts = [((self.frame[self.numbers] - self.mean) / self.spread).to_numpy()]
        for name, levels in self.levels.items():
            code = self.frame[name].cat.codes.to_numpy(float)[:, None]
            code[code < 0] = np.nan
            # Indicators at the distance of one standard deviation, as is usual for neighbours.
            n = len(levels) - self.leaves_out
            one_hot = np.where(np.isnan(code), np.nan, code == np.arange(n))
            parts.append(code if self.ordinal else one_hot)
        return np.concatenate(parts, axis=1)

    def unscaled(self, rows: np.ndarray) -> np.ndarray:
        """Return the numbers of rows of shape (..., numbers and levels)."""
        d = len(self.numbers)
        return rows[..., :d] * self.spread.to_numpy() + self.mean.to_numpy()

    def decode(self, rows: np.ndarray) -> pd.DataFrame:
        """Return a frame, with the level of the largest indicator or the nearest code."""
        filled = self.frame.copy()
        filled[self.numbers] = self.unscaled(rows)
        start = len(self.numbers)
        for name, levels in self.levels.items():
            width = 1 if self.ordinal else len(levels) - self.leaves_out
            part = rows[:, start : start + width]
            if self.leaves_out:
                part = np.column_stack([part, 1.0 - part.sum(axis=1)])
            code = np.rint(part[:, 0]).clip(0, len(levels) - 1) if self.ordinal else part.argmax(1)
            filled[name] = pd.Categorical.from_codes(code.astype(int), levels)
            start += width
        return filled


def middles(frame: pd.DataFrame) -> tuple[Any, Any]:
    """Fill by the median and the most frequent level; draws are observed entries of the column."""
    codes = Codes(frame)
    filled = frame.fillna({name: frame[name].median() for name in codes.numbers})
    filled = filled.fillna({name: frame[name].mode()[0] for name in codes.levels})
    generator = np.random.default_rng(0)
    seen = [frame[name].dropna().to_numpy() for name in codes.numbers]
    shape = (N_DRAWS, len(frame))
    return filled, lambda: np.stack([generator.choice(part, shape) for part in seen], axis=-1)


def neighbours(k: int) -> Callable[[pd.DataFrame], tuple[Any, Any]]:
    """Fill by k nearest neighbours, of standardised numbers and indicators of levels."""

    def fill(frame: pd.DataFrame) -> tuple[Any, Any]:
        codes = Codes(frame)
        return codes.decode(KNNImputer(n_neighbors=k).fit_transform(codes.encode())), None

    return fill


def ridge(frame: pd.DataFrame) -> tuple[Any, Any]:
    """Fill by chained ridge regressions of numbers and indicators, with draws of its posterior.

    They are fitted to at most 10,000 rows, which determine a hundred coefficients well, and fill
    all: with 32,561 rows the draws would take hours.
    """
    codes = Codes(frame, leaves_out=True)
    rows = codes.encode()
    order = np.random.default_rng(0).permutation(len(rows))[:RIDGE_ROWS]
    some = rows if len(rows) <= RIDGE_ROWS else rows[order]
    filled = IterativeImputer(max_iter=10, random_state=0).fit(some).transform(rows)

    def draw() -> np.ndarray:
        chains = (
            IterativeImputer(max_iter=5, sample_posterior=True, random_state=seed).fit(some)
            for seed in range(5)
        )
        return np.stack([codes.unscaled(chain.transform(rows)) for chain in chains])

    return codes.decode(filled), draw


def trees(frame: pd.DataFrame) -> tuple[Any, Any]:
    """Fill by chained forests of numbers and codes of levels."""
    codes = Codes(frame, ordinal=True)
    forest = ExtraTreesRegressor(n_estimators=50, min_samples_leaf=3, random_state=0)
    filled = IterativeImputer(forest, max_iter=5, random_state=0).fit_transform(codes.encode())
    return codes.decode(filled), None


def of_vae(**settings: Any) -> Callable[[pd.DataFrame], tuple[Any, Any]]:
    """Fill by a VAE of the frame as it is."""

    def fill(frame: pd.DataFrame) -> tuple[Any, Any]:
        imputer = wp.VAEImputer(**{"random_state": 0, **settings}).fit(frame)
        numbers = [name for name in frame if frame[name].dtype.kind == "f"]

        def draw() -> np.ndarray:
            return np.stack([each[numbers].to_numpy() for each in imputer.draw(frame, N_DRAWS)])

        return imputer.transform(frame), draw

    return fill


MIXED: dict[str, tuple[Callable[[pd.DataFrame], tuple[Any, Any]], ...]] = {
    "median, mode": (middles,),
    "KNN, best k": tuple(neighbours(k) for k in (5, 15, 50)),
    "iterative ridge": (ridge,),
    "iterative trees": (trees,),
    "VAEImputer": (of_vae(),),
}


def page(name: str, frame: pd.DataFrame, masks: range, names: list[str], *, again: bool) -> None:
    """Print the figures of imputers on a table, a line each, averaged over masks."""
    print(f"\n{name}, {len(frame)} rows: a tenth of the observed cells hidden, {len(masks)} masks")
    print(f"{'imputer':16} {'RMSE':>16} {'accuracy':>16} {'CRPS':>16} {'seconds':>8}")
    for imputer in names:
        best = min(
            (_averaged(name, frame, masks, imputer, place, again) for place in _places(imputer)),
            key=lambda figures: figures[0, 0] - figures[0, 1],  # error less accuracy
        )
        cells = [f"{mean:8.4f} ± {error:.4f}" for mean, error in best.T[:3]]
        print(
            f"{imputer:16} {' '.join(f'{cell:>16}' for cell in cells)} {best[0, 3]:8.0f}",
            flush=True,
        )


def _places(imputer: str) -> range:
    return range(len(MIXED[imputer]))


def _averaged(
    name: str, frame: pd.DataFrame, masks: range, imputer: str, place: int, again: bool
) -> np.ndarray:
    """Return means and standard errors over masks, of shape (2, figures)."""
    scores = []
    for mask in masks:
        task = tenth_hidden(name, frame, mask)
        title = f"{task.name} {imputer} {place}"
        measure = partial(score, task, MIXED[imputer][place])
        scores.append(dataclasses.astuple(kept(title, MixedScore, measure, again=again)))
    each = np.array(scores)
    n = len(each)
    error = each.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.full(each.shape[1], np.nan)
    return np.stack([each.mean(axis=0), error])
