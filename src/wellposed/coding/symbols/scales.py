"""Scales of noise as integers."""

import dataclasses
from typing import Any

import numpy as np

from ..integer import curve
from ..logs import RAW_BITS

SCALE_BITS = 16  # fractional bits of scales
RATE_BITS = 24  # of one over a scale
_FAR = 40  # raw scales beyond are as this one


@dataclasses.dataclass(frozen=True)
class ScaleRule:
    """Scales f + s g(raw), in 2^-16; f alone where the noise's scale is no function of z.

    Parameters
    ----------
    floor : f, int64, shape (d,), 2^-16
    times : s, int64, shape (d,), 2^-16; None without dependence on z
    growth : g by its name in :mod:`~wellposed.coding.integer.decimals`
    most : raw numbers beyond are as this one
    """

    floor: np.ndarray
    times: np.ndarray | None = None
    growth: str = "positive"
    most: int = _FAR

    def scales(self, raw: np.ndarray | None, at: Any) -> np.ndarray:
        """Return the scales of some features, whole numbers in float64.

        Parameters
        ----------
        raw : of these features, shape (…, d', m), 2^-10
        at : positions of these features

        Returns
        -------
        of the shape of raw, or (d', 1) without dependence on z
        """
        floor = self.floor[at, None].astype(np.float64)
        if self.times is None or raw is None:
            return np.maximum(floor, 1.0)
        growth = curve(self.growth, -_FAR, self.most, scale=2**SCALE_BITS)(raw, bits=RAW_BITS)
        growth *= self.times[at, None] * 2.0**-SCALE_BITS
        growth += floor
        return np.maximum(np.floor(growth, out=growth), 1.0, out=growth)

    def state(self) -> dict[str, Any]:
        """Return what the rule is made of."""
        return {"floor": self.floor, "times": self.times, "growth": self.growth, "most": self.most}


def rates(scales: np.ndarray) -> np.ndarray:
    """Return one over each scale, whole numbers of 2^-24."""
    rate = 2.0 ** (SCALE_BITS + RATE_BITS) / scales
    return np.floor(rate, out=rate)
