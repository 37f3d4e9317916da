"""Data that do not fit in memory, read in blocks of rows.

A source has the number of its rows and features, their type, and a method that reads one block.
``fit``, ``partial_fit``, ``score_samples`` and ``transform`` of :class:`wellposed.VAE` take one.

==============================  ===============================================================
Source                          Reads
==============================  ===============================================================
:class:`NpySource`              a .npy file
:class:`ArrowSource`            Parquet files by row group, Arrow files by record batch
:class:`ZarrSource`             a Zarr array by chunks of rows
:class:`ImageFolderSource`      a folder of pictures
:class:`TarSource`              pictures in tar archives
:class:`ArraySource`            an array
:class:`ConcatenatedSource`     several sources as one
==============================  ===============================================================

:func:`open_source` returns the one for a path or a list. A class of your own derives from
:class:`BlockSource`.
"""

from ._identity import check_same
from ._open import open_source
from ._order import Order, chunk_rows_of
from ._permutation import Permutation
from ._pieces import Piece, Reader, in_order
from ._source import BlockSource, check_some
from ._statistics import Description, Sampled, chunks_in_order, describe, n_chunks_in_order
from ._stream import ahead
from .array import ArraySource
from .arrow import ArrowSource
from .concatenated import ConcatenatedSource
from .images import ImageFolderSource, TarSource
from .npy import NpySource
from .zarr import ZarrSource

__all__ = [
    "ArraySource",
    "ArrowSource",
    "BlockSource",
    "ConcatenatedSource",
    "Description",
    "ImageFolderSource",
    "NpySource",
    "Order",
    "Permutation",
    "Piece",
    "Reader",
    "Sampled",
    "TarSource",
    "ZarrSource",
    "ahead",
    "check_same",
    "check_some",
    "chunk_rows_of",
    "chunks_in_order",
    "describe",
    "in_order",
    "n_chunks_in_order",
    "open_source",
]


def __dir__() -> list[str]:
    return sorted(__all__)
