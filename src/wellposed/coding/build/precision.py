"""Fractional bits of integer networks, and the units of their outputs."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Precision:
    """Fractional bits of weights and of activations."""

    weight_bits: int
    activation_bits: int


@dataclasses.dataclass(frozen=True)
class Outputs:
    """Outputs of a network that are kept, in units of their own: times·out + plus.

    Parameters
    ----------
    take : positions of the outputs, shape (r,)
    times, plus : shape (r,)
    bits : fractional bits of the results, shape (r,)
    """

    take: np.ndarray
    times: np.ndarray
    plus: np.ndarray
    bits: np.ndarray

    @classmethod
    def none(cls) -> "Outputs":
        """Return no outputs."""
        return cls(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0, np.int64))

    @classmethod
    def join(cls, each: list["Outputs"]) -> "Outputs":
        """Return outputs one after another."""
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(*(np.concatenate([getattr(one, name) for one in each]) for name in names))
