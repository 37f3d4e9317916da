"""Tables whose columns are of different kinds: each its own family."""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from wellposed import transforms
from wellposed._errors import SettingError, named_features
from wellposed._typing import Density, Fitted, Leaves, Point, PRNGKey, Raw, Variance
from wellposed.numerics import on_device
from wellposed.transforms import MIXED, REALS, Moments, Support

from .._resolve import resolve
from .._tails import heavy_tailed
from ..parts.abstract import AbstractNoise
from .blocks import Blocks
from .positions import positions_of


class Placed(eqx.Module):
    """Where each group's columns are, and the units that its noise sees."""

    columns: tuple[tuple[int, ...], ...] = eqx.field(static=True)
    center: Fitted = None  # (d,), zero where a column is not real
    scale: Fitted = None  # (d,), one where a column is not real


class Columns(AbstractNoise):
    r"""Noise of its own for each column of a table.

    .. math:: \log p(x \mid z) = \sum_g \log p_g(x_g \mid z) - \sum_{j \text{ real}} \log s_j

    Columns of equal noise form one group g, so that "shared" is shared among them. Real columns
    are standardised, by their mean and standard deviation s (median and spread under heavy
    tails), before their noise sees them: a given σ² is a share of the column's variance. Other
    columns are in data units: amounts take "log-normal", which is Gaussian noise on their
    logarithm, or "gamma" or "zero-inflated".

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
    table: Placed | None

    def __init__(self, types: Mapping[Any, Any] | Sequence[Any]):
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

    def placed(self, d: int, names: Any = None) -> "Columns":
        """Return it with its columns found among the ``d`` of a table.

        Raises
        ------
        SettingError
            For columns without noise, or with two, and for unknown ones.
        """
        found = positions_of(self.keys, d, names)
        members = [[] for _ in self.groups]
        for position, group in zip(found, self.group_of, strict=True):
            members[group].append(position)
        table = Placed(tuple(tuple(sorted(each)) for each in members))
        return eqx.tree_at(lambda c: c.table, self, table, is_leaf=lambda leaf: leaf is None)

    @property
    def n_raw(self) -> int:
        return max(group.n_raw for group in self.groups)

    @property
    def support(self) -> Support:
        return MIXED

    @property
    def solved_by_squares(self) -> bool:
        return all(group.solved_by_squares for group in self.groups)

    @property
    def parts(self) -> tuple[tuple[AbstractNoise, tuple[int, ...]], ...]:
        """Each group's noise with the positions of its columns."""
        if self.table is None:
            raise SettingError(
                "Columns must be placed in a table before they are used. Fit an estimator with "
                "them, or call placed(d, names)."
            )
        return tuple(zip(self.groups, self.table.columns, strict=True))

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> "Columns":
        d = moments.mean.shape[0]
        placed = self if self.table is not None else self.placed(d)
        center, scale = _units(placed.parts, moments)
        parts = tuple(columns for _, columns in placed.parts)
        table = Placed(parts, on_device(center), on_device(scale))
        groups = tuple(
            group.initialise(
                _of_group(moments, table, columns, group),
                key=None if key is None else jax.random.fold_in(key, i),
            )
            for i, (group, columns) in enumerate(placed.parts)
        )
        return eqx.tree_at(lambda c: (c.groups, c.table), placed, (groups, table))

    def __call__(self, raw: Raw) -> Density:
        blocks = raw.reshape(self.n_raw, -1)
        densities = tuple(
            group(blocks[: group.n_raw, jnp.array(columns)].reshape(-1))
            for group, columns in self.parts
        )
        table: Any = self.table
        return Blocks(densities, table.center, table.scale, table.columns)

    def presented(self, y: Point) -> Point:
        table: Any = self.table
        shown = (y - table.center) / table.scale
        for group, columns in self.parts:
            at = jnp.array(columns)
            shown = shown.at[at].set(group.presented(shown[at]))
        return shown

    def log_density_bound(self, d: int) -> float:
        table: Any = self.table
        of_groups = sum(group.log_density_bound(len(columns)) for group, columns in self.parts)
        return of_groups - float(np.log(np.asarray(table.scale, np.float64)).sum())

    def learned(self) -> Leaves:
        return tuple(leaf for group in self.groups for leaf in group.learned())

    def refitted(self, squared_residual: Point) -> "Columns":
        table: Any = self.table
        squares = squared_residual / table.scale**2
        groups = tuple(group.refitted(squares[jnp.array(columns)]) for group, columns in self.parts)
        return eqx.tree_at(lambda c: c.groups, self, groups)

    def variance(self) -> Point | None:
        table: Any = self.table
        found = jnp.zeros_like(table.scale)
        for group, columns in self.parts:
            of_group = group.variance()
            if of_group is None:
                return None
            found = found.at[jnp.array(columns)].set(of_group)
        return table.scale**2 * found

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        table: Any = self.table
        seen = np.asarray(variance) / np.asarray(table.scale) ** 2
        resting = [
            columns[j]
            for group, columns in self.parts
            for j in group.on_floor(jnp.asarray(seen[list(columns)]))
        ]
        return tuple(sorted(resting))


