"""Training on rows that arrive chunk by chunk, and need not fit in memory."""

from .chunks import Chunks
from .fit import fit_chunks

__all__ = ["Chunks", "fit_chunks"]


def __dir__() -> list[str]:
    return sorted(__all__)
