"""A model's columns by their noise, and the map of symbols to the noise's units."""

from typing import Any

import numpy as np

from wellposed._errors import DataError, SettingError
from wellposed.models import VAEModel
from wellposed.noise import Columns
from wellposed.transforms import Identity, Standardize, Unit

from .group import Group, array


def groups_of(model: VAEModel, offset: Any, resolution: Any) -> tuple[list[Group], int]:
    """Return the groups of columns, and the number of columns.

    Parameters
    ----------
    model : VAEModel
    offset, resolution : data are offset + resolution·symbol, each a number or of shape (d,)

    Raises
    ------
    SettingError
        For a transform that is not a line for each column.
    """
    noise, d = model.noise, _n_columns(model)
    step, base = _grid(offset, resolution, d)
    if isinstance(model.transform, Standardize):
        scale = np.broadcast_to(array(model.transform.scale), (d,))
        step, base = step / scale, (base - array(model.transform.mean)) / scale
    elif isinstance(model.transform, Unit):
        step, base = _of_unit(model.transform, step, base)
    elif not isinstance(model.transform, Identity):
        raise SettingError(
            "An integer model needs a transform that is a line for each column; got "
            f'{type(model.transform).__name__}. Fit with transform="identity" or "standardize".'
        )
    if not isinstance(noise, Columns):
        whole = (np.zeros(d), np.ones(d))
        return [Group(noise, np.arange(d), step, base, *whole)], d
    groups = []
    table: Any = noise.table
    for own, columns in noise.parts:
        at = np.array(columns)
        center, scale = array(table.center)[at], array(table.scale)[at]
        units = (step[at] / scale, (base[at] - center) / scale, center, scale)
        groups.append(Group(own, at, *units))
    return groups, d


def _grid(offset: Any, resolution: Any, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Step and base of each column in data units."""
    step = np.ones(d) if resolution is None else np.broadcast_to(array(resolution), (d,))
    base = np.zeros(d) if offset is None else np.broadcast_to(array(offset), (d,))
    if not (np.isfinite(step).all() and (step > 0).all() and np.isfinite(base).all()):
        raise DataError(
            "resolution must be positive, and offset finite; got others. Give the step between "
            "neighbouring values of each column, and one of its values."
        )
    return step, base


def _of_unit(transform: Unit, step: np.ndarray, base: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Step and base on [0, 1]; a level is in the middle of what it is dequantised to."""
    if transform.n_levels is None:
        return step, base
    levels = float(transform.n_levels)
    return step / levels, (base + 0.5) / levels


def _n_columns(model: VAEModel) -> int:
    """Number of columns, from what the model has of its data."""
    noise: Any = model.noise
    known = [
        getattr(getattr(noise, "shown", None), "center", None),
        getattr(getattr(noise, "centred", None), "mean", None),
        getattr(getattr(noise, "data", None), "log_mean", None),
        getattr(noise, "logit", None),
        getattr(getattr(noise, "table", None), "center", None),
        getattr(model.reach, "center", None),
        getattr(model.transform, "mean", None),
    ]
    for leaf in known:
        if leaf is not None:
            return len(leaf)
    raise SettingError(
        f"An integer model needs noise that has its start from data; {type(noise).__name__} has "
        "none. Fit the model first."
    )
