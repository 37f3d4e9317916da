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

from ._identity import check_same as check_same
from ._open import open_source
from ._order import Order
from ._order import chunk_rows_of as chunk_rows_of
from ._permutation import Permutation
from ._pieces import Piece as Piece
from ._pieces import Reader
from ._pieces import SlicedRows as SlicedRows
from ._pieces import in_order as in_order
from ._source import BlockSource
from ._source import check_some as check_some
from ._statistics import Description as Description
from ._statistics import Sampled, describe
from ._statistics import chunks_in_order as chunks_in_order
from ._statistics import n_chunks_in_order as n_chunks_in_order
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
    "ImageFolderSource",
    "NpySource",
    "Order",
    "Permutation",
    "Reader",
    "Sampled",
    "TarSource",
    "ZarrSource",
    "ahead",
    "describe",
    "open_source",
]


def __dir__() -> list[str]:
    return sorted(__all__)
