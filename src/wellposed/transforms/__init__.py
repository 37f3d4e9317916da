"""Data units ⇄ model units, each with log |det J|."""

from ._abstract import AbstractTransform, Transformed
from ._by_column import ByColumn
from ._gaps import fill_from_columns, summarise_observed
from ._identity import Identity
from ._log import Log
from ._log1p import Log1p
from ._logit import Logit
from ._observed import forward_observed
from ._placing import key_of, position_of
from ._resolve import place, resolve
from ._robust import median_and_spread
from ._standardize import Standardize
from ._summary import (
    Moments,
    Summary,
    all_finite,
    check_finite,
    check_precision,
    is_whole,
    resolution_of,
    share_levels,
    summarise,
)
from ._sums import ColumnSums
from ._support import (
    AMOUNTS,
    BINARY,
    COUNTS,
    MIXED,
    POSITIVE,
    REALS,
    UNIT,
    Support,
    check_support,
    levels,
)
from ._suspects import Suspect, describe_suspect, suspects
from ._unit import Unit

__all__ = [
    "AMOUNTS",
    "BINARY",
    "COUNTS",
    "MIXED",
    "POSITIVE",
    "REALS",
    "UNIT",
    "AbstractTransform",
    "ByColumn",
    "ColumnSums",
    "Identity",
    "Log",
    "Log1p",
    "Logit",
    "Moments",
    "Standardize",
    "Summary",
    "Support",
    "Suspect",
    "Transformed",
    "Unit",
    "all_finite",
    "check_finite",
    "check_precision",
    "check_support",
    "describe_suspect",
    "fill_from_columns",
    "forward_observed",
    "is_whole",
    "key_of",
    "levels",
    "median_and_spread",
    "place",
    "position_of",
    "resolution_of",
    "resolve",
    "share_levels",
    "summarise",
    "summarise_observed",
    "suspects",
]


def __dir__() -> list[str]:
    return sorted(__all__)
