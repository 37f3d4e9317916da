"""Wrong cells by boosted trees, one model of each column given the others.

What they cannot tell from the other columns, a density of the whole row can hardly tell: a bound
for the figures of :mod:`benchmarks.outliers.cells`, and their rival.
"""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from wellposed.evaluation import conformal_p_values

_WIDTH = 6.0  # standard deviations over which values of a wrong cell spread
_LEAST = 1e-4  # probability of a level


@dataclasses.dataclass(frozen=True, eq=False)
class TreesOfCells:
    """Surprise of each cell given the others, judged by rows held out.

    Parameters
    ----------
    models : of each column
    spreads : of residuals of numbers, Student t with three degrees of freedom; NaN of levels
    log_wrong : log density of the values of a wrong cell
    known : surprise of rows held out, shape (m, d)
    """

    models: list[Any]
    spreads: np.ndarray
    log_wrong: np.ndarray
    known: np.ndarray

    @classmethod
    def fit(cls, frame: pd.DataFrame) -> "TreesOfCells":
        """Fit to three quarters of the rows, and judge by the others."""
        frame = _levels(frame, frame)
        cut = 3 * len(frame) // 4
        train, held = frame.iloc[:cut], frame.iloc[cut:]
        models, spreads, log_wrong = [], [], []
        for name in frame:
            rest, own = train.drop(columns=name), train[name]
            few = held[name]
            if _is_number(own):
                model = HistGradientBoostingRegressor(categorical_features="from_dtype")
                model.fit(rest, own.to_numpy(float))
                off = few.to_numpy(float) - model.predict(held.drop(columns=name))
                spreads.append(max(1.4826 * float(np.median(np.abs(off))), 1e-2 * own.std(), 1e-9))
                log_wrong.append(-np.log(_WIDTH * max(own.std(), 1e-9)))
            else:
                model = HistGradientBoostingClassifier(categorical_features="from_dtype")
                model.fit(rest, own.astype(str))
                spreads.append(np.nan)
                log_wrong.append(-np.log(own.nunique()))
            models.append(model)
        fitted = cls(models, np.array(spreads), np.array(log_wrong), np.empty((0, len(models))))
        return dataclasses.replace(fitted, known=fitted.surprise(held))

    def surprise(self, frame: pd.DataFrame) -> np.ndarray:
        """Return −log p of each cell given the others, shape (n, d)."""
        found = np.empty(frame.shape)
        for j, name in enumerate(frame):
            model, rest = self.models[j], frame.drop(columns=name)
            if np.isfinite(self.spreads[j]):
                off = (frame[name].to_numpy(float) - model.predict(rest)) / self.spreads[j]
                found[:, j] = 2.0 * np.log1p(off**2 / 3.0) + np.log(2.7207 * self.spreads[j])
                continue
            chance, place = model.predict_proba(rest), {c: i for i, c in enumerate(model.classes_)}
            own = [place.get(str(level), -1) for level in frame[name]]
            p = np.where(np.array(own) < 0, 0.0, chance[np.arange(len(frame)), own])
            found[:, j] = -np.log(np.maximum(p, _LEAST))
        return found

    def name(self, frame: pd.DataFrame, like: pd.DataFrame, level: float) -> tuple[Any, Any]:
        """Return which rows have a cell named at a level, and the most suspicious column."""
        surprise = self.surprise(_levels(frame, like))
        p = [conformal_p_values(surprise[:, j], self.known[:, j]) for j in range(frame.shape[1])]
        wrong = np.stack(p, axis=1) <= level
        first = np.array(frame.columns)[(surprise + self.log_wrong).argmax(axis=1)]
        return wrong.any(axis=1), first


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _levels(frame: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose texts are categories, those of another frame."""
    kinds = {
        name: pd.CategoricalDtype(sorted(like[name].astype(str).unique()))
        for name in frame
        if not _is_number(like[name])
    }
    texts = frame.astype(dict.fromkeys(kinds, str))
    return texts.astype(kinds)
