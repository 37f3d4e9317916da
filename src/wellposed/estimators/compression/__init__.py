"""Compression of rows by a fitted model, and back."""

from .lossless import compress, decompress

__all__ = ["compress", "decompress"]
