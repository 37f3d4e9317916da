"""Distances of rows to the nearest rows of the fit."""

import numpy as np

from .tail import blocks

_SPARE = 8  # candidates beyond the neighbours, whose distances are computed without rounding


def distances(
    rows: np.ndarray, known: np.ndarray, n_neighbours: int, *, distinct: bool = False
) -> np.ndarray:
    """Return the distances of each row to its nearest known rows, rising: (n, neighbours).

    Parameters
    ----------
    rows : array of shape (n, d)
    known : array of shape (m, d)
    n_neighbours : at most m
    distinct : whether known rows equal to a row are no neighbours of it; where too few others are
        left, the last distance is repeated

    Examples
    --------
    >>> distances(np.zeros((1, 2)), np.array([[3.0, 4.0], [1.0, 0.0]]), 2).tolist()
    [[1.0, 5.0]]
    """
    squares = np.square(known).sum(axis=1)
    candidates = min(len(known), n_neighbours + _SPARE)
    equal = _places(known) if distinct else {}
    found = []
    for block, n in blocks(rows):
        rough = squares - 2.0 * (block @ known.T)
        own = [equal.get(row.tobytes(), ()) for row in block + 0.0] if distinct else []
        for i, places in enumerate(own):
            rough[i, places] = np.inf
        chosen = np.argpartition(rough, candidates - 1, axis=1)[:n, :candidates]
        # The rounding of the squares of far rows exceeds their distance from each other.
        exact = np.square(block[:n, None, :] - known[chosen]).sum(axis=2)
        if distinct:
            exact[np.isinf(np.take_along_axis(rough[:n], chosen, axis=1))] = np.inf
        nearest = np.sort(exact, axis=1)[:, :n_neighbours]
        left = np.where(np.isfinite(nearest), nearest, 0.0).max(axis=1, keepdims=True)
        found.append(np.sqrt(np.where(np.isfinite(nearest), nearest, left)))
    return np.concatenate(found)


def _places(known: np.ndarray) -> dict[bytes, np.ndarray]:
    """Return the places of the known rows with each content; adding zero turns −0 into 0."""
    found: dict[bytes, list[int]] = {}
    for i, row in enumerate(known + 0.0):
        found.setdefault(row.tobytes(), []).append(i)
    return {content: np.array(places) for content, places in found.items()}
