"""Tables whose columns are of different kinds: each its own family."""

from collections.abc import Mapping, Sequence
from typing import Any, Self, TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from wellposed import transforms
from wellposed._errors import SettingError, named_features
from wellposed._fill import fill
from wellposed._typing import Density, Fitted, Inputs, Leaves, Point, PRNGKey, Raw, Variance
from wellposed.numerics import on_device
from wellposed.transforms import MIXED, REALS, Moments, Support

from .._resolve import resolve
from ..levels.categorical import Categorical
from ..parts.abstract import AbstractNoise, require
from .blocks import Blocks
from .positions import positions_of


class TableUnits(eqx.Module):
    """The columns of each group, and the units that its noise has them in."""

    columns: tuple[tuple[int, ...], ...] = eqx.field(static=True)
    center: Fitted = None  # (d,), zero where a column is not real
    scale: Fitted = None  # (d,), one where a column is not real


ColumnNoise: TypeAlias = float | str | AbstractNoise


class Columns(AbstractNoise):
    r"""Noise of its own for each column of a table.

    .. math:: \log p(x \mid z) = \sum_g \log p_g(x_g \mid z) - \sum_{j \text{ real}} \log s_j

    Columns of equal noise form one group g, so that "shared" is shared among them. The noise of
    real columns has them standardised, by their mean and standard deviation s (median and spread
    under heavy tails): a given σ² is a share of the column's variance. Other columns are in data
    units: amounts take "log-normal", which is Gaussian noise on their
    logarithm, or "gamma" or "zero-inflated".

    The encoder's input has an indicator of each level of "categorical" columns beside the columns.

    Parameters
    ----------
    types : mapping or sequence
        Noise by column: a mapping from positions or names to what an estimator's ``noise`` may
        be (number, name or object), or a sequence of one for each column. Names are those of
        the data frame.

    Raises
    ------
    SettingError
        For an unknown noise; when fitted, for columns without noise, and unknown columns.

    Examples
    --------
    >>> len(Columns({"age": "shared", "height": "shared", "sex": "bernoulli"}).groups)
    2
    """

    keys: tuple[str | int, ...] = eqx.field(static=True)
    group_of: tuple[int, ...] = eqx.field(static=True)  # of each key
    groups: tuple[AbstractNoise, ...]
    table: TableUnits | None
    shows_levels: bool = eqx.field(static=True, default=False)  # false in files of older versions

    def __init__(
        self, types: Mapping[str, ColumnNoise] | Mapping[int, ColumnNoise] | Sequence[ColumnNoise]
    ):
        if isinstance(types, str) or not isinstance(types, (Mapping, Sequence)) or not types:
            raise SettingError(
                f"Columns needs a noise for each column; got {types!r}. Pass a dict such as "
                '{"age": "shared", "sex": "bernoulli"}, or a list with one noise a column.'
            )
        named = dict(types) if isinstance(types, Mapping) else dict(enumerate(types))
        self.keys = tuple(transforms.key_of(key) for key in named)
        groups: list[AbstractNoise] = []
        self.group_of = tuple(_group_of(resolve(each), groups) for each in named.values())
        self.groups = tuple(groups)
        self.table = None
        self.shows_levels = True

    def locate(self, d: int, names: Sequence[str] | None = None) -> Self:
        """Return the noise with its columns located among the ``d`` of a table.

        Parameters
        ----------
        d : number of columns
        names : of the columns, where ``types`` names them

        Raises
        ------
        SettingError
            For columns without noise, or with two, and for unknown ones.
        """
        members = [[] for _ in self.groups]
        for position, group in zip(positions_of(self.keys, d, names), self.group_of, strict=True):
            members[group].append(position)
        return fill(self, table=TableUnits(tuple(tuple(sorted(each)) for each in members)))

    @property
    def n_raw(self) -> int:
        return max(group.n_raw for group in self.groups)

    @property
    def support(self) -> Support:
        return MIXED

    @property
    def has_exact_refit(self) -> bool:
        return all(group.has_exact_refit for group in self.groups)

    @property
    def linear_location(self) -> bool:
        return all(group.linear_location for group in self.groups)

    @property
    def parts(self) -> tuple[tuple[AbstractNoise, tuple[int, ...]], ...]:
        """Each group's noise with the positions of its columns.

        Raises
        ------
        SettingError
            Before the columns are located in a table.
        """
        table = require(self, self.table)
        return tuple(zip(self.groups, table.columns, strict=True))

    @property
    def _units(self) -> TableUnits:
        return require(self, self.table, self.table and self.table.center)

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        noise = self if self.table is not None else self.locate(moments.mean.shape[0])
        center, scale = _real_units(noise.parts, moments)
        columns_of = tuple(columns for _, columns in noise.parts)
        table = TableUnits(columns_of, on_device(center), on_device(scale))
        groups = tuple(
            group.initialise(
                _of_group(moments, table, columns, group),
                key=None if key is None else jax.random.fold_in(key, i),
            )
            for i, (group, columns) in enumerate(noise.parts)
        )
        return fill(noise, groups=groups, table=table)

    def __call__(self, raw: Raw) -> Density:
        units = self._units
        blocks = raw.reshape(self.n_raw, -1)
        densities = tuple(
            group(blocks[: group.n_raw, jnp.array(columns)].reshape(-1))
            for group, columns in self.parts
        )
        return Blocks(densities, units.center, units.scale, units.columns)

    def encoder_input(self, y: Point) -> Inputs:
        values = (y - self._units.center) / self._units.scale
        for group, columns in self.parts:
            at = jnp.array(columns)
            values = values.at[at].set(group.encoder_input(values[at]))
        levels = [y[at][:, None] == jnp.arange(n) for n, at in self._categories]
        return jnp.concatenate([values, *(each.reshape(-1).astype(y.dtype) for each in levels)])

    def input_columns(self, d: int) -> np.ndarray:
        levels = [np.repeat(at, n) for n, at in self._categories]
        return np.concatenate([np.arange(d), *levels])

    def sensitive(self, d: int) -> np.ndarray:
        found = np.zeros(d, bool)
        for group, columns in self.parts:
            found[list(columns)] = group.sensitive(len(columns))
        return found

    @property
    def _categories(self) -> tuple[tuple[int, np.ndarray], ...]:
        """Numbers of levels of categorical columns, and the columns that have so many."""
        shown = self.parts if self.shows_levels else ()
        return tuple(
            (require(group, group.levels), np.array(columns))
            for group, columns in shown
            if isinstance(group, Categorical)
        )

    def log_density_bound(self, d: int) -> float:
        scale = np.asarray(self._units.scale, np.float64)
        of_groups = sum(group.log_density_bound(len(columns)) for group, columns in self.parts)
        return of_groups - float(np.log(scale).sum())

    def parameters(self) -> Leaves:
        return tuple(leaf for group in self.groups for leaf in group.parameters())

    def refit(self, squared_residual: Point) -> Self:
        squares = squared_residual / self._units.scale**2
        groups = tuple(group.refit(squares[jnp.array(columns)]) for group, columns in self.parts)
        return fill(self, groups=groups)

    def start_at(self, variance: Point) -> Self:
        each = variance / self._units.scale**2
        groups = tuple(group.start_at(each[jnp.array(columns)]) for group, columns in self.parts)
        return fill(self, groups=groups)

    def variance(self) -> Point | None:
        scale = self._units.scale
        values = jnp.zeros_like(scale)
        for group, columns in self.parts:
            of_group = group.variance()
            if of_group is None:
                return None
            values = values.at[jnp.array(columns)].set(of_group)
        return scale**2 * values

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        each = np.asarray(variance) / np.asarray(self._units.scale) ** 2
        at_floor = [
            columns[j]
            for group, columns in self.parts
            for j in group.on_floor(jnp.asarray(each[list(columns)]))
        ]
        return tuple(sorted(at_floor))

    def real_columns(self, d: int) -> np.ndarray:
        real = np.zeros(d, bool)
        for group, columns in self.parts:
            real[list(columns)] = group.support == REALS
        return real

    def continuous_columns(self, d: int) -> np.ndarray:
        continuous = np.zeros(d, bool)
        for group, columns in self.parts:
            continuous[list(columns)] = group.continuous_columns(len(columns))
        return continuous

    def check_rows(self, rows: np.ndarray, names: Sequence[str] | None = None) -> None:
        for group, columns in self.parts:
            who = f"{type(group).__name__} (columns {named_features(columns, names=names)})"
            transforms.check_support(rows[:, list(columns)], group.support, who=who)


