"""Data units ⇄ model units, each with log |det J|."""

from ._abstract import AbstractTransform, Transformed
from ._by_column import ByColumn
from ._gaps import fill_from_columns, summarise_observed
from ._identity import Identity
from ._log import Log
from ._log1p import Log1p
from ._logit import Logit
from ._observed import forward_observed
from ._placing import key_of as key_of
from ._placing import position_of as position_of
from ._resolve import place as place
from ._resolve import resolve as resolve
from ._robust import median_and_spread as median_and_spread
from ._standardize import Standardize
from ._summary import (
    Moments,
    summarise,
)
from ._summary import (
    Summary as Summary,
)
from ._summary import (
    all_finite as all_finite,
)
from ._summary import (
    check_finite as check_finite,
)
from ._summary import (
    check_precision as check_precision,
)
from ._summary import (
    is_whole as is_whole,
)
from ._summary import (
    resolution_of as resolution_of,
)
from ._summary import (
    share_levels as share_levels,
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
    levels,
)
from ._support import (
    check_support as check_support,
)
from ._suspects import Suspect as Suspect
from ._suspects import describe_suspect as describe_suspect
from ._suspects import suspects
from ._unit import Unit
from ._words import in_words as in_words

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
    "Support",
    "Transformed",
    "Unit",
    "fill_from_columns",
    "forward_observed",
    "levels",
    "summarise",
    "summarise_observed",
    "suspects",
]


def __dir__() -> list[str]:
    return sorted(__all__)
