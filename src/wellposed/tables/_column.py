"""What one column of a table is taken for."""

import dataclasses
from typing import Literal, TypeAlias

from wellposed._errors import unknown_name
from wellposed.noise import AbstractNoise, Bernoulli, Categorical, LogNormal, ZeroInflated

from ._cells import Clock, Label, Level, Sort

Kind: TypeAlias = Literal[
    "real",
    "amount",
    "count",
    "boolean",
    "category",
    "ordered",
    "date",
    "duration",
    "time",
    "identifier",
    "text",
    "constant",
    "empty",
]
LEFT_OUT = ("identifier", "text", "constant", "empty")
KINDS: tuple[str, ...] = Kind.__args__  # type: ignore[attr-defined]
ColumnNoise: TypeAlias = float | str | AbstractNoise


@dataclasses.dataclass(frozen=True)
class Column:
    """One column of a table: its kind, its noise, and what turns its cells into numbers and back.

    Parameters
    ----------
    name : label of the column
    kind : "real", "amount" (from zero or above it), "count", "boolean", "category", "ordered",
        "date", "duration", "time" (of day); or, left out of the model: "identifier", "text",
        "constant", "empty"
    noise : of the column, as in :class:`wellposed.noise.Columns`; None where it is left out
    reason : why it has this kind
    levels : of a category; position i is the number i in the model. None is not yet known
    sort, dtype, holds, levels_dtype, ordered : type of the column in its container
    clock : how dates and times are counted
    whole : whether all cells are whole numbers, so that draws are rounded
    zeros : whether a cell is zero, so that an amount has a probability of zero
    last : cell of a constant column; largest number of an identifier

    Examples
    --------
    >>> import pandas as pd
    >>> import wellposed as wp
    >>> schema = wp.Schema.of(pd.DataFrame({"age": [30.5, 41.0, 29.5], "sex": ["f", "m", "f"]}))
    >>> [(column.name, column.kind) for column in schema.columns]
    [('age', 'real'), ('sex', 'category')]
    """

    name: Label
    kind: Kind
    noise: ColumnNoise | None
    reason: str
    levels: tuple[Level, ...] | None = None
    sort: Sort = "number"
    dtype: str = ""
    holds: str = ""
    levels_dtype: str = ""
    ordered: bool = False
    clock: Clock | None = None
    whole: bool = False
    zeros: bool = False
    last: Level | None = None

    def __post_init__(self):
        if self.kind not in KINDS:
            raise unknown_name("The kind of a column", self.kind, KINDS)

    @property
    def is_kept(self) -> bool:
        """Whether the model has the column."""
        return self.kind not in LEFT_OUT

    @property
    def has_levels(self) -> bool:
        """Whether its numbers in the model are positions in ``levels``."""
        return self.kind in ("category", "ordered")

    @property
    def level_names(self) -> tuple[str, ...]:
        """What its numbers 0, 1, 2 … in the model mean; of booleans too, and empty for others."""
        if self.kind == "boolean":
            return ("0", "1") if self.sort == "number" else ("False", "True")
        return tuple(map(str, self.levels or ())) if self.has_levels else ()


def default_noise(column: Column) -> ColumnNoise | None:
    """Return the noise that a kind of column has by default."""
    match column.kind:
        case "real" | "date" | "duration" | "time":
            return "conditional"
        case "amount":
            law = LogNormal("conditional")
            return ZeroInflated(law) if column.zeros else law
        case "count":
            return "negative-binomial"
        case "boolean":
            return Bernoulli()
        case "category" | "ordered":
            n = len(column.levels or ())
            return Bernoulli() if n == 2 else Categorical(max(n, 2))
    return None
