"""``compress`` and ``decompress``."""

import io
from typing import Any, Literal

import numpy as np

from wellposed._errors import SettingError
from wellposed.coding.container import Reader

from .._words import Frame, Progress
from .files import compress_into, rows_of
from .models import Codable


def compress(
    model: Codable | None,
    X: np.ndarray | Frame,
    *,
    include_model: bool = False,
    block_rows: int | None = None,
    progress: Progress = "auto",
) -> bytes:
    """Compress rows without loss: every bit comes back, by whole numbers alone.

    Blocks of rows are coded each by itself. A block is coded by the model, by bits-back coding, or
    where that takes fewer bytes by LZMA2 or bzip2, or is stored; an array never takes more than its
    own bytes and 64, and a frame than its cells, its description, 64, and 10 for each type of
    column. Rows and cells that the model cannot code are apart, and exact too.

    Parameters
    ----------
    model : fitted :class:`wellposed.VAE` or other estimator with a VAE, a
        :class:`wellposed.coding.RowCodec`, or None for no model
    X : array of integers, floating numbers or truth values, of shape (n, ...), or frame of pandas
        or polars. Rows have the features of the model, in the same units
    include_model : put the model into the file, so that it opens by itself; its bytes count
    block_rows : rows a block; None takes as many as have 8 MiB
    progress : whether to show a bar

    Returns
    -------
    the bytes of a ``.wpz`` file

    Raises
    ------
    DataError
        If X is another container, or has other features than the model.
    SettingError
        If the model cannot be coded with.

    Notes
    -----
    docs/compression.md describes the file byte by byte.

    References: Townsend, Bird & Barber (2019).

    Examples
    --------
    >>> X = np.arange(2000).reshape(500, 4) % 7
    >>> data = compress(None, X)
    >>> len(data) < X.nbytes / 20, np.array_equal(decompress(data), X)
    (True, True)
    """
    file = io.BytesIO()
    compress_into(
        file, model, X, include_model=include_model, block_rows=block_rows, progress=progress
    )
    return file.getvalue()


def decompress(
    data: bytes,
    model: Codable | None = None,
    *,
    errors: Literal["raise", "skip"] = "raise",
    progress: Progress = "auto",
) -> Any:
    """Return the rows that :func:`compress` was given: the same container, types and bits.

    Parameters
    ----------
    data : the bytes of a ``.wpz`` file
    model : the same as in :func:`compress`; not needed if the file was written without one or has
        it inside
    errors : of damaged blocks: "raise", or "skip" to return the rows of the others, with a
        :class:`wellposed.DamageWarning` that lists the rows that are lost
    progress : whether to show a bar

    Returns
    -------
    array or frame

    Raises
    ------
    DamagedFileError
        If a byte of the file differs from what was written; the message names the block.
    SettingError
        If the file needs a model that was not given, or another one than was given.

    Examples
    --------
    >>> decompress(compress(None, np.array([[1.5, np.nan], [-0.0, 2.25]])))
    array([[ 1.5 ,   nan],
           [-0.  ,  2.25]])
    """
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise SettingError(
            f"decompress takes the bytes of a .wpz file; got a {type(data).__name__}. Pass "
            "Path(...).read_bytes()."
        )
    return rows_of(Reader(bytes(data)), model, errors=errors, progress=progress)
