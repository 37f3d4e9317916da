"""Other lossy coders of images: principal components, and JPEG by Pillow."""

import functools
import io
import lzma

import numpy as np

from wellposed.coding.quantised import Quantiser
from wellposed.coding.quantised.shares import Shares

_FINE = 2.0**12  # parts of a grey level
_COUNTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
_MOST_STEP = 2**24


class Components:
    """Principal components of training images, cut into cells of one width.

    Parameters
    ----------
    train, test : images, shape (n, d)
    most : the largest grey level
    """

    def __init__(self, train: np.ndarray, test: np.ndarray, most: int):
        self._test, self._most = test, most
        self._mean = train.mean(axis=0, dtype=np.float64)
        centred = train.astype(np.float32) - self._mean.astype(np.float32)
        _, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64) / len(train))
        self._vectors = vectors[:, ::-1]
        self._values = np.rint((test - self._mean) @ self._vectors * _FINE).T

    def best(self, bits: float) -> tuple[float, int]:
        """Return the smallest error at most ``bits`` an image, and the number of components."""
        return min(self._at(bits, n) for n in _COUNTS if n <= len(self._mean))

    def _at(self, bits: float, n: int) -> tuple[float, int]:
        low, high = 1, _MOST_STEP  # widths; the wide one takes few bits
        while high / low > 1.02 and high - low > 1:
            middle = int(np.sqrt(low * high))
            if self._bits(n, middle) <= bits:
                high = middle
            else:
                low = middle
        quantiser = self._quantiser(n, high)
        values = quantiser.places(quantiser.cells(self._values[:n])) / _FINE
        again = np.rint(values.T @ self._vectors[:, :n].T + self._mean).clip(0, self._most)
        return float(np.sqrt(((again - self._test) ** 2).mean())), n

    def _quantiser(self, n: int, step: int) -> Quantiser:
        steps, centre = np.full(n, step, np.int64), np.zeros(n, np.int64)
        return Quantiser.fitted(self._values[:n], steps, centre)

    def _bits(self, n: int, step: int) -> float:
        """Bits an image: of the cells, of their shares, and of the width."""
        return (sum(self._cell_bits(j, step) for j in range(n)) + 24) / len(self._test)

    @functools.cache  # noqa: B019 - one object a run
    def _cell_bits(self, j: int, step: int) -> float:
        quantiser = Quantiser.fitted(
            self._values[j : j + 1], np.array([step]), np.zeros(1, np.int64)
        )
        cells = quantiser.cells(self._values[j : j + 1])[0]
        if not quantiser.active.size:
            return 1.0
        shares = Shares.fitted(cells)
        return 8.0 + shares.bits(np.bincount(cells - shares.low))


class Jpeg:
    """JPEG at all qualities.

    Parameters
    ----------
    test : images, shape (n, side²)
    side : of an image
    most : the largest grey level
    """

    def __init__(self, test: np.ndarray, side: int, most: int):
        self._test, self._side, self._times = test, side, 255 // most
        pictures = (test * self._times).astype(np.uint8).reshape(-1, side, side)
        tried = [self._side_by_side(pictures, q) for q in range(1, 96, 3)]
        few = pictures[:1000]  # one by one: the first thousand stand for all
        tried += [self._one_by_one(few, q) for q in range(1, 96, 6)]
        self._tried = tried

    def at(self, bits: float) -> str:
        """Return the error at ``bits`` an image, or the least bits that JPEG takes."""
        errors = []
        for way in ("side by side", "one by one"):
            line = sorted((b, e) for b, e, own in self._tried if own == way)
            sizes, own = (np.array(each) for each in zip(*line, strict=True))
            if sizes[0] <= bits:
                errors.append(float(np.interp(bits, sizes, np.minimum.accumulate(own))))
        least = min(self._tried)
        return f"{min(errors):8.3f}" if errors else f"(from {least[0]:.0f} bits: {least[1]:.3f})"

    def _side_by_side(self, pictures: np.ndarray, quality: int) -> tuple[float, float, str]:
        n, side = len(pictures), self._side
        across = int(np.ceil(np.sqrt(n)))
        tiles = np.zeros((across * across, side, side), np.uint8)
        tiles[:n] = pictures
        grid = tiles.reshape(across, across, side, side).transpose(0, 2, 1, 3)
        picture = np.ascontiguousarray(grid.reshape(across * side, across * side))
        size, again = _coded(picture, quality, optimize=True)
        back = again.reshape(across, side, across, side).transpose(0, 2, 1, 3)
        error = self._error(back.reshape(-1, side * side)[:n])
        return 8 * size / n, error, "side by side"

    def _one_by_one(self, pictures: np.ndarray, quality: int) -> tuple[float, float, str]:
        total, again = 0, []
        for picture in pictures:
            size, back = _coded(picture, quality, optimize=False)
            total += size - _header(quality, self._side)
            again.append(back.reshape(-1))
        return 8 * total / len(pictures), self._error(np.array(again)), "one by one"

    def _error(self, again: np.ndarray) -> float:
        levels = np.rint(again / self._times)
        return float(np.sqrt(((levels - self._test[: len(levels)]) ** 2).mean()))


def _coded(picture: np.ndarray, quality: int, *, optimize: bool) -> tuple[int, np.ndarray]:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, optimize=optimize)
    return len(file.getvalue()), np.asarray(Image.open(file))


@functools.cache
def _header(quality: int, side: int) -> int:
    """Bytes before the coded picture, and the two of the end."""
    from PIL import Image

    file = io.BytesIO()
    flat = np.zeros((side, side), np.uint8)
    Image.fromarray(flat).save(file, "JPEG", quality=quality)
    content = file.getvalue()
    scan = content.index(b"\xff\xda")
    return scan + 2 + int.from_bytes(content[scan + 2 : scan + 4], "big") + 2


def without_loss(test: np.ndarray) -> dict[str, float]:
    """Bits an image of lossless coders, for scale."""
    size = len(lzma.compress(test.tobytes(), preset=9 | lzma.PRESET_EXTREME))
    return {"xz": 8 * size / len(test)}