def placed(noise: Any, d: int, names: Any) -> Any:
    """Find the columns of a noise that names them; any other noise is returned as it is."""
    return noise.placed(d, names) if isinstance(noise, Columns) else noise


def is_real(noise: AbstractNoise, d: int) -> np.ndarray:
    """Which of d columns have noise on the real line, shape (d,); a table's by each group's."""
    if not isinstance(noise, Columns):
        return np.full(d, noise.support == REALS)
    real = np.zeros(d, bool)
    for group, columns in noise.parts:
        real[list(columns)] = group.support == REALS
    return real


def check_rows(rows: np.ndarray, noise: AbstractNoise, names: Sequence[str] | None = None) -> None:
    """Refuse rows, in data units, off the noise's support, a table's columns each off its own.

    Parameters
    ----------
    rows : array of shape (n, d), data units
    noise : a family, or one for each group of columns
    names : of the columns, for the message

    Raises
    ------
    DataError
        Naming the columns, where they have names, and the family that fits them.
    """
    if not isinstance(noise, Columns):
        transforms.check_support(rows, noise.support, who=type(noise).__name__, names=names)
        return
    for group, columns in noise.parts:
        who = f"{type(group).__name__} (columns {named_features(columns, names=names)})"
        transforms.check_support(rows[:, list(columns)], group.support, who=who)


def _group_of(noise: AbstractNoise, groups: list[AbstractNoise]) -> int:
    if isinstance(noise, Columns):
        raise SettingError(
            "A column's noise must be of one family; got Columns within Columns. "
            "Name all columns in one."
        )
    for number, other in enumerate(groups):
        if bool(eqx.tree_equal(noise, other)):
            return number
    groups.append(noise)
    return len(groups) - 1


def _units(parts: Any, moments: Moments) -> tuple[np.ndarray, np.ndarray]:
    """Centre and scale of real columns, robust under heavy tails; zero and one of all others."""
    center, scale = np.zeros(moments.mean.shape), np.ones(moments.mean.shape)
    mean, variance = (np.asarray(a, np.float64) for a in (moments.mean, moments.variance))
    for group, columns in parts:
        at = list(columns)
        if group.support != REALS:
            continue
        center[at], spread = mean[at], np.sqrt(variance[at])
        if heavy_tailed(group) and moments.sample is not None:
            center[at], robust = transforms.median_and_spread(moments.sample[:, at])
            spread = np.where(robust > 0, robust, spread)
        scale[at] = np.where(np.asarray(moments.varies)[at], spread, 1.0)
    return center, scale


def _of_group(
    moments: Moments, table: Placed, columns: tuple[int, ...], noise: AbstractNoise
) -> Moments:
    """Moments of some columns, in the units that their noise sees."""
    at = np.array(columns)
    scale, center = np.asarray(table.scale)[at], np.asarray(table.center)[at]
    varies: Any = np.asarray(moments.varies)[at]
    variance = np.asarray(moments.variance)[at] / scale**2
    if heavy_tailed(noise):  # the units are the columns' own spread, and so is the start
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
