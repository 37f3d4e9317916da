"""Networks whose every number is an integer, exact in any order of summation."""

import dataclasses
from typing import Any

import numpy as np

from wellposed._errors import SettingError

from .activation import Activation

# Whole numbers up to here are float64, and so are sums that stay below.
_EXACT = 2.0**53


@dataclasses.dataclass(frozen=True)
class Layer:
    r"""⌊2^{out − in − w} (W x + b) + ½⌋ for whole numbers x, W and b.

    Parameters
    ----------
    weight : W, int64, shape (n_out, n_in), in units of 2^−w
    bias : b, int64, shape (n_out,), in units of 2^−(in + w)
    in_bits, weight_bits : in and w, fractional bits of x and W
    out_bits : of the result, shape (n_out,)
    half : whether the half is added; not in a sum with another layer that has it
    """

    weight: np.ndarray
    bias: np.ndarray
    in_bits: int
    weight_bits: int
    out_bits: np.ndarray
    half: bool = True

    @classmethod
    def rounded(
        cls,
        weight: np.ndarray,
        bias: np.ndarray,
        *,
        in_bits: int,
        weight_bits: int,
        out_bits: Any,
        half: bool = True,
    ) -> "Layer":
        """Round a layer x ↦ x W + b, W of shape (n_in, n_out)."""
        whole = np.rint(np.asarray(weight, np.float64).T * 2.0**weight_bits).astype(np.int64)
        shift = np.rint(np.asarray(bias, np.float64) * 2.0 ** (in_bits + weight_bits))
        bits = np.broadcast_to(np.asarray(out_bits, np.int64), shift.shape)
        return cls(whole, shift.astype(np.int64), in_bits, weight_bits, bits, half)

    def __post_init__(self):
        fall = 2.0 ** self.fall[:, None]
        object.__setattr__(self, "_scaled", np.ascontiguousarray(self.weight * fall))
        object.__setattr__(self, "_shift", self.bias[:, None] * fall + 0.5 * self.half)

    @property
    def fall(self) -> np.ndarray:
        """Exponent of the sums' unit in units of the result, shape (n_out,); negative as a rule."""
        return self.out_bits - self.in_bits - self.weight_bits

    def most(self, limit: np.ndarray) -> np.ndarray:
        """Return the largest absolute results for inputs up to ``limit``, before rounding."""
        sums = np.abs(self.weight) @ np.asarray(limit, np.float64) + np.abs(self.bias)
        return sums * 2.0**self.fall + 0.5

    def sums(self, x: np.ndarray) -> np.ndarray:
        """Return the sums before rounding down, for x of shape (n_in, m)."""
        acc = self._scaled @ x  # pyright: ignore[reportAttributeAccessIssue]
        acc += self._shift  # pyright: ignore[reportAttributeAccessIssue]
        return acc


@dataclasses.dataclass(frozen=True)
class Network:
    """Layers with one activation between them, and a linear map of the input beside them.

    Parameters
    ----------
    layers : of shapes that follow each other
    activation : between the layers
    skip : added to the last layer's sums, or None
    """

    layers: tuple[Layer, ...]
    activation: Activation
    skip: Layer | None = None

    def check(self, limit: np.ndarray, *, name: str) -> None:
        """Check that all sums are exact for inputs up to ``limit``, shape (n_in,).

        Raises
        ------
        SettingError
            If one could reach 2⁵³ of its units.
        """
        inputs = limit
        for layer in self.layers[:-1]:
            most = layer.most(limit)
            _check_exact(most, layer.fall, name)
            limit = np.minimum(most, self.activation.most)
        last = self.layers[-1]
        most, fall = last.most(limit), last.fall
        if self.skip is not None:
            most, fall = most + self.skip.most(inputs), np.minimum(fall, self.skip.fall)
        _check_exact(most, fall, name)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Map whole numbers x of shape (n_in, m) to (n_out, m), float64 that hold integers."""
        hidden = x
        for layer in self.layers[:-1]:
            hidden = self.activation(layer.sums(hidden))
        out = self.layers[-1].sums(hidden)
        if self.skip is not None:
            out += self.skip.sums(x)
        return np.floor(out, out=out)


def _check_exact(most: np.ndarray, fall: np.ndarray, name: str) -> None:
    # A half is added to the sums, whose last digit may therefore be a half.
    reached = np.max(most * 2.0 ** np.maximum(-fall, 1))
    if not reached < _EXACT:
        raise SettingError(
            f"Sums of an integer network must stay below 2^53, to be exact; those of the {name} "
            f"can reach 2^{np.log2(reached):.0f}. Use fewer weight_bits or activation_bits, or "
            "train with weight decay."
        )
