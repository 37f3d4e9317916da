r"""Numbers as whole multiples of a short step, bit for bit.

A column has the *step* 1/q if its numbers are k ÷ q, one division of IEEE double precision, for
whole numbers k below 2^53. For q = 10^e, e ≤ 22, that is the double nearest to the decimal number
k·10^(−e), which is what reading its text gives. A column of single or half precision is rounded to
it after the division.
"""

import numpy as np

# The position in this tuple is the code of a step in files: append, never reorder.
DIVISORS = (*(10**e for e in range(16)), 255, 65535, 256, 65536, 2**24, 2**32)
# In this order a column tries them: the first that fits is its step.
_ORDER = (0, 1, 2, 3, 16, 4, 18, 5, 6, 17, 19, 7, 8, 9, 20, 10, 11, 12, 21, 13, 14, 15)
BITS = 255  # the code of a column without a step, whose numbers are the bits themselves
_EXACT = 2.0**53
_SHARE = 0.95  # of the finite numbers of a column that its step must give
_LOOK = 512  # numbers of a column that are tried first


def bits_of(values: np.ndarray) -> np.ndarray:
    """View numbers as unsigned whole numbers of the same size."""
    return np.ascontiguousarray(values).view(f"u{values.dtype.itemsize}")


def multiples(values: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the whole multiples of the columns' steps, and which numbers they do not give.

    Parameters
    ----------
    values : array of shape (n, d), floating
    codes : array of shape (d,), positions in ``DIVISORS``

    Returns
    -------
    int64 array and bool array of shape (n, d); a number that no multiple gives has the multiple 0
    """
    divisors = _divisors(codes)
    with np.errstate(all="ignore"):
        scaled = np.rint(values.astype(np.float64) * divisors)
        fits = np.abs(scaled) < _EXACT  # false for NaN
        whole = np.where(fits, scaled, 0.0) + 0.0  # −0.0, which no whole number is, becomes 0.0
        again = (whole / divisors).astype(values.dtype)
    fits &= bits_of(again) == bits_of(values)
    return np.where(fits, whole, 0.0).astype(np.int64), ~fits


def numbers(whole: np.ndarray, codes: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return k ÷ q for whole numbers k of shape (n, d) and columns of given steps."""
    with np.errstate(all="ignore"):
        return (whole.astype(np.float64) / _divisors(codes)).astype(dtype)


def find_steps(values: np.ndarray) -> np.ndarray:
    """Find the longest of the known steps that each column has; ``BITS`` where none fits.

    Parameters
    ----------
    values : array of shape (n, d), floating

    Returns
    -------
    array of shape (d,), uint8

    Examples
    --------
    >>> codes = find_steps(np.array([[0.25, 1 / 3], [1.5, 2.0], [3.75, np.pi]]))
    >>> DIVISORS[codes[0]], int(codes[1]) == BITS
    (100, True)
    """
    d = values.shape[1]
    codes = np.full(d, BITS, np.uint8)
    finite = np.isfinite(values)
    open_ = np.flatnonzero(finite.any(axis=0))
    most = 2.0 ** min(48, np.finfo(values.dtype).nmant + 4)  # beyond, the bits are no longer
    stride = max(1, len(values) // _LOOK)
    for code in _ORDER:
        if not open_.size:
            break
        fitting = open_
        for rows in (slice(None, None, stride), slice(None)):
            part = values[rows, fitting]
            whole, off = multiples(part, np.full(len(fitting), code, np.uint8))
            n_finite = finite[rows, fitting].sum(axis=0)
            inside = ((~off).sum(axis=0) >= _SHARE * n_finite) & (n_finite > 0)
            inside &= np.ptp(whole, axis=0) <= most
            fitting = fitting[inside]
            if not fitting.size:
                break
        codes[fitting] = code
        open_ = np.setdiff1d(open_, fitting)
    return codes


def _divisors(codes: np.ndarray) -> np.ndarray:
    return np.array(DIVISORS, np.float64)[codes]
