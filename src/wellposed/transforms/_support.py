"""The values that a datum can take, and the check that it does."""

import math
from collections.abc import Sequence

import equinox as eqx
import numpy as np

from wellposed._checks import check_count
from wellposed._errors import DataError, named_features


class Support(eqx.Module):
    """An interval, of real or of whole numbers, each feature's own range.

    Examples
    --------
    >>> unit, bits = Support(0.0, 1.0, whole=False), Support(0.0, 1.0, whole=True)
    >>> unit.contains(bits), bits.contains(unit)
    (True, False)
    """

    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)
    whole: bool = eqx.field(static=True)

    def contains(self, other: "Support") -> bool:
        """Whether every datum of ``other`` is one of this support."""
        inside = self.low <= other.low and other.high <= self.high
        return inside and (other.whole or not self.whole)

    def __str__(self) -> str:
        if self == REALS:
            return "real numbers"
        if self == MIXED:
            return "each column in its own units"
        if self == POSITIVE:
            return "numbers above 0"
        if self == AMOUNTS:
            return "numbers from 0 upwards"
        if not self.whole:
            return f"numbers in [{self.low:g}, {self.high:g}]"
        if math.isinf(self.high):
            return f"whole numbers from {self.low:g} upwards"
        return f"whole numbers {self.low:g} to {self.high:g}"


REALS = Support(-math.inf, math.inf, False)
"""Support of real numbers."""
UNIT = Support(0.0, 1.0, False)
"""Support of numbers from 0 to 1, both included."""
AMOUNTS = Support(0.0, math.inf, False)
"""Support of real numbers from 0 on, 0 included."""
POSITIVE = Support(math.ulp(0.0), math.inf, False)
"""Support of real numbers above 0, from the smallest of float64 on."""
COUNTS = Support(0.0, math.inf, True)
"""Support of whole numbers from 0 on."""
BINARY = Support(0.0, 1.0, True)
"""Support of 0 and 1."""
MIXED = Support(-math.inf, math.inf, True)
"""Support of a table whose columns have supports of their own."""


def levels(n: int) -> Support:
    """Whole numbers 0, …, n − 1.

    Parameters
    ----------
    n : number of levels, 2 or more

    Raises
    ------
    SettingError
        If there are fewer than two.

    Examples
    --------
    >>> levels(256).high
    255.0
    """
    n = check_count("levels", n, "8-bit images have 256 levels.", low=2, most=2**24)
    return Support(0.0, float(n - 1), True)


def check_support(
    values: np.ndarray, support: Support, *, who: str, names: Sequence[str] | None = None
) -> None:
    """Refuse data off a support.

    Parameters
    ----------
    values : array of shape (n, d), finite
    support : what they may be
    who : the transform or the noise, with which the message begins
    names : of the columns; the message lists those that are off the support

    Raises
    ------
    DataError
        Naming the support, the data's range, and the transform or family that fits them.
    """
    if support == REALS:
        return
    low, high = float(values.min()), float(values.max())
    whole = values.dtype.kind in "iub" or bool(np.all(values == np.round(values)))
    if support.low <= low and high <= support.high and (whole or not support.whole):
        return
    kind = "whole numbers" if whole else "fractions"
    where = "" if names is None else f"; it fails in {_misfits(values, support, names)}"
    raise DataError(
        f"{who} needs {support}; the data are {kind} in [{low:g}, {high:g}]{where}. "
        f"{_remedy(support, low, high, whole)}"
    )


def _misfits(values: np.ndarray, support: Support, names: Sequence[str]) -> str:
    """Name the columns with values off a support."""
    inside = (values >= support.low) & (values <= support.high)
    if support.whole:
        inside &= values == np.round(values)
    columns = np.flatnonzero(~inside.all(axis=0))
    return f"{'column' if len(columns) == 1 else 'columns'} {named_features(columns, names=names)}"


def _remedy(support: Support, low: float, high: float, whole: bool) -> str:
    if low < 0:
        return 'Negative numbers fit noise on the real line: "shared", Laplace or StudentT.'
    if support == POSITIVE:
        return (
            "Zeros among amounts have a probability of their own: "
            'noise=wp.noise.ZeroInflated(wp.noise.LogNormal()); or use transform="log1p".'
        )
    if support == BINARY:
        if whole:
            return f"Use BetaBinomial(levels={int(high) + 1}), or Poisson where they are counts."
        return (
            "Bernoulli's formula at grey values is the logarithm of nothing that sums to one: use "
            "ContinuousBernoulli or Beta for [0, 1], or binarise the data."
        )
    if support.whole and not whole:
        unit = "ContinuousBernoulli, Beta or TruncatedNormal" if high <= 1 else "noise='shared'"
        return f"Pass the whole numbers as they were stored, or use {unit}."
    if support.whole:
        return f"Pass levels={int(high) + 1} or more, or use Poisson or NegativeBinomial."
    if whole:
        return f'transform="unit" takes whole numbers 0 to {int(high)} to [0, 1].'
    return "Divide the data by their largest possible value, or use noise on the real line."
