"""Strided convolutions whose every number is an integer, as the matrix products that they are."""

import dataclasses
from typing import Any

import numpy as np

from .network import Layer, largest_sum

_TAPS = 4  # of a kernel's side
# Numbers of the patches of some rows, which are worked on at once.
_PATCH_NUMBERS = 2**20


@dataclasses.dataclass(frozen=True)
class Arranged:
    """Images of one datum, one after another, as one padded image with their channels together.

    Parameters
    ----------
    n_images : number of images, each (H, W, C)
    shape : H, W and C
    top, left : zeros before
    height, width : with zeros
    """

    n_images: int
    shape: tuple[int, int, int]
    top: int
    left: int
    height: int
    width: int

    def gather(self, x: np.ndarray) -> np.ndarray:
        """Map images of shape (n H W C, m) to one of shape (height, width, n C, m)."""
        h, w, c = self.shape
        image = np.zeros((self.height, self.width, self.n_images, c, x.shape[1]))
        parts = x.reshape(self.n_images, h, w, c, -1)
        image[self.top : self.top + h, self.left : self.left + w] = np.moveaxis(parts, 0, 2)
        return image.reshape(self.height, self.width, -1, x.shape[1])

    def places(self) -> np.ndarray:
        """Where each number of the images is in the padded one, shape (n H W C,)."""
        h, w, c = self.shape
        every = np.arange(self.height * self.width * self.n_images * c)
        image = every.reshape(self.height, self.width, self.n_images, c)
        kept = image[self.top : self.top + h, self.left : self.left + w]
        return np.moveaxis(kept, 2, 0).reshape(-1)


