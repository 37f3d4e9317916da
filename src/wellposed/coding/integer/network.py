"""Networks whose every number is an integer, exact in any order of summation."""

import dataclasses
from typing import Any, Protocol, runtime_checkable

import numpy as np

from wellposed._errors import SettingError

from .activation import Activation

# Whole numbers up to here are float64, and so are sums that stay below.
_EXACT = 2.0**53


@runtime_checkable
class AnyLayer(Protocol):
    """A map of whole numbers whose results are sums, not yet rounded down."""

    @property
    def n_out(self) -> int:
        """Numbers that it returns."""
        ...

    @property
    def fall(self) -> np.ndarray:
        """Exponent of the sums' unit in units of the result, shape (n_out,)."""
        ...

    def most(self, limit: np.ndarray) -> np.ndarray:
        """Return the largest absolute results for inputs up to ``limit``, before rounding."""
        ...

    def reached(self, limit: np.ndarray) -> float:
        """Return the largest of all sums for inputs up to ``limit``, in its own unit."""
        ...

    def sums(self, x: np.ndarray) -> np.ndarray:
        """Return the sums before rounding down, for x of shape (n_in, m)."""
        ...

    def state(self) -> dict[str, Any]:
        """Return what the layer is made of."""
        ...


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
    def n_out(self) -> int:
        """Numbers that it returns."""
        return len(self.bias)

    @property
    def fall(self) -> np.ndarray:
        """Exponent of the sums' unit in units of the result, shape (n_out,); negative as a rule."""
        return self.out_bits - self.in_bits - self.weight_bits

    def most(self, limit: np.ndarray) -> np.ndarray:
        """Return the largest absolute results for inputs up to ``limit``, before rounding."""
        sums = np.abs(self.weight) @ np.asarray(limit, np.float64) + np.abs(self.bias)
        return sums * 2.0**self.fall + 0.5

    def reached(self, limit: np.ndarray) -> float:
        """Return the largest of all sums for inputs up to ``limit``, in its own unit."""
        return largest_sum(self.most(limit), self.fall)

    def sums(self, x: np.ndarray) -> np.ndarray:
        """Return the sums before rounding down, for x of shape (n_in, m)."""
        acc = self._scaled @ x  # pyright: ignore[reportAttributeAccessIssue]
        acc += self._shift  # pyright: ignore[reportAttributeAccessIssue]
        return acc

    def state(self) -> dict[str, Any]:
        """Return what the layer is made of."""
        names = ("weight", "bias", "in_bits", "weight_bits", "out_bits", "half")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Layer":
        """Undo :meth:`state`."""
        return cls(**state)


@dataclasses.dataclass(frozen=True)
class Network:
    """Layers with one activation between them, and a linear map of the input beside them.

    Parameters
    ----------
    layers : of shapes that follow each other
    activation : between the layers
    skip : added to the last layer's sums, or None
    n_late : number of the last inputs that pass the first layers by
    late : the layer that has them after its other inputs
    """

    layers: tuple[AnyLayer, ...]
    activation: Activation
    skip: Layer | None = None
    n_late: int = 0
    late: int = 0

    def check(self, limit: np.ndarray, *, name: str) -> None:
        """Check that all sums are exact for inputs up to ``limit``, shape (n_in,).

        Raises
        ------
        SettingError
            If one could reach 2⁵³ of its units.
        """
        inputs = limit
        limit, after = self._parts(inputs)
        for i, layer in enumerate(self.layers[:-1]):
            limit = self._joined(i, limit, after)
            _check_exact(layer.reached(limit), name)
            limit = np.minimum(layer.most(limit), self.activation.most)
        last, limit = self.layers[-1], self._joined(len(self.layers) - 1, limit, after)
        _check_exact(last.reached(limit), name)
        if self.skip is not None:
            most = last.most(limit) + self.skip.most(inputs)
            _check_exact(largest_sum(most, np.minimum(last.fall, self.skip.fall)), name)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Map whole numbers x of shape (n_in, m) to (n_out, m), float64 that hold integers."""
        hidden, after = self._parts(x)
        for i, layer in enumerate(self.layers[:-1]):
            hidden = self.activation(layer.sums(self._joined(i, hidden, after)))
        out = self.layers[-1].sums(self._joined(len(self.layers) - 1, hidden, after))
        if self.skip is not None:
            out += self.skip.sums(x)
        return np.floor(out, out=out)

    def _parts(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the inputs of the first layer, and those of a later one."""
        return x[: len(x) - self.n_late], x[len(x) - self.n_late :]

    def _joined(self, i: int, hidden: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Return the inputs of layer i, from those that the layers before it make."""
        return np.concatenate([hidden, after]) if self.n_late and i == self.late else hidden


def largest_sum(most: np.ndarray, fall: np.ndarray) -> float:
    """Return the largest of some sums, each in units of 2^fall, from those in units of one."""
    # A half is added to the sums, whose last digit may therefore be a half.
    return float(np.max(most * 2.0 ** np.maximum(-fall, 1), initial=0.0))


def _check_exact(reached: float, name: str) -> None:
    if not reached < _EXACT:
        raise SettingError(
            f"Sums of an integer network must stay below 2^53, to be exact; those of the {name} "
            f"can reach 2^{np.log2(reached):.0f}. Use fewer weight_bits or activation_bits, or "
            "train with weight decay."
        )
