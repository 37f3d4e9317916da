"""Location and scale of a column that a few far values do not move."""

import numpy as np

# Shares of the data in the middle, and the width in which a standard normal has them.
_RANGES = ((0.5, 1.34898), (0.9, 3.28971), (0.98, 4.65270))


def median_and_spread(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median and spread of each column of rows, both of shape (d,), in float64.

    The spread is the width of the middle half of the values over that of a standard normal. Where
    half of them are one value it is that of the middle 90 %, and then 98 %; zero where these are
    one value too.
    """
    levels = [0.5, *(0.5 * (1 + side * share) for share, _ in _RANGES for side in (-1, 1))]
    median, *ends = np.quantile(np.asarray(rows, np.float64), levels, axis=0)
    spread = np.zeros_like(median)
    for (_, normal), low, high in zip(_RANGES, ends[::2], ends[1::2], strict=True):
        spread = np.where(spread > 0, spread, (high - low) / normal)
    return median, spread
