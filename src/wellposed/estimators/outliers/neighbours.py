"""Distances of rows to the nearest rows of the fit."""

import numpy as np

from .tail import blocks

_SPARE = 8  # candidates beyond the neighbours, whose distances are computed without rounding


def distances(rows: np.ndarray, known: np.ndarray, n_neighbours: int) -> np.ndarray:
    """Return the distances of each row to its nearest known rows, rising: (n, neighbours).

    Parameters
    ----------
    rows : array of shape (n, d)
    known : array of shape (m, d)
    n_neighbours : at most m

    Examples
    --------
    >>> distances(np.zeros((1, 2)), np.array([[3.0, 4.0], [1.0, 0.0]]), 2).tolist()
    [[1.0, 5.0]]
    """
    squares = np.square(known).sum(axis=1)
    candidates = min(len(known), n_neighbours + _SPARE)
    found = []
    for block, n in blocks(rows):
        rough = squares - 2.0 * (block @ known.T)
        chosen = np.argpartition(rough, candidates - 1, axis=1)[:n, :candidates]
        # The rounding of the squares of far rows exceeds their distance from each other.
        exact = np.square(block[:n, None, :] - known[chosen]).sum(axis=2)
        found.append(np.sqrt(np.sort(exact, axis=1)[:, :n_neighbours]))
    return np.concatenate(found)
