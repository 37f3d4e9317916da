"""The container of compressed rows, ``.wpz``: a header, blocks with a checksum each, an index.

docs/how-to/compression.md describes it byte by byte.
"""

from .blocks import BY_MODEL, QUANTISED, coded_rows, pack_block, read_block
from .header import ARRAY, PANDAS, POLARS, QUANTISED_VERSION, Header
from .modelled import Modelled
from .read import NeedsModel, Reader
from .sections import Group
from .write import Writer

__all__ = [
    "ARRAY",
    "BY_MODEL",
    "PANDAS",
    "POLARS",
    "QUANTISED",
    "QUANTISED_VERSION",
    "Group",
    "Header",
    "Modelled",
    "NeedsModel",
    "Reader",
    "Writer",
    "coded_rows",
    "pack_block",
    "read_block",
]


def __dir__() -> list[str]:
    return sorted(__all__)
