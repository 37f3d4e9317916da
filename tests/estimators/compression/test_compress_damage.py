"""Damaged containers: an error that names the block, the other blocks, and no other outcome."""

import random

import numpy as np
import pytest
from byte_codec import ByteCodec

import wellposed as wp
from wellposed.coding.container import Reader


def containers():
    rng = np.random.default_rng(0)
    tables = {
        "noise": rng.integers(0, 256, (40, 3)).astype("u1"),
        "decimals": np.round(rng.normal(size=(60, 2)), 1),
        "empty": np.zeros((0, 2)),
    }
    files = {name: (wp.compress(None, X), None, X) for name, X in tables.items()}
    X = rng.binomial(9, 0.2, (90, 4))
    files["blocks"] = wp.compress(None, X, block_rows=30), None, X
    files["model"] = wp.compress(ByteCodec(4, most=6), X), ByteCodec(4, most=6), X
    return files


FILES = containers()
NAMED = r"Block \d+ of \d+|header|index of the blocks|begins with|version|bytes, and should have"


def outcome(data, coder):
    """The message of the error that data raise; a test fails by any other error, or without one."""
    with pytest.raises((wp.DamagedFileError, wp.SettingError), match=NAMED) as error:
        wp.decompress(data, coder)
    return str(error.value)


@pytest.mark.parametrize("name", FILES)
def test_every_changed_byte_is_found(name):
    data, coder, _ = FILES[name]
    for i in range(len(data)):
        changed = bytearray(data)
        changed[i] ^= 1 << i % 8
        outcome(bytes(changed), coder)


@pytest.mark.parametrize("name", FILES)
def test_every_cut_and_every_longer_file_is_found(name):
    data, coder, _ = FILES[name]
    for i in range(len(data)):
        outcome(data[:i], coder)
    outcome(data + b"\0", coder)


@pytest.mark.parametrize("name", FILES)
def test_mutations_are_found(name):
    data, coder, X = FILES[name]
    draw = random.Random(0)
    for _ in range(200):
        changed = mutate(data, draw)
        if changed != data:
            outcome(changed, coder)
    assert np.array_equal(wp.decompress(data, coder), X)


def mutate(data, draw):
    """Change, remove, insert, repeat or exchange some bytes."""
    changed, at = bytearray(data), draw.randrange(len(data))
    length, kind = draw.randrange(1, 40), draw.randrange(4)
    if kind == 0:
        for _ in range(draw.randrange(1, 8)):
            changed[draw.randrange(len(changed))] = draw.randrange(256)
    elif kind == 1:
        del changed[at : at + length]
    elif kind == 2:
        changed[at:at] = draw.randbytes(length)
    else:
        other = draw.randrange(len(data))
        changed[at : at + length] = data[other : other + length]
    return bytes(changed)


def test_a_damaged_block_costs_its_rows_alone():
    data, _, X = FILES["blocks"]
    changed = bytearray(data)
    changed[len(data) // 2] ^= 4
    with pytest.raises(wp.DamagedFileError, match="Block 1 of 3 is damaged, rows 30 to 59"):
        wp.decompress(bytes(changed))
    with pytest.warns(wp.DamageWarning, match="30 of 90 rows are lost: 30 to 59") as warned:
        rest = wp.decompress(bytes(changed), errors="skip")
    assert list(warned[0].message.lost) == [(30, 60)]
    assert np.array_equal(rest, np.delete(X, np.arange(30, 60), axis=0))


def test_without_the_index_the_blocks_are_found_one_after_another():
    data, _, X = FILES["blocks"]
    changed = bytearray(data)
    changed[-1] ^= 1
    with pytest.raises(wp.DamagedFileError, match="index"):
        wp.decompress(bytes(changed))
    with pytest.warns(wp.DamageWarning, match="no row is lost"):
        assert np.array_equal(wp.decompress(bytes(changed), errors="skip"), X)
    with pytest.warns(wp.DamageWarning, match="lost"):
        rest = wp.decompress(data[: len(data) // 2], errors="skip")
    assert np.array_equal(rest, X[: len(rest)])
    assert len(rest) >= 30


def test_exchanged_blocks_are_found():
    X = np.repeat([3, 5], 40).reshape(-1, 2)
    data = wp.compress(None, X, block_rows=20)
    (a, b), (_, c) = Reader(data).extents()[0]
    assert b - a == c - b
    outcome(data[:a] + data[b:c] + data[a:b] + data[c:], None)


def test_errors_is_one_of_two_words():
    with pytest.raises(wp.SettingError, match="raise"):
        wp.decompress(FILES["noise"][0], errors="ignore")
    with pytest.raises(wp.SettingError, match="read_bytes"):
        wp.decompress("file.wpz")
