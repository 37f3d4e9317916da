"""Activations on integers."""

import dataclasses

import numpy as np

from wellposed._errors import unknown_name

from .curve import Curve, curve

# Beyond ±_FAR each of the smooth ones is a line to within a unit.
_FAR = 16
_MOST_BITS = 10  # activations stay below 2^10
_LEAKY = 10486  # 0.01 of 2²⁰
_SMOOTH = ("silu", "gelu", "softplus", "elu")
_BOUNDED = ("tanh", "sigmoid")
NAMES = ("relu", "leaky_relu", "identity", *_SMOOTH, *_BOUNDED)


@dataclasses.dataclass(frozen=True)
class Activation:
    """An activation by name, from sums before rounding to whole numbers of 2^−bits.

    Smooth ones are max(x, 0) and a table of the rest, or a table alone.

    Examples
    --------
    >>> Activation("relu", 14)(np.array([-3.0, 2.75])).tolist()
    [0.0, 2.0]
    """

    name: str
    bits: int

    def __post_init__(self):
        if self.name not in NAMES:
            raise unknown_name("activation", self.name, NAMES)

    @property
    def most(self) -> float:
        """Largest absolute value."""
        return 2.0 ** (self.bits + _MOST_BITS)

    def __call__(self, sums: np.ndarray) -> np.ndarray:
        """Apply it; overwrites ``sums``."""
        x = np.floor(sums, out=sums)
        if self.name == "relu":
            return np.clip(x, 0.0, self.most, out=x)
        np.clip(x, -self.most, self.most, out=x)
        if self.name == "identity":
            return x
        if self.name == "leaky_relu":
            return np.maximum(x, np.floor(x * (_LEAKY * 2.0**-20)))
        table = self._table(x, bits=self.bits)
        return table if self.name in _BOUNDED else np.maximum(x, 0.0) + table

    @property
    def _table(self) -> Curve:
        return curve(self.name, -_FAR, _FAR, scale=2**self.bits)
