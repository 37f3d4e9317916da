"""Which features are the neighbours of each: the places of a causal window, as numbers."""

import numpy as np


def neighbours(grid: tuple[int, int, int], size: int) -> np.ndarray:
    """Return the neighbours of each feature, counted from one; zero is an empty place.

    The order is that of :class:`wellposed.noise.causal.window.Window`: the pixels of the window in
    the rows above and to the left, channels last, then the channels before its own.

    Parameters
    ----------
    grid : (H, W, C)
    size : side of the window, odd

    Returns
    -------
    int64, shape (H·W·C, neighbours)

    Examples
    --------
    >>> neighbours((2, 3, 1), 3).tolist()[4]
    [1, 2, 3, 4]
    """
    height, width, channels = grid
    reach, above = size // 2, min(size // 2, height - 1)
    places = np.arange(1, height * width * channels + 1).reshape(grid)
    padded = np.pad(places, ((above, 0), (reach, reach), (0, 0)))
    before = [
        padded[y : y + height, x : x + width]
        for y, x in (divmod(place, size) for place in range(above * size + reach))
    ]
    shared = np.concatenate(before, axis=-1)[:, :, None, :]
    shared = np.broadcast_to(shared, (height, width, channels, shared.shape[-1]))
    earlier = [
        np.where(np.arange(channels) > c, places[..., c : c + 1], 0)[..., None]
        for c in range(channels - 1)
    ]
    joined = np.concatenate([shared, *earlier], axis=-1)
    return joined.reshape(height * width * channels, -1).astype(np.int64)
