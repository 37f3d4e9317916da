"""IDX against bytes written by hand from the format's description."""

import gzip
import struct

import numpy as np
import pytest

from wellposed._errors import DamagedFileError, DataError
from wellposed.datasets import read, read_labels

TYPES = {0x08: "B", 0x09: "b", 0x0B: "h", 0x0C: "i", 0x0D: "f", 0x0E: "d"}


def idx_bytes(code, shape, numbers):
    head = bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
    return head + struct.pack(f">{len(numbers)}{TYPES[code]}", *numbers)


@pytest.mark.parametrize("code", TYPES)
@pytest.mark.parametrize("packed", [False, True])
def test_every_type_is_read_in_native_byte_order(tmp_path, code, packed):
    body = idx_bytes(code, (2, 3), [0, 1, 2, 3, 100, 127])
    path = tmp_path / ("x.idx.gz" if packed else "x.idx")
    path.write_bytes(gzip.compress(body) if packed else body)
    source = read(path)
    np.testing.assert_array_equal(source.values, [[0, 1, 2], [3, 100, 127]])
    assert source.values.dtype == np.dtype(TYPES[code])
    assert source.values.dtype.isnative
    assert source.values.flags.writeable
    assert source.image_shape is None


@pytest.mark.parametrize(
    "name", ["train-images-idx3-ubyte", "train-images.idx3-ubyte", "a.idx3", "b.IDX", "c-ubyte.gz"]
)
def test_images_are_flattened_row_major(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(idx_bytes(8, (2, 2, 3), list(range(12))))
    source = read(path)
    assert source.image_shape == (2, 3)
    np.testing.assert_array_equal(source.values, np.arange(12).reshape(2, 6))
    np.testing.assert_array_equal(source.images, np.arange(12).reshape(2, 2, 3))


def test_a_gz_name_on_unpacked_bytes_is_read(tmp_path):
    path = tmp_path / "x-idx2-ubyte.gz"
    path.write_bytes(idx_bytes(8, (1, 2), [7, 8]))
    np.testing.assert_array_equal(read(path).values, [[7, 8]])


def test_labels_have_one_axis(tmp_path):
    path = tmp_path / "y-idx1-ubyte"
    path.write_bytes(idx_bytes(8, (3,), [3, 1, 2]))
    labels = read_labels(path)
    np.testing.assert_array_equal(labels, [3, 1, 2])
    assert labels.shape == (3,)
    with pytest.raises(DataError, match=r"shape \(3,\).*read_labels"):
        read(path)


def test_images_are_not_labels(tmp_path):
    path = tmp_path / "x-idx3-ubyte"
    path.write_bytes(idx_bytes(8, (1, 2, 2), [1, 2, 3, 4]))
    with pytest.raises(DataError, match="one number a datum"):
        read_labels(path)


WHOLE = idx_bytes(8, (2, 3), range(6))
DAMAGE = {
    "empty": (b"", "found none"),
    "magic": (b"\x01" + WHOLE[1:], "found 01 00 08 02"),
    "type": (b"\0\0\x07\x02" + WHOLE[4:], "found 00 00 07 02"),
    "no axes": (b"\0\0\x08\0", "axes"),
    "axes": (WHOLE[:9], "8 bytes of axis lengths; found 5"),
    "short": (WHOLE[:-1], r"expected 6 bytes for shape \(2, 3\) of uint8; found 5"),
    "long": (WHOLE + b"\0", "expected 6 bytes.*found 7"),
    "huge": (bytes([0, 0, 8, 3]) + b"\xff" * 12, "found 0"),
}


@pytest.mark.parametrize(("body", "message"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_named_with_what_was_expected(tmp_path, body, message):
    path = tmp_path / "broken.idx"
    path.write_bytes(body)
    with pytest.raises(DamagedFileError, match=rf"broken\.idx.*{message}"):
        read(path)


@pytest.mark.parametrize("cut", [5, 15, -9, -1])
def test_a_cut_gzip_is_damage(tmp_path, cut):
    path = tmp_path / "cut.idx.gz"
    path.write_bytes(gzip.compress(WHOLE)[:cut])
    with pytest.raises(DamagedFileError, match=r"cut\.idx\.gz"):
        read(path)


def test_a_flipped_bit_in_gzip_is_damage(tmp_path):
    body = bytearray(gzip.compress(WHOLE))
    body[-6] ^= 1  # in the checksum
    path = tmp_path / "flipped.idx.gz"
    path.write_bytes(body)
    with pytest.raises(DamagedFileError, match=r"flipped\.idx\.gz"):
        read(path)
