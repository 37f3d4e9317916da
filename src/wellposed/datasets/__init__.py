r"""Data: readers, the digits of scikit-learn, checked downloads, synthetic data of known truth.

:func:`read` opens every format; the path determines the reader.

==================== ======================================================================
path                 rule
==================== ======================================================================
``.npy``             one array, in its own type
``.npz``             the only array in it, or the one called ``X``, ``x`` or ``data``, or
                     ``path.npz:name``; rows stored as ``data``, ``indices``, ``indptr`` and
                     ``shape`` (as by ``scipy.sparse.save_npz``) become dense, and an array
                     ``genes`` or ``feature_names`` names their columns
text                 ``.csv``, ``.tsv``, ``.txt``, ``.data``, ``.dat`` and any other suffix whose
                     content is a table of numbers, ``.gz`` or not; float64
``.parquet``         all columns, their types promoted to one; nulls become NaN; pandas'
                     index is left out; needs the extra ``data``
IDX                  ``.idx``, ``…-idx3-ubyte`` and the like, ``.gz`` or not, all six types
folder               its images sorted by name (so pad numbers with zeros), 8-bit grey or
                     RGB, one size unless ``size`` is given; hidden files and folders within
                     are left out; EXIF rotation is not applied; needs the extra ``data``
==================== ======================================================================

**Text.** Cells are separated by ``,``, ``;``, tab, ``|`` or whitespace: the separator for which the
first lines are a table of numbers. Numbers have a decimal point, or a decimal comma where no cell
contradicts it; thousands separators are ignored, and true and false, in any case, are 1 and 0.
A line that begins with ``#`` is a comment. A line of units below the header is left out with a
warning. A delimiter that ends each line adds no column.

The first line is a header if it contains words and no numbers, or a word above a number; or if it
contains sorted whole numbers that cannot be data: far from every row below, or above fractions
only. If this is uncertain, the line is data, with a warning.

**Missing entries** become NaN, and their rows are kept: cells that are empty or contain
``NA``, ``N/A``, ``NaN``, ``null``, ``none``, ``?``, ``-``, ``.`` or an error of a spreadsheet such
as ``#N/A``; nulls of parquet; in a table of one column, each blank line below the header. ``fit``
refuses NaN unless ``missing="ignorable"``.

**Memory.** The size that a file declares (the shape of a .npy, .npz or IDX file, the rows of a
parquet file, the pixels of an image) is compared with the bytes in the file, and with the memory of
the machine, before memory is allocated. No reader unpacks more than is declared, and all take at
most 64 MiB beyond the table that they return. Two need more: sparse rows are in memory beside the
dense table, and an image of more than 2²³ pixels, read only with ``size`` and up to 2²⁷, takes four
bytes a pixel while it is resized. Text declares no size: it is read line by line, with fewer than
2²³ characters and at most 2¹⁹ columns in a line.
"""

from ._amputation import hide_at_random, hide_completely_at_random, hide_not_at_random
from ._blobs import BlobImages, blob_images
from ._catalogue import DATASETS
from ._dataset import Dataset, RemoteFile
from ._digits import load_digits
from ._fetch import cache_dir, fetch
from ._load import Splits, load
from ._read import read, read_labels
from ._source import Source
from ._synthetic import LinearGaussian, linear_gaussian

__all__ = [
    "DATASETS",
    "BlobImages",
    "Dataset",
    "LinearGaussian",
    "RemoteFile",
    "Source",
    "Splits",
    "blob_images",
    "cache_dir",
    "fetch",
    "hide_at_random",
    "hide_completely_at_random",
    "hide_not_at_random",
    "linear_gaussian",
    "load",
    "load_digits",
    "read",
    "read_labels",
]


def __dir__() -> list[str]:
    return sorted(__all__)
