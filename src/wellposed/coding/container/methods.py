"""The general coders: bytes as they are, LZMA2 and bzip2, all of the standard library.

zstd came to the standard library with Python 3.14, and its rates are behind those of LZMA2; a file
must open on every supported Python without a further package.
"""

import bz2
import lzma
from typing import Any

from wellposed._errors import DamagedFileError

STORED, LZMA, BZIP2 = 0, 1, 2
# What an encoder tries. LZMA2 has its settings in the stream: for bytes alike, and for records.
TRIED = ((LZMA, (4, 0)), (LZMA, (3, 4)), (BZIP2, None))
_WINDOW = 1 << 23  # bytes that LZMA2 looks back, and the memory of its decoder
_LEAST_WINDOW = 1 << 12


def pack(method: int, content: bytes, settings: tuple[int, int] | None = None) -> bytes:
    """Compress bytes by one method.

    Parameters
    ----------
    method : ``STORED``, ``LZMA`` or ``BZIP2``
    content : the bytes
    settings : of LZMA2: the bits of the byte before, and of the position, that it looks at
    """
    if method == STORED:
        return content
    if method == BZIP2:
        return bz2.compress(content, 9)
    window = min(_WINDOW, max(_LEAST_WINDOW, 1 << len(content).bit_length()))
    return lzma.compress(content, lzma.FORMAT_RAW, filters=_filters(window, settings or (4, 0)))


def unpack(method: int, packed: bytes | memoryview, size: int) -> bytes | memoryview:
    """Return the ``size`` bytes that were compressed; memory grows with them alone.

    Raises
    ------
    DamagedFileError
        If the method is unknown, or the bytes are not those of ``size`` bytes.
    """
    if method == STORED:
        if len(packed) != size:
            raise DamagedFileError(f"{size} bytes should be stored, and {len(packed)} are.")
        return packed
    if method not in (LZMA, BZIP2):
        raise DamagedFileError(f"the method {method} is unknown.")
    decoder: Any = bz2.BZ2Decompressor() if method == BZIP2 else _lzma_decoder()
    try:
        content = decoder.decompress(packed, max_length=size)
        if not decoder.eof:  # the end mark may follow the last byte
            content += decoder.decompress(b"", max_length=1)
    except (lzma.LZMAError, OSError, EOFError, ValueError) as error:
        raise DamagedFileError(f"the compressed bytes have no meaning ({error}).") from None
    if len(content) != size or not decoder.eof or decoder.unused_data:
        raise DamagedFileError(f"the compressed bytes do not hold {size} bytes.")
    return content


def _lzma_decoder() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_filters(_WINDOW))


def _filters(window: int, settings: tuple[int, int] = (4, 0)) -> list[dict[str, Any]]:
    bits = dict(zip(("lc", "pb"), settings, strict=True))
    search = {"nice_len": 273, "mf": lzma.MF_BT4, "mode": lzma.MODE_NORMAL, "depth": 0}
    return [{"id": lzma.FILTER_LZMA2, "dict_size": window, "lp": 0, **bits, **search}]
