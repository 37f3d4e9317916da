"""How long a row is when it is coded without a model: a simple image has few bits."""

import numpy as np
from scipy.special import gammaln

from wellposed._budget import slices
from wellposed._errors import DataError

_LEVELS = 256
_HALF = 0.5  # of a count, added to each level
_ROWS = 1_024


def code_length(rows: np.ndarray) -> np.ndarray:
    r"""Return the length of the adaptive code of each row's differences, in nats, shape (n,).

    A row of levels from 0 to 255 becomes the differences of each from the one before, modulo 256.
    Each difference s is coded with the probability of Krichevsky & Trofimov,

    .. math:: p(s) = \frac{n_s + 1/2}{n + 128},

    where n_s of the n differences before it are s. The product over the row has a closed form,
    so that a length depends on no compressor, and on nothing but the row.

    Parameters
    ----------
    rows : array of whole numbers from 0 to 255, shape (n, d)

    Raises
    ------
    DataError
        For other values.

    References: Krichevsky & Trofimov (1981), The performance of universal encoding.

    Examples
    --------
    A first difference has one of 256 values, and equal ones after it become cheap.

    >>> code_length(np.array([[0], [7]])).round(4).tolist()
    [5.5452, 5.5452]
    >>> bool(np.diff(code_length(np.array([[5] * 100, [5, 9] * 50]))) > 50)
    True
    """
    check_levels_of_bytes(rows)
    bytes_ = np.asarray(rows).astype(np.uint8)
    steps = np.diff(bytes_, axis=1, prepend=np.uint8(0))
    pieces = [_length(steps[part]) for part in slices(len(steps), _ROWS)]
    return np.concatenate(pieces) if pieces else np.empty(0)


def check_levels_of_bytes(rows: np.ndarray) -> None:
    """Raise :class:`DataError` unless all values are whole numbers from 0 to 255."""
    values = np.asarray(rows, np.float64)
    wrong = ~((values >= 0) & (values < _LEVELS) & (values == np.floor(values)))
    if wrong.any():
        raise DataError(
            'score="complexity" codes images, whose values must be whole numbers from 0 to 255; '
            f"got {values[wrong][0]:g}. Pass grey levels as they are, not divided by 255, or use "
            'score="ensemble".'
        )


def _length(steps: np.ndarray) -> np.ndarray:
    n, d = steps.shape
    of_row = _LEVELS * np.arange(n)[:, None]
    counts = np.bincount((of_row + steps).ravel(), minlength=_LEVELS * n).reshape(n, _LEVELS)
    all_levels = gammaln(d + _HALF * _LEVELS) - gammaln(_HALF * _LEVELS)
    return all_levels - (gammaln(counts + _HALF) - gammaln(_HALF)).sum(axis=1)