def _group_of(noise: AbstractNoise, groups: list[AbstractNoise]) -> int:
    if isinstance(noise, Columns):
        raise SettingError(
            "A column's noise must be of one family; got Columns within Columns. "
            "Name all columns in one."
        )
    if noise.limited:
        raise SettingError(
            "Limits are those of the table; got Censored within Columns. Use "
            "Censored(Columns({...}), low={name: limit}), or in a schema "
            "replace(name, noise=Censored(...))."
        )
    for number, other in enumerate(groups):
        if bool(eqx.tree_equal(noise, other)):
            return number
    groups.append(noise)
    return len(groups) - 1


def _real_units(
    parts: Sequence[tuple[AbstractNoise, tuple[int, ...]]], moments: Moments
) -> tuple[np.ndarray, np.ndarray]:
    """Centre and scale of real columns, robust under heavy tails; zero and one of all others."""
    center, scale = np.zeros(moments.mean.shape), np.ones(moments.mean.shape)
    mean, variance = (np.asarray(a, np.float64) for a in (moments.mean, moments.variance))
    for group, columns in parts:
        at = list(columns)
        if group.support != REALS:
            continue
        center[at], spread = mean[at], np.sqrt(variance[at])
        if group.heavy_tailed and moments.sample is not None:
            center[at], robust = transforms.median_and_spread(moments.sample[:, at])
            spread = np.where(robust > 0, robust, spread)
        scale[at] = np.where(np.asarray(moments.varies)[at], spread, 1.0)
    return center, scale


def _of_group(
    moments: Moments, table: TableUnits, columns: tuple[int, ...], noise: AbstractNoise
) -> Moments:
    """Moments of some columns, in the units of their noise."""
    at = np.array(columns)
    scale, center = np.asarray(table.scale)[at], np.asarray(table.center)[at]
    varies: Any = np.asarray(moments.varies)[at]
    variance = np.asarray(moments.variance)[at] / scale**2
    if noise.heavy_tailed:  # the units are the columns' own spread, and so is the start
        variance = np.minimum(variance, 1.0)
    return Moments(
        mean=(moments.mean[at] - center) / scale,
        variance=variance,
        resolution=moments.resolution[at] / scale,
        varies=varies,
        n=moments.n,
        highs=None if moments.highs is None else moments.highs[at],
        lows=None if moments.lows is None else moments.lows[at],
        sample=None if moments.sample is None else moments.sample[:, at],
    )
