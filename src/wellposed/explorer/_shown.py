"""From data to the bytes that the page paints."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from wellposed._text import visible


@dataclasses.dataclass(frozen=True, eq=False)
class Pictures:
    """Images as bytes: grey ones with high values dark, as everywhere in the library."""

    shape: tuple[int, int, int]  # height, width, and 1 or 3 channels
    low: float
    high: float

    def packed(self, rows: np.ndarray) -> bytes:
        """Pack rows of shape (m, d), data units, to a byte a value."""
        span = self.high - self.low if self.high > self.low else 1.0
        share = np.clip((np.asarray(rows, np.float64) - self.low) / span, 0.0, 1.0)
        share = np.nan_to_num(share)  # NaN is painted as a low value
        if self.shape[2] == 1:
            share = 1.0 - share
        return np.round(255.0 * share).astype(np.uint8).tobytes()

    def facts(self) -> dict:
        """Return the size of an image, for the page."""
        height, width, channels = self.shape
        return {"kind": "pictures", "height": height, "width": width, "channels": channels}


@dataclasses.dataclass(frozen=True, eq=False)
class Features:
    """Rows of a table as numbers, with the range that each feature is drawn over."""

    names: Sequence[str]
    low: np.ndarray  # (d,)
    high: np.ndarray  # (d,)

    def packed(self, rows: np.ndarray) -> bytes:
        """Pack rows of shape (m, d), data units, to four bytes a value, the lowest first."""
        return np.asarray(rows).astype("<f4").tobytes()

    def facts(self) -> dict:
        """Return names and ranges of the features, for the page."""
        return {
            "kind": "features",
            "names": [visible(name) for name in self.names],
            "low": self.low.astype(float).tolist(),
            "high": self.high.astype(float).tolist(),
        }


def image_of(shape: Sequence[int] | None) -> tuple[int, int, int] | None:
    """Height, width and channels of what can be painted; None for tables and other channels."""
    if shape is None or len(shape) not in (2, 3):
        return None
    height, width, channels = (*map(int, shape), 1)[:3]
    return (height, width, channels) if channels in (1, 3) else None
