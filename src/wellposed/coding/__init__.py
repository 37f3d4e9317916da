"""Compression: the integer twin of a model, and coding of rows by it.

:func:`integer_model` rounds a trained VAE to whole numbers. The codec that it returns turns rows
of symbols to bytes and back, exactly, by the arithmetic of integers alone.
"""

from .bits_back import BitsBackCodec
from .build import integer_model
from .protocol import Rate, RowCodec
from .read import row_codec_from_bytes

__all__ = [
    "BitsBackCodec",
    "Rate",
    "RowCodec",
    "integer_model",
    "row_codec_from_bytes",
]


def __dir__() -> list[str]:
    return sorted(__all__)
