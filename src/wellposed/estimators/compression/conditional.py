"""Covariates of a conditional model among the columns of rows."""

from typing import Any

import numpy as np

from wellposed._errors import SettingError
from wellposed.coding.build.beside import CovariateColumns
from wellposed.coding.container import Modelled
from wellposed.coding.container.steps import DIVISORS
from wellposed.coding.protocol import MISSING


def covariates_last(model: Any, width: int) -> np.ndarray:
    """Return the positions of an array's columns, those of covariates last."""
    known = getattr(model, "covariates_", None)
    if known is None:
        return np.arange(width)
    given = [p for p in known.positions if p < width]
    return np.concatenate([np.setdiff1d(np.arange(width), given), given]).astype(np.int64)


def covariate_names(model: Any) -> list[str]:
    """Return the names of a model's covariates; none without."""
    known = getattr(model, "covariates_", None)
    return [] if known is None else [str(name) for name in known.names]


def covariate_columns(model: Any, modelled: Modelled, d: int) -> CovariateColumns | None:
    """Return how a model's covariates are made of symbols; None for a model without.

    Parameters
    ----------
    model : fitted estimator
    modelled : its columns, those of covariates after the d features

    Raises
    ------
    SettingError
        For covariates that are times, and for levels that no cell is equal to.
    """
    known = getattr(model, "covariates_", None)
    if known is None:
        return None
    columns, levels, times, plus = [], [], [], []
    for i, each in enumerate(known.columns):
        j = d + i
        step = float(DIVISORS[modelled.codes[j]])
        if each.column.clock is not None:
            raise SettingError(
                f"Covariates are coded as numbers or levels; {each.name!r} is a time. Convert it "
                "to a number, and fit again."
            )
        if not each.column.has_levels:
            columns.append(i)
            levels.append(MISSING)
            times.append(1.0 / (step * each.scale))
            plus.append(-each.mean / each.scale)
            continue
        for place, level in zip(each.seen, each.levels, strict=True):
            columns.append(i)
            levels.append(place if j in modelled.tables else _symbol(level, step, each.name))
            times.append(1.0)
            plus.append(0.0)
    arrays = (np.array(columns, np.int64), np.array(levels, np.int64))
    return CovariateColumns(len(known.columns), *arrays, np.array(times), np.array(plus))


def _symbol(level: Any, step: float, name: Any) -> int:
    try:
        return round(float(level) * step)
    except (TypeError, ValueError):
        raise SettingError(
            f"The column {name!r} must have the levels of the fit, such as {level!r}, as text or "
            "categories. Pass a frame."
        ) from None
