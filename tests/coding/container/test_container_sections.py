"""Sections of cells: every order and method gives the bits back."""

import numpy as np
import pytest

from wellposed._errors import DamagedFileError
from wellposed.coding.container import Group, arrangements, methods, sections, steps
from wellposed.coding.container.varint import Cursor, pack_number

TYPES = ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")


def any_bits(dtype, shape, seed=0):
    """Cells of random bits, which for floating types include NaN with payloads."""
    rng = np.random.default_rng(seed)
    if dtype == "?":
        return rng.random(shape) < 0.5
    size = int(np.prod(shape))
    return np.frombuffer(rng.bytes(size * np.dtype(dtype).itemsize), f"<{dtype}").reshape(shape)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("order", range(4))
@pytest.mark.parametrize("shape", [(1, 1), (9, 4)])
def test_every_order_gives_the_bits_back(dtype, order, shape):
    cells = any_bits(dtype, shape)
    codes = np.arange(shape[1], dtype=np.uint8) if cells.dtype.kind == "f" else None
    if codes is not None:
        codes[-1] = steps.BITS
    content = arrangements.arrange(cells, order, codes)
    again = arrangements.restore(content, order, shape, cells.dtype)
    low, high = arrangements.size_limit(order, shape, cells.dtype)
    assert again.tobytes() == cells.tobytes()
    assert again.dtype == cells.dtype
    assert low <= len(content) <= high


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (1, 1), (60, 3)])
def test_a_section_gives_the_bits_back(dtype, shape):
    cells = any_bits(dtype, shape)
    cursor = Cursor(sections.pack_section(cells))
    again = sections.read_section(cursor, len(cells), Group(cells.dtype, shape[1]))
    cursor.end()
    assert again.tobytes() == cells.tobytes()


@pytest.mark.parametrize("method", [methods.STORED, methods.LZMA, methods.BZIP2])
@pytest.mark.parametrize("content", [b"", b"a", b"ab" * 5000, bytes(range(256)) * 40])
def test_every_method_gives_the_bytes_back(method, content):
    packed = methods.pack(method, content)
    assert bytes(methods.unpack(method, packed, len(content))) == content
    for size in (len(content) - 1, len(content) + 1):
        if size >= 0:
            with pytest.raises(DamagedFileError):
                methods.unpack(method, packed, size)


def test_a_bomb_is_not_unpacked_beyond_its_size():
    bomb = methods.pack(methods.LZMA, bytes(1 << 24))
    with pytest.raises(DamagedFileError):
        methods.unpack(methods.LZMA, bomb, 1000)


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**32, 2**63 - 1])
def test_numbers_come_back(value):
    cursor = Cursor(pack_number(value))
    assert cursor.number() == value
    cursor.end()


@pytest.mark.parametrize("content", [b"", b"\x80", b"\x80\x00", b"\xff" * 9 + b"\x01"])
def test_a_number_has_one_form(content):
    with pytest.raises(DamagedFileError):
        Cursor(content).number()


def test_decimal_tables_take_less_than_their_text():
    rng = np.random.default_rng(0)
    cells = np.round(rng.normal(20, 5, (4000, 3)), 2)
    text = "\n".join(" ".join(map(str, row)) for row in cells.tolist()).encode()
    assert len(sections.pack_section(cells)) < 0.8 * len(methods.pack(methods.LZMA, text))
