"""``compress`` and ``decompress``."""

import io
from typing import Any, Literal

import numpy as np

from wellposed._errors import SettingError
from wellposed.coding.container import Reader

from .._words import Frame, Progress
from .files import compress_into, rows_of
from .lossy import Target
from .models import Codable


def compress(
    model: Codable | None,
    X: np.ndarray | Frame,
    *,
    include_model: bool = False,
    block_rows: int | None = None,
    target_bits: float | None = None,
    target_rmse: float | None = None,
    keep_residual: bool = False,
    progress: Progress = "auto",
) -> bytes:
    """Compress rows, without loss unless a target is given: by whole numbers alone.

    A block of rows is coded by the model, by bits-back coding, or where that takes fewer bytes by
    LZMA2 or bzip2, or is stored: an array takes at most its own bytes and 64. With a target the
    latents are quantised, and the model's columns come back as its reconstruction. Everything else
    is exact: other columns, missing marks, covariates, rows and cells that it cannot code.

    Parameters
    ----------
    model : fitted :class:`wellposed.VAE` or other estimator with a VAE, a
        :class:`wellposed.coding.RowCodec`, or None for no model
    X : array of integers, floating numbers or truth values, of shape (n, ...), or frame of pandas
        or polars. Rows have the features of the model, in the same units
    include_model : put the model into the file, so that it opens by itself; its bytes count
    block_rows : rows a block; None takes as many as have 8 MiB
    target_bits : bits of the quantised latents of a row, on average
    target_rmse : root mean squared error of the cells that the model codes, in the units of X
    keep_residual : with a target: keep what the reconstruction lacks, so that X comes back
    progress : whether to show a bar

    Returns
    -------
    the bytes of a ``.wpz`` file; docs/how-to/compression.md describes it

    Raises
    ------
    DataError
        If X is another container, or has other features than the model.
    SettingError
        If the model cannot be coded with, or a target is out of reach; the message has the range.

    References: Townsend, Bird & Barber (2019).

    Examples
    --------
    >>> X = np.arange(2000).reshape(500, 4) % 7
    >>> data = compress(None, X)
    >>> len(data) < X.nbytes / 20, np.array_equal(decompress(data), X)
    (True, True)
    """
    file, target = io.BytesIO(), Target(target_bits, target_rmse, keep_residual)
    settings: Any = {"include_model": include_model, "block_rows": block_rows}
    compress_into(file, model, X, target=target, progress=progress, **settings)
    return file.getvalue()


def decompress(
    data: bytes,
    model: Codable | None = None,
    *,
    errors: Literal["raise", "skip"] = "raise",
    residual: bool = True,
    progress: Progress = "auto",
) -> Any:
    """Return the rows that :func:`compress` was given: the same container, types and bits.

    Of a file with a target, the columns of the model are its reconstruction.

    Parameters
    ----------
    data : the bytes of a ``.wpz`` file
    model : the same as in :func:`compress`; not needed if the file was written without one or has
        it inside
    errors : of damaged blocks: "raise", or "skip" to return the rows of the others, with a
        :class:`wellposed.DamageWarning` that lists the rows that are lost
    residual : whether the residual is added, where a file with a target has it; False returns the
        reconstruction
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
    reader = Reader(bytes(data))
    return rows_of(reader, model, errors=errors, residual=residual, progress=progress)
