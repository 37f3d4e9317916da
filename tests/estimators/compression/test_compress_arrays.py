"""Arrays through compress and decompress: every byte, type and shape back, hardly larger."""

import numpy as np
import pytest
from byte_codec import ByteCodec, from_bytes

import wellposed as wp
from wellposed import coding
from wellposed.coding.container import blocks

TYPES = ("?", "i1", "<i2", ">i4", "i8", "u1", ">u2", "u4", "u8", "f2", ">f4", "<f8", ">f8")


def assert_same(a, b):
    assert type(b) is np.ndarray
    assert b.dtype == a.dtype
    assert b.shape == a.shape
    assert b.tobytes() == np.ascontiguousarray(a).tobytes()


def arrays(rng):
    """A random array: of any type and shape, of random, few or equal values."""
    dtype = np.dtype(TYPES[rng.integers(len(TYPES))])
    shape = tuple(rng.integers(0, 7, rng.integers(1, 4)))
    kind = rng.integers(4)
    if kind == 0 and dtype.kind != "b":
        return np.frombuffer(rng.bytes(int(np.prod(shape)) * dtype.itemsize), dtype).reshape(shape)
    values = rng.normal(0, 10, shape) if kind == 1 else rng.integers(0, 3, shape) / 4.0
    if kind == 3 and values.size:
        values[:] = values.flat[0]
        if dtype.kind == "f":
            values.flat[-1] = rng.choice([np.nan, np.inf, -0.0])
    return np.abs(values).astype(dtype) if dtype.kind in "u?" else values.astype(dtype)


@pytest.mark.parametrize("seed", range(4))
def test_random_arrays_come_back(seed):
    rng = np.random.default_rng(seed)
    for _ in range(60):
        X = arrays(rng)
        blocks = None if rng.random() < 0.5 else int(rng.integers(1, 4))
        data = wp.compress(None, X, block_rows=blocks)
        assert_same(X, wp.decompress(data))
        assert len(data) <= X.nbytes + 64


@pytest.mark.slow
def test_ten_thousand_arrays_come_back():
    rng = np.random.default_rng(0)
    for _ in range(10_000):
        X = arrays(rng)
        data = wp.compress(None, X, block_rows=int(rng.integers(1, 5)))
        assert_same(X, wp.decompress(data))
        assert len(data) <= X.nbytes + 64


@pytest.mark.parametrize("block_rows", [None, 1, 7])
def test_noise_is_never_larger_by_more_than_64_bytes(block_rows):
    X = np.frombuffer(np.random.default_rng(0).bytes(5000), np.uint8).reshape(-1, 5)
    for model in (None, ByteCodec(5), ByteCodec(5, most=3)):
        data = wp.compress(model, X, block_rows=block_rows)
        assert len(data) <= X.nbytes + 64
        assert_same(X, wp.decompress(data, model))


@pytest.mark.parametrize("X", [np.zeros((0, 3)), np.zeros((3, 0), "u1"), np.array([7], ">i2")])
@pytest.mark.parametrize("model", [False, True])
def test_the_smallest_arrays(X, model):
    coder = ByteCodec(int(np.prod(X.shape[1:]))) if model else None
    data = wp.compress(coder, X)
    assert_same(X, wp.decompress(data, coder))
    assert len(data) <= X.nbytes + 64


def test_order_and_strides_do_not_matter():
    X = np.arange(60.0).reshape(6, 10) / 8
    data = wp.compress(None, X)
    assert wp.compress(None, np.asfortranarray(X)) == data
    assert wp.compress(None, np.repeat(X, 2, axis=0)[::2]) == data


@pytest.mark.parametrize(
    ("X", "remedy"),
    [
        ([1, 2], "numpy.asarray"),
        ("rows.csv", "wellposed compress"),
        (np.ma.array([1]), "filled"),
        (np.array(3), "reshape"),
        (np.array([1j]), "astype"),
        (np.array(["a"]), "astype"),
        (np.array([None]), "astype"),
    ],
)
def test_what_would_not_come_back_in_kind_is_refused(X, remedy):
    with pytest.raises(wp.DataError, match=remedy):
        wp.compress(None, X)


def levels(n=500, d=6, seed=0):
    return np.random.default_rng(seed).binomial(20, 0.3, (n, d))


@pytest.mark.parametrize("dtype", ["u1", "i8", "f4", "<f8"])
@pytest.mark.parametrize("block_rows", [None, 64])
def test_rows_that_the_model_codes_come_back_with_it_alone(dtype, block_rows, monkeypatch):
    X, coder = levels().astype(dtype), ByteCodec(6)
    monkeypatch.setattr(blocks, "pack_plain", lambda parts: bytes(10**6))
    data = wp.compress(coder, X, block_rows=block_rows)
    assert_same(X, wp.decompress(data, coder))
    with pytest.raises(wp.SettingError, match="Pass it"):
        wp.decompress(data)


def test_rows_and_cells_outside_the_support_come_back(monkeypatch):
    X = levels(3000).astype(float)
    X[3], X[99, 2], X[5, 1], X[6, 0], X[7, 3] = 300, -1, np.nan, -0.0, 2.5
    X[8, 1], X[9, 2], X[-1, -1] = np.inf, 1e300, 21
    bits = X.view(np.uint64)
    bits[11, 4] = 0x7FF8_0000_0000_0123  # NaN with a payload
    coder = ByteCodec(6, most=20)
    monkeypatch.setattr(blocks, "pack_plain", lambda parts: bytes(10**6))
    data = wp.compress(coder, X)
    monkeypatch.undo()
    assert_same(X, wp.decompress(data, coder))


def test_shapes_of_images_come_back_from_a_model():
    X = levels(800, 12).astype("u2").reshape(800, 3, 2, 2)
    coder = ByteCodec(12)
    assert_same(X, wp.decompress(wp.compress(coder, X), coder))


def test_the_smaller_of_two_ways_is_taken():
    X = np.repeat(levels(1, 6), 4000, axis=0)  # LZMA2 is far ahead of the coder
    X[:, 0] = np.random.default_rng(0).integers(0, 256, 4000)
    for rows in (X, levels()):
        with_model = wp.compress(ByteCodec(6), rows)
        assert len(with_model) <= len(wp.compress(None, rows)) + 20


def test_another_model_is_refused_by_its_fingerprint():
    data = wp.compress(ByteCodec(6), levels())
    with pytest.raises(wp.SettingError, match="alone"):
        wp.decompress(data, ByteCodec(6, most=99))


def test_a_model_inside_opens_the_file_and_counts(monkeypatch):
    X, coder = levels(), ByteCodec(6)
    monkeypatch.setattr(coding, "row_codec_from_bytes", from_bytes, raising=False)
    data = wp.compress(coder, X, include_model=True)
    assert_same(X, wp.decompress(data))
    assert len(data) > len(wp.compress(coder, X))


def test_rows_of_other_features_than_the_model_are_refused():
    with pytest.raises(wp.DataError, match="6 features"):
        wp.compress(ByteCodec(6), levels(d=5))


@pytest.mark.parametrize("model", ["a.wp", 3])
def test_what_is_no_model_is_refused(model):
    with pytest.raises(wp.SettingError, match="fitted"):
        wp.compress(model, levels())
