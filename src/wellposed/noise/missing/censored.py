"""Noise of data whose values beyond a limit are recorded at the limit."""

from collections.abc import Sequence
from typing import Self

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from wellposed._errors import DataError, SettingError, named_features
from wellposed._fill import fill
from wellposed._typing import Density, Point, PRNGKey, Raw
from wellposed.transforms import AbstractTransform, Identity, Moments

from .._resolve import resolve
from ..parts.abstract import AbstractNoise, require
from ..parts.density import AbstractDensity
from ..parts.wrapped import AbstractWrapped
from .abstract import check_whole, typical_of
from .clipped import Clipped
from .limits import End, Limit, Limits

_FIT = 'Use noise="feature", "conditional", Laplace, StudentT, LogNormal, or Columns of these.'


class Censored(AbstractWrapped):
    r"""Noise of data whose values beyond a limit are recorded at the limit.

    .. math:: \log p(x \mid z) = \sum_{l_j < x_j < h_j} \log p(x_j \mid z)
       + \sum_{x_j = l_j} \log P(X_j \le l_j \mid z) + \sum_{x_j = h_j} \log P(X_j \ge h_j \mid z)

    Concentrations below a detection limit, incomes above a cap, times longer than a study. The
    logarithms of tails are exact at any distance, and so are gradients.

    Parameters
    ----------
    noise : noise of independent features with exact tails, or what ``resolve`` makes noise of
        Gaussian, Laplace, StudentT, LogNormal, ZeroInflated with LogNormal, and Columns whose
        limited columns have one of these.
    low, high : limits in data units
        A number for all columns, a sequence of one a column with None or NaN where there is no
        limit, or a mapping from names or positions of columns.

    Raises
    ------
    SettingError
        For limits that are not numbers, of another number than the columns, or with low ≥ high;
        when it is called, for noise of dependent features, or without exact tails in a column
        with a limit. :class:`wellposed.DataError` for rows beyond a limit.

    Notes
    -----
    Draws, quantiles and ``cdf`` are those of recorded values, so that draws have values at the
    limits. Mean and variance are those of X_j itself, beyond the limit too.

    A cell at its limit has a probability, without log |det dT/dx|; its log p is at most zero. A
    value within a few steps of rounding of a limit counts as at the limit.

    References: Tobin (1958), Estimation of relationships for limited dependent variables.

    Examples
    --------
    >>> noise = Censored(1.0, low=0.0)  # σ² = 1
    >>> start = Moments(np.zeros(2), np.ones(2), np.ones(2) / 10, np.ones(2, bool), n=10)
    >>> density = noise.initialise(start)(jnp.zeros(2))
    >>> [round(v, 4) for v in density.feature_log_prob(jnp.array([0.0, 1.0])).tolist()]
    [-0.6931, -1.4189]
    """

    noise: AbstractNoise
    low: Limits
    high: Limits
    low_end: End | None
    high_end: End | None

    def __init__(self, noise: float | str | AbstractNoise, low: Limit = None, high: Limit = None):
        self.noise = resolve(noise)
        check_whole(self.noise)
        if self.noise.limited:
            raise SettingError(
                "Censored is made of noise without limits; got Censored within Censored. Pass both "
                "low and high to one."
            )
        self.low, self.high = Limits.of("low", low), Limits.of("high", high)
        self.low_end = self.high_end = None

    @property
    def limited(self) -> bool:
        return True

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """Limits low and high of noise of one column.

        Raises
        ------
        SettingError
            For limits of several columns.
        """
        low, high = self._limits(1)
        return tuple(None if np.isnan(v[0]) else float(v[0]) for v in (low, high))  # type: ignore[return-value]

    @property
    def has_exact_refit(self) -> bool:
        return False

    @property
    def whole(self) -> AbstractNoise:
        return self.noise.whole

    def around(self, whole: AbstractNoise) -> Self:
        return fill(self, noise=self.noise.around(whole))

    def locate(self, d: int, names: Sequence[str] | None = None) -> Self:
        low, high = self._limits(d, names)
        wrong = np.flatnonzero(low >= high)
        if wrong.size:
            j = int(wrong[0])
            raise SettingError(
                f"low must be below high; {_named(j, names)} has {low[j]:g} and {high[j]:g}. "
                "Exchange them, or leave one out."
            )
        located = fill(self, noise=self.noise.locate(d, names))
        # Static, and so no leaves of a tree.
        object.__setattr__(located, "low", Limits.located(low))
        object.__setattr__(located, "high", Limits.located(high))
        return located

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        """Return the noise with a start from the data as they are recorded.

        Limits are in model units until :meth:`in_units_of` maps them.
        """
        located = self.locate(len(moments.mean))
        started = fill(located, noise=self.noise.initialise(moments, key=key))
        return started.in_units_of(Identity(), moments)

    def in_units_of(self, transform: AbstractTransform, moments: Moments) -> Self:
        typical = transform.inverse(typical_of(moments))
        low, high = (
            None if np.isnan(limits).all() else End.of(limits, transform, typical)
            for limits in self._limits(len(moments.mean))
        )
        noise = self.noise.in_units_of(transform, moments)
        return fill(self, noise=noise, low_end=low, high_end=high)

    def __call__(self, raw: Raw) -> Density:
        of, (low, high) = self.noise(raw), self._ends
        if not isinstance(of, AbstractDensity) or not of.independent:
            raise SettingError(
                "Values at a limit need noise of independent features; those of "
                f"{type(self.noise).__name__} are not. {_FIT}"
            )
        limits = self._limits(of.event_shape[0])
        unknown = ~(np.isnan(limits).all(axis=0) | of.has_tails)
        if unknown.any():
            raise SettingError(
                "Values at a limit need noise whose logarithmic tails are exact; that of columns "
                f"{named_features(np.flatnonzero(unknown))} has none. {_FIT}"
            )
        return Clipped(of, low, high)

    def at_limit(self, y: Point) -> Bool[Array, " d"]:
        low, high = self._ends
        below = jnp.zeros(y.shape, bool) if low is None else low.reached_from_above(y)
        return below if high is None else below | high.reached_from_below(y)

    def log_density_bound(self, d: int) -> float:
        """That of the noise, but for columns with a limit at least that of a probability, zero."""
        density = self.noise(jnp.zeros(self.n_raw * d))
        median = density.coupled(jnp.zeros(()))  # a value inside the support
        # Log densities that the noise reaches, in data units, so that its bound is no lower.
        reached = np.asarray(density.feature_log_prob(median), np.float64)
        more = np.zeros(d)
        for end in filter(None, self._ends):
            short = np.maximum(-(reached + np.asarray(end.log_slope, np.float64)), 0.0)
            more = np.maximum(more, np.where(end.exists, short, 0.0))
        return self.noise.log_density_bound(d) + float(more.sum())

    def real_columns(self, d: int) -> np.ndarray:
        """Without those that have limits, which neither an offset nor a logarithm moves."""
        low, high = self._limits(d)
        return self.noise.real_columns(d) & np.isnan(low) & np.isnan(high)

    def check_limits(self, rows: np.ndarray, names: Sequence[str] | None = None) -> None:
        low, high = self._limits(rows.shape[1])
        slack = 32 * np.finfo(jnp.result_type(float)).eps
        for side, limits in (("low", low), ("high", high)):
            size = np.maximum(np.abs(limits), np.abs(rows).max(axis=0)) * slack
            beyond = rows < limits - size if side == "low" else rows > limits + size
            if not beyond.any():
                continue
            i, j = (int(at) for at in np.argwhere(beyond)[0])
            word = "below" if side == "low" else "above"
            raise DataError(
                f"Values {word} a limit are recorded at it; {_named(j, names)} has {rows[i, j]:g} "
                f"in row {i}, {word} {side}={limits[j]:g}. Set such values to the limit, or "
                f"correct {side}."
            )

    @property
    def _ends(self) -> tuple[End | None, End | None]:
        """Limits in model units; None on a side without any."""
        low, high = (
            None if limits.none else require(self, end)
            for limits, end in ((self.low, self.low_end), (self.high, self.high_end))
        )
        return low, high

    def _limits(self, d: int, names: Sequence[str] | None = None) -> tuple[np.ndarray, np.ndarray]:
        return self.low.of_columns("low", d, names), self.high.of_columns("high", d, names)


def _named(column: int, names: Sequence[str] | None) -> str:
    return f"column {column}" if names is None else f"column {str(names[column])!r}"
