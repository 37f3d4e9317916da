"""Compression: the integer twin of a model, and coding of rows by it.

:func:`integer_model` rounds a trained VAE to whole numbers. The codec that it returns turns rows
of symbols to bytes and back, exactly, by the arithmetic of integers alone.
"""

import importlib

from .bits_back import BitsBackCodec
from .protocol import Rate, RowCodec
from .read import row_codec_from_bytes

__all__ = [
    "BitsBackCodec",
    "Rate",
    "RowCodec",
    "integer_model",
    "row_codec_from_bytes",
]


def __getattr__(name: str) -> object:
    if name == "integer_model":  # needs JAX, which decoding does not
        return importlib.import_module("wellposed.coding.build").integer_model
    raise AttributeError(f"module 'wellposed.coding' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
