"""The container of compressed rows, ``.wpz``: a header, blocks with a checksum each, an index.

docs/compression.md describes it byte by byte.
"""

from .header import ARRAY, PANDAS, POLARS, Header
from .modelled import Modelled
from .read import NeedsModel, Reader
from .sections import Group
from .write import Writer

__all__ = [
    "ARRAY",
    "PANDAS",
    "POLARS",
    "Group",
    "Header",
    "Modelled",
    "NeedsModel",
    "Reader",
    "Writer",
]


def __dir__() -> list[str]:
    return sorted(__all__)