@dataclasses.dataclass(frozen=True)
class Convolution:
    r"""A 4 x 4 convolution at stride 2 of an image padded by one, or its transpose.

    The results are ⌊2^{out − in − w} (W x + b) + ½⌋, as those of :class:`Layer`, of numbers
    flattened row by row with channels last.

    Parameters
    ----------
    weight : int64, shape (N, 16 C), in units of 2^−w: rows are the coarse image's channels,
        columns the taps (4, 4, C) of the fine one's
    bias : int64, of the result's channels, in units of 2^−(in + w)
    grid : sides of the coarse image
    transposed : whether it maps the coarse image to the fine one
    in_bits, weight_bits, out_bits : fractional bits
    arranged : how the inputs become the fine image; None where they are it
    """

    weight: np.ndarray
    bias: np.ndarray
    grid: tuple[int, int]
    transposed: bool
    in_bits: int
    weight_bits: int
    out_bits: int
    arranged: Arranged | None = None

    @classmethod
    def rounded(
        cls,
        kernel: np.ndarray,
        bias: np.ndarray,
        grid: tuple[int, int],
        *,
        transposed: bool,
        in_bits: int,
        weight_bits: int,
        out_bits: int,
        arranged: Arranged | None = None,
    ) -> "Convolution":
        """Round a kernel of shape (4, 4, C, N) and a bias."""
        flat = np.asarray(kernel, np.float64).reshape(-1, kernel.shape[-1]).T
        whole = np.rint(flat * 2.0**weight_bits).astype(np.int64)
        shift = np.rint(np.asarray(bias, np.float64) * 2.0 ** (in_bits + weight_bits))
        bits = (in_bits, weight_bits, out_bits)
        return cls(whole, shift.astype(np.int64), grid, transposed, *bits, arranged)

    @property
    def n_in(self) -> int:
        """Numbers that it takes."""
        if self.arranged is not None:
            h, w, c = self.arranged.shape
            return self.arranged.n_images * h * w * c
        return self._coarse if self.transposed else self._fine

    @property
    def n_out(self) -> int:
        """Numbers that it returns."""
        return self._fine if self.transposed else self._coarse

    @property
    def _coarse(self) -> int:
        return self.grid[0] * self.grid[1] * len(self.weight)

    @property
    def _fine(self) -> int:
        return 4 * self.grid[0] * self.grid[1] * (self.weight.shape[1] // _TAPS**2)

    @property
    def fall(self) -> np.ndarray:
        """Exponent of the sums' unit in units of the result, shape (n_out,)."""
        return np.full(self.n_out, self.out_bits - self.in_bits - self.weight_bits)

    def most(self, limit: np.ndarray) -> np.ndarray:
        """Return the largest absolute results for inputs up to ``limit``, before rounding."""
        inputs = np.asarray(limit, np.float64)[:, None]
        sums = self._apply(np.abs(self.weight).astype(np.float64), inputs)[:, 0]
        sums += np.tile(np.abs(self.bias), self.n_out // len(self.bias))
        return sums * 2.0**self.fall + 0.5

    def reached(self, limit: np.ndarray) -> float:
        """Return the largest of all sums for inputs up to ``limit``, in its own unit."""
        return largest_sum(self.most(limit), self.fall)

    def sums(self, x: np.ndarray) -> np.ndarray:
        """Return the sums before rounding down, for x of shape (n_in, m)."""
        fall = 2.0 ** (self.out_bits - self.in_bits - self.weight_bits)
        acc = self._apply(self.weight * fall, x)
        acc += np.tile(self.bias * fall + 0.5, self.n_out // len(self.bias))[:, None]
        return acc

    def _apply(self, weight: np.ndarray, x: np.ndarray) -> np.ndarray:
        out = np.empty((self.n_out, x.shape[1]))
        numbers = self.grid[0] * self.grid[1] * self.weight.shape[1]
        each = max(1, _PATCH_NUMBERS // numbers)
        move = self._up if self.transposed else self._down
        for first in range(0, x.shape[1], each):
            rows = slice(first, first + each)
            out[:, rows] = move(weight, np.ascontiguousarray(x[:, rows]))
        return out

    def _down(self, weight: np.ndarray, x: np.ndarray) -> np.ndarray:
        (h, w), m = self.grid, x.shape[1]
        image = x.reshape(2 * h, 2 * w, -1, m) if self.arranged is None else self.arranged.gather(x)
        padded = np.pad(image, ((1, 1), (1, 1), (0, 0), (0, 0)))
        patches = np.stack(
            [
                padded[a : a + 2 * h : 2, b : b + 2 * w : 2]
                for a in range(_TAPS)
                for b in range(_TAPS)
            ]
        )  # (16, h, w, C, m)
        columns = patches.transpose(0, 3, 1, 2, 4).reshape(weight.shape[1], -1)
        out = (weight @ columns).reshape(len(weight), h, w, m)
        return np.moveaxis(out, 0, 2).reshape(-1, m)

    def _up(self, weight: np.ndarray, x: np.ndarray) -> np.ndarray:
        (h, w), m = self.grid, x.shape[1]
        image = np.moveaxis(x.reshape(h, w, -1, m), 2, 0).reshape(len(weight), -1)
        taps = (weight.T @ image).reshape(_TAPS, _TAPS, -1, h, w, m)
        padded = np.zeros((2 * h + 2, 2 * w + 2, taps.shape[2], m))
        for a in range(_TAPS):
            for b in range(_TAPS):
                padded[a : a + 2 * h : 2, b : b + 2 * w : 2] += np.moveaxis(taps[a, b], 0, 2)
        return padded[1:-1, 1:-1].reshape(-1, m)

    def state(self) -> dict[str, Any]:
        """Return what the layer is made of."""
        arranged = None
        if self.arranged is not None:
            arranged = {**vars(self.arranged), "shape": list(self.arranged.shape)}
        own = {"kind": "convolution", "grid": list(self.grid), "arranged": arranged}
        return {**vars(self), **own, "transposed": int(self.transposed)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Convolution":
        """Undo :meth:`state`."""
        own: dict[str, Any] = {name: state[name] for name in state if name != "kind"}
        if own["arranged"] is not None:
            height, width, channels = own["arranged"]["shape"]
            shape = {"shape": (height, width, channels)}
            own["arranged"] = Arranged(**(own["arranged"] | shape))
        height, width = own["grid"]
        own |= {"grid": (height, width), "transposed": bool(own["transposed"])}
        return cls(**own)


@dataclasses.dataclass(frozen=True)
class Picked:
    r"""Some results of a layer, each times a number of its own: ⌊2^{out − in − w} (t x + b) + ½⌋.

    A convolution has the same weights everywhere, and outputs of a decoder units of their own.

    Parameters
    ----------
    inner : layer whose results are rounded, and kept within ±2^most_bits
    take : which results, int64, shape (r,)
    last : t and b as the layer of one number each: weight of shape (r, 1)
    most_bits : int
    """

    inner: Convolution
    take: np.ndarray
    last: Layer
    most_bits: int

    @property
    def n_out(self) -> int:
        """Numbers that it returns."""
        return len(self.take)

    @property
    def fall(self) -> np.ndarray:
        """Exponent of the sums' unit in units of the result, shape (r,)."""
        return self.last.fall

    def reached(self, limit: np.ndarray) -> float:
        """Return the largest of all sums for inputs up to ``limit``, in its own unit."""
        return max(self.inner.reached(limit), largest_sum(self.most(limit), self.fall))

    def most(self, limit: np.ndarray) -> np.ndarray:
        """Return the largest absolute results for inputs up to ``limit``, before rounding."""
        inner = np.minimum(self.inner.most(limit), 2.0**self.most_bits)[self.take]
        sums = np.abs(self.last.weight[:, 0]) * inner + np.abs(self.last.bias)
        return sums * 2.0**self.fall + 0.5

    def sums(self, x: np.ndarray) -> np.ndarray:
        """Return the sums before rounding down, for x of shape (n_in, m)."""
        inner = np.floor(self.inner.sums(x))
        np.clip(inner, -(2.0**self.most_bits), 2.0**self.most_bits, out=inner)
        acc = inner.take(self.take, axis=0)
        fall = 2.0 ** self.fall[:, None]
        acc *= self.last.weight * fall
        acc += self.last.bias[:, None] * fall + 0.5
        return acc

    def state(self) -> dict[str, Any]:
        """Return what the layer is made of."""
        return {
            "kind": "picked",
            "inner": self.inner.state(),
            "take": self.take,
            "last": self.last.state(),
            "most_bits": self.most_bits,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Picked":
        """Undo :meth:`state`."""
        inner, last = Convolution.from_state(state["inner"]), Layer.from_state(state["last"])
        return cls(inner, state["take"], last, state["most_bits"])
