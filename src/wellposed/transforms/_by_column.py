"""A transform of its own for some columns of a table."""

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from wellposed._errors import DataError, SettingError, named_features, unknown_name
from wellposed._typing import Point, PRNGKey

from ._abstract import AbstractTransform, Transformed
from ._identity import Identity
from ._log import Log
from ._log1p import Log1p
from ._placing import key_of, position_of
from ._standardize import Standardize
from ._summary import Moments, Summary, as_moments, is_whole
from ._support import REALS, Support, check_support

_NAMED = {
    "identity": Identity,
    "log": Log,
    "log1p": Log1p,
    "robust": lambda: Standardize(robust=True),
    "standardize": Standardize,
}


ColumnTransform: TypeAlias = str | AbstractTransform


class ByColumn(AbstractTransform):
    r"""Transform some columns in ways of their own, and the rest in one.

    .. math:: y_j = T_{g(j)}(x_j), \qquad \log|\det J| = \sum_g \log|\det J_g|

    Parameters
    ----------
    types : mapping
        Transforms by column: from positions, or names in the data frame, to "identity", "log",
        "log1p", "robust", "standardize" or a transform to the real line.
    rest : name or transform, default "standardize"
        Of the columns that are not named.

    Raises
    ------
    SettingError
        For unknown names, and transforms to anything but the real line; when fitted, for unknown
        columns, and for one that is named twice.

    Examples
    --------
    >>> ByColumn({"income": "log", "rain": "log1p"}).keys
    ('income', 'rain')
    """

    keys: tuple[str | int, ...] = eqx.field(static=True)
    parts: tuple[AbstractTransform, ...]  # of each key, and of the rest
    columns: tuple[tuple[int, ...], ...] | None = eqx.field(static=True)

    def __init__(
        self,
        types: Mapping[str, ColumnTransform] | Mapping[int, ColumnTransform],
        rest: ColumnTransform = "standardize",
    ):
        if not isinstance(types, Mapping) or not types:
            raise SettingError(
                f"Transforms by column need a mapping; got {types!r}. Pass a dict such as "
                '{"income": "log"}; columns that it leaves out are standardised.'
            )
        self.keys = tuple(key_of(key) for key in types)
        self.parts = tuple(_of_column(each) for each in (*types.values(), rest))
        self.columns = None

    def place(self, d: int, names: Sequence[str] | None = None) -> "ByColumn":
        """Return the transform with the positions of its columns in a table.

        Parameters
        ----------
        d : columns of the table
        names : of those columns, where they have names

        Raises
        ------
        SettingError
            For a column that the table does not have, and for one that is named twice.
        """
        positions = [position_of(key, d, names) for key in self.keys]
        twice = sorted({p for p in positions if positions.count(p) > 1})
        if twice:
            raise SettingError(
                f"Every column must have one transform; columns {named_features(twice)} have more. "
                "Name each column once, by its name or by its position."
            )
        rest = tuple(sorted(set(range(d)) - set(positions)))
        columns = (*((p,) for p in positions), rest)
        found = copy.copy(self)
        object.__setattr__(found, "columns", columns)
        return found

    @property
    def domain(self) -> Support:
        return REALS

    @property
    def range(self) -> Support:
        return REALS

    @property
    def _parts_of_columns(self) -> list[tuple[AbstractTransform, tuple[int, ...]]]:
        if self.columns is None:
            raise SettingError(
                "Transforms by column must be placed in a table before they are used. Fit an "
                "estimator with them, or call place(d, names)."
            )
        pairs = zip(self.parts, self.columns, strict=True)
        return [(part, columns) for part, columns in pairs if columns]

    def check(self, rows: np.ndarray, names: Sequence[str] | None = None) -> None:
        """Refuse rows, in data units, off the domain of their column's transform.

        ``names`` are those of the columns, for the message.
        """
        for part, columns in self._parts_of_columns:
            listed = named_features(columns, names=names)
            who = f"The {type(part).__name__} transform (columns {listed})"
            check_support(rows[:, list(columns)], part.domain, who=who)

    def fit(self, summary: Summary) -> "ByColumn":
        placed = self if self.columns is not None else self.place(len(summary.mean))
        parts = list(placed.parts)
        for i, columns in enumerate(placed.columns or ()):
            if columns:
                parts[i] = _fit_columns(parts[i], summary, columns)
        return eqx.tree_at(lambda t: t.parts, placed, tuple(parts))

    def forward(self, x: Point, *, key: PRNGKey) -> Transformed:
        value, log_det = x, jnp.zeros((), x.dtype)
        for i, (part, columns) in enumerate(self._parts_of_columns):
            at = jnp.array(columns)
            mapped = part.forward(x[at], key=jax.random.fold_in(key, i))
            value = value.at[at].set(mapped.value)
            log_det = log_det + mapped.log_det
        return Transformed(value, log_det)

    def inverse(self, y: Point) -> Point:
        value = y
        for part, columns in self._parts_of_columns:
            at = jnp.array(columns)
            value = value.at[at].set(part.inverse(y[at]))
        return value

    def moments(self, summary: Summary, *, key: PRNGKey) -> Moments:
        mean, variance, resolution = (np.zeros(len(summary.mean)) for _ in range(3))
        for part, columns in self._parts_of_columns:
            at = list(columns)
            found = part.moments(_of_columns(summary, columns), key=key)
            mean[at], variance[at] = np.asarray(found.mean), np.asarray(found.variance)
            resolution[at] = np.asarray(found.resolution)
        return as_moments(summary, mean, variance, resolution, summary.varies)

    def log_det_bound(self, d: int) -> float:
        del d
        return sum(part.log_det_bound(len(columns)) for part, columns in self._parts_of_columns)


def _of_column(transform: ColumnTransform) -> AbstractTransform:
    """A transform to the real line, of a name or as it is."""
    if isinstance(transform, str):
        if transform not in _NAMED:
            raise unknown_name("A column's transform", transform, _NAMED)
        return _NAMED[transform]()
    on_line = isinstance(transform, AbstractTransform) and transform.range in (None, REALS)
    if not on_line or isinstance(transform, ByColumn):
        raise SettingError(
            f"A column's transform must be a name or a transform to the real line; got "
            f"{transform!r}. The names are {', '.join(sorted(_NAMED))}."
        )
    return transform


def _fit_columns(
    transform: AbstractTransform, summary: Summary, columns: tuple[int, ...]
) -> AbstractTransform:
    """Fit one to its columns, and name them by their place in the table where it refuses them."""
    try:
        return transform.fit(_of_columns(summary, columns))
    except DataError as error:
        raise DataError(f"Columns {named_features(columns)}: {error}") from error


def _of_columns(summary: Summary, columns: tuple[int, ...]) -> Summary:
    at = list(columns)
    sample = summary.sample[:, at]
    return dataclasses.replace(
        summary,
        mean=summary.mean[at],
        variance=summary.variance[at],
        low=summary.low[at],
        high=summary.high[at],
        resolution=summary.resolution[at],
        whole=summary.whole or is_whole(sample),
        sample=sample,
    )
