"""Scores of several kinds on one scale: how rare they are among reference rows."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from wellposed._budget import slices

_ROWS = 256
_TAIL = 0.1  # share of the reference rows in the tail
_SMALLEST = 1e-12


@dataclasses.dataclass(frozen=True, eq=False)
class Tail:
    r"""Minus the log of the share of reference rows that have a higher score.

    The share is counted up to the score t that a tenth of the rows exceed. Beyond, it falls
    exponentially, with the mean excess over t; so it differs between all scores.

    Parameters
    ----------
    scores : of the reference rows, rising, shape (r,), larger for outliers
    """

    scores: np.ndarray

    def __call__(self, surprise: np.ndarray) -> np.ndarray:
        s, r = self.scores, len(self.scores)
        t = s[max(0, r - 1 - max(1, round(_TAIL * r)))]
        excess = s[s > t] - t
        spread = float(excess.mean()) if len(excess) else float(s.std())
        above = r - np.searchsorted(s, np.minimum(surprise, t), side="left")
        beyond = np.maximum(surprise - t, 0.0) / max(spread, _SMALLEST)
        return -np.log((above + 0.5) / (r + 1.0)) + beyond


def blocks(rows: np.ndarray) -> Iterator[tuple[np.ndarray, int]]:
    """Yield blocks of 256 rows and the number of rows in each; the last is padded.

    A product of matrices of one shape gives a row one result, whatever rows it comes with.
    """
    for part in slices(len(rows), _ROWS):
        piece = rows[part]
        filler = np.repeat(piece[:1], _ROWS - len(piece), axis=0)
        yield np.concatenate([piece, filler]), len(piece)
