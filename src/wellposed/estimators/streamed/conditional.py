"""Covariates of a source: their levels and scales are those of all rows."""

import dataclasses
from typing import Any

import numpy as np

from wellposed import sources
from wellposed.estimators.data.covariates import listed, places, split_to_fit
from wellposed.estimators.data.table import Table, of_source_rows
from wellposed.tables._infer import MOST_LEVELS


class LevelsSeen:
    """Distinct values of the columns that may be categories, collected chunk by chunk.

    Parameters
    ----------
    source : BlockSource
    setting : ``covariates`` of the estimator

    Raises
    ------
    DataError
        For covariates that are no columns of the source.
    """

    def __init__(self, source: sources.BlockSource, setting: Any):
        chosen = listed(setting) or {}
        found = places(list(chosen), source.feature_names, source.n_features)
        kinds = dict(zip(found, chosen.values(), strict=True))
        self.certain = {position for position, kind in kinds.items() if kind == "category"}
        self.levels = {
            position: np.empty(0, source.dtype)
            for position, kind in kinds.items()
            if kind != "number"
        }

    def add(self, rows: np.ndarray) -> None:
        """Add the rows of a chunk; of a column, at most one value more than a category has."""
        for position, levels in self.levels.items():
            if len(levels) <= MOST_LEVELS:
                both = np.unique(np.concatenate([levels, rows[:, position]]))
                self.levels[position] = both[: MOST_LEVELS + 1]


def condition(
    source: sources.BlockSource,
    found: sources.Description,
    setting: Any,
    seen: LevelsSeen,
) -> Table:
    """Split the sample of a source into modelled columns and covariates.

    Parameters
    ----------
    source : BlockSource
    found : statistics of all rows, and the sample
    setting : ``covariates`` of the estimator; None leaves the sample as it is
    seen : levels of all rows

    Raises
    ------
    DataError
        As a fit to rows in memory does.
    """
    if setting is None:
        return of_source_rows(source, found.sample)
    m = len(found.sample)
    # A level without a row in the sample gets one, which is taken away again.
    whole = np.concatenate([found.sample, *_rows_of_levels(found.sample, seen)])
    table = split_to_fit(of_source_rows(source, whole), setting)
    assert table.covariates is not None
    assert table.given is not None
    columns = tuple(
        each
        if each.column.has_levels
        else dataclasses.replace(
            each,
            mean=float(found.mean[each.position]),
            scale=float(np.sqrt(found.variance[each.position])),
        )
        for each in table.covariates.columns
    )
    covariates = dataclasses.replace(table.covariates, columns=columns).keep(table.given[:m])
    return dataclasses.replace(
        table, values=table.values[:m], covariates=covariates, given=table.given[:m]
    )


def _rows_of_levels(sample: np.ndarray, seen: LevelsSeen) -> list[np.ndarray]:
    rows = []
    for position, levels in seen.levels.items():
        if len(levels) > MOST_LEVELS and position not in seen.certain:
            continue  # a number
        left = np.setdiff1d(levels, sample[:, position])
        further = np.repeat(sample[:1], len(left), axis=0)
        further[:, position] = left
        rows.append(further)
    return rows
