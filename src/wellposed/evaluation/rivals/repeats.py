"""Held-out rows that are training rows as well."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from .._rows import subsample

_SOME = 1_000  # training rows whose repeats are counted
_ERRORS = 3.0  # standard errors beyond which rows are not repeats by chance


def shared_rows(rows: np.ndarray, train: np.ndarray) -> int:
    """Count rows that equal a training row, if they are more than chance makes them.

    In a table of levels or rounded numbers rows repeat by chance. Rows drawn like those of the
    training equal one of them as often as a training row equals another, so that a count within
    three standard errors of that share is taken for chance.

    Parameters
    ----------
    rows : shape (n, t), held-out rows
    train : shape (m, t), training rows

    Returns
    -------
    the number of rows, from 0 to n; 0 if chance explains it
    """
    held, some = [*_contents(rows)], [*_contents(subsample(train, _SOME))]
    wanted = {*held, *some}
    seen = Counter(content for content in _contents(train) if content in wanted)
    n_shared = sum(content in seen for content in held)
    repeated = sum(seen[content] > 1 for content in some)
    share = (repeated + 1) / (len(some) + 1)
    error = np.sqrt(share * (1 - share) / len(held))
    return n_shared if n_shared > len(held) * (share + _ERRORS * error) else 0


def _contents(rows: np.ndarray) -> Iterator[bytes]:
    """Yield the bytes of each row as float64; adding zero turns −0 into 0."""
    return ((row.astype(np.float64) + 0.0).tobytes() for row in rows)
