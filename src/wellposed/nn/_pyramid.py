"""Sizes and padding of the grids of a convolutional network, and their checks."""

import dataclasses
import math

from wellposed._checks import check_sizes
from wellposed._errors import SettingError

_CHANNELS = (32, 64, 128, 256)


@dataclasses.dataclass(frozen=True)
class Pyramid:
    """Grids of halving sides, from a padded image down; frozen, so that it hashes."""

    image_shape: tuple[int, int, int]  # H, W, C
    channels: tuple[int, ...]  # of each grid below the image, finest first

    @property
    def _stride(self) -> int:
        return 2 ** len(self.channels)

    @property
    def coarse_shape(self) -> tuple[int, int, int]:
        """Shape of the last grid."""
        height, width, _ = self.image_shape
        return -(-height // self._stride), -(-width // self._stride), self.channels[-1]

    @property
    def n_coarse(self) -> int:
        """Numbers in the last grid."""
        return math.prod(self.coarse_shape)

    @property
    def padding(self) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """Zeros before and after each axis that make the sides multiples of the stride."""
        sides = zip(self.image_shape[:2], self.coarse_shape[:2], strict=True)
        extra = [coarse * self._stride - side for side, coarse in sides]
        rows, columns = [(e // 2, e - e // 2) for e in extra]
        return rows, columns, (0, 0)

    def pairs(self, finest: int) -> list[tuple[int, int]]:
        """Channels above and below each layer, given those of the image."""
        above = (finest, *self.channels[:-1])
        return list(zip(above, self.channels, strict=True))

    def multiple_of_features(self, what: str, n: int) -> int:
        """Return n / (H W C), or raise :class:`SettingError` when it is not whole."""
        d = math.prod(self.image_shape)
        if n % d or n < d:
            raise SettingError(
                f"With image_shape={self.image_shape} the {what} must have a multiple of {d} "
                f"numbers; got {n}. Give image_shape=(height, width) or (height, width, channels) "
                "whose product is the number of features."
            )
        return n // d


def check_image_shape(shape: object) -> tuple[int, int, int]:
    """Return ``(H, W, C)``, or raise :class:`SettingError`."""
    remedy = "Pass (height, width) or (height, width, channels)."
    height, width, *channels = check_sizes("image_shape", shape, remedy, least=2, most=3)
    return height, width, channels[0] if channels else 1


def plan_pyramid(image_shape: tuple[int, ...], channels: tuple[int, ...] | None) -> Pyramid:
    """Choose the layers, or check the given ones against the image's shorter side."""
    height, width, depth = image_shape
    side = min(height, width)
    most = int(math.log2(side))
    if most < 2:
        raise SettingError(
            f"Convolutions need images of at least 4 x 4 pixels; got {height} x {width}. "
            'Use "mlp" for features that lie along a line.'
        )
    if channels is None:
        # Halve until a side has about four cells: the power of two nearest to side / 4.
        layers = max(1, min(len(_CHANNELS), round(math.log2(side / 4))))
        channels = _CHANNELS[:layers]
    if not 1 <= len(channels) <= most:
        raise SettingError(
            f"Each layer halves the image, so {height} x {width} pixels allow 1 to {most} layers; "
            f"got channels={channels}. Pass at most {most} numbers of channels."
        )
    return Pyramid((height, width, depth), channels)
