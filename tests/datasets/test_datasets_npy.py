"""NumPy's files: types kept, pickles refused, damage named."""

import numpy as np
import pytest
import scipy.sparse

from wellposed._errors import DamagedFileError, DataError, SettingError
from wellposed.datasets import read, read_labels


@pytest.mark.parametrize("dtype", ["u1", "i2", ">i4", "<i8", "f2", ">f4", "f8", "?"])
def test_the_type_is_kept_and_native(tmp_path, dtype):
    values = np.array([[0, 1], [1, 1]], dtype)
    np.save(tmp_path / "x.npy", values)
    source = read(tmp_path / "x.npy")
    np.testing.assert_array_equal(source.values, values)
    assert source.values.dtype == values.dtype.newbyteorder("=")
    assert source.values.dtype.isnative


def test_fortran_order_flattens_as_c_order(tmp_path):
    values = np.asfortranarray(np.arange(24).reshape(2, 3, 4))
    np.save(tmp_path / "x.npy", values)
    source = read(str(tmp_path / "x.npy"))
    np.testing.assert_array_equal(source.values, np.arange(24).reshape(2, 12))
    assert source.image_shape == (3, 4)


def test_colour_images_keep_three_axes(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((2, 3, 4, 3), np.uint8))
    source = read(tmp_path / "x.npy")
    assert source.values.shape == (2, 36)
    assert source.image_shape == (3, 4, 3)
    assert source.images.shape == (2, 3, 4, 3)


def test_a_table_has_no_images(tmp_path):
    np.save(tmp_path / "x.npy", np.eye(2))
    with pytest.raises(DataError, match="table of shape"):
        _ = read(tmp_path / "x.npy").images


def test_nan_is_passed_on(tmp_path):
    np.save(tmp_path / "x.npy", [[np.nan, 1.0]])
    np.testing.assert_array_equal(read(tmp_path / "x.npy").values, [[np.nan, 1.0]])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array(3.0), r"shape \(\)"),
        (np.zeros(3), r"reshape it to \(n, 1\)"),
        (np.zeros((0, 3)), "at least one row"),
        (np.zeros((3, 0)), "at least one row"),
        (np.zeros((2, 2), complex), "complex128"),
        (np.array([["a"]]), "real numbers"),
        (np.zeros((2, 2), "datetime64[s]"), "real numbers"),
        (np.zeros((2, 2), [("a", "f8")]), "real numbers"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(tmp_path, values, message):
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(DataError, match=rf"(?i)x\.npy.*{message}|{message}.*x\.npy"):
        read(tmp_path / "x.npy")


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was executed",))


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_pickles_are_never_executed(tmp_path, suffix):
    path = tmp_path / f"x.{suffix}"
    save = np.save if suffix == "npy" else np.savez
    save(path, np.array([[Bomb()]], object))
    with pytest.raises(DataError, match="pickled arrays are refused"):
        read(path)


def test_a_short_npy_names_both_lengths(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((4, 2)))
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(DamagedFileError, match=r"x\.npy.*expected 64 bytes.*\(4, 2\).*found 56"):
        read(path)


def test_a_long_npy_is_damage(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((4, 2)))
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(DamagedFileError, match="found 68"):
        read(path)


@pytest.mark.parametrize(
    "body", [b"", b"not numpy", b"\x93NUMPY\x09\x00", b"\x93NUMPY\x01\x00\xff"]
)
def test_what_is_no_npy_is_damage(tmp_path, body):
    path = tmp_path / "x.npy"
    path.write_bytes(body)
    with pytest.raises(DamagedFileError, match=r"NumPy's header.*x\.npy"):
        read(path)


def test_an_archive_of_one_array_needs_no_name(tmp_path):
    np.savez(tmp_path / "x.npz", anything=np.eye(3))
    np.testing.assert_array_equal(read(tmp_path / "x.npz").values, np.eye(3))


@pytest.mark.parametrize("name", ["X", "x", "data"])
def test_an_archive_has_default_names(tmp_path, name):
    np.savez_compressed(tmp_path / "x.npz", y=np.zeros(3), **{name: np.eye(3)})
    np.testing.assert_array_equal(read(tmp_path / "x.npz").values, np.eye(3))


def test_a_member_is_named_after_a_colon(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.eye(2), b=np.ones((2, 2)), y=np.arange(2))
    np.testing.assert_array_equal(read(f"{tmp_path}/x.npz:b").values, np.ones((2, 2)))
    np.testing.assert_array_equal(read_labels(f"{tmp_path}/x.npz:y"), [0, 1])
    with pytest.raises(SettingError, match="must be one of a, b, y; got 'z'"):
        read(f"{tmp_path}/x.npz:z")


def test_an_ambiguous_archive_names_its_arrays_and_the_remedy(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.eye(2), b=np.ones((2, 2)))
    with pytest.raises(DataError, match=r"holds a, b\. Name the one you mean: 'x\.npz:a'"):
        read(tmp_path / "x.npz")


def test_feature_names_come_along(tmp_path):
    np.savez(tmp_path / "x.npz", X=np.eye(2), feature_names=np.array(["p", "q"]))
    assert read(tmp_path / "x.npz").feature_names == ("p", "q")


def test_a_cut_archive_is_damage(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, X=np.eye(20))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DamagedFileError, match=r"x\.npz"):
        read(path)


def test_a_flipped_bit_in_an_archive_is_damage(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, X=np.eye(20))
    body = bytearray(path.read_bytes())
    body[1000] ^= 1
    path.write_bytes(body)
    with pytest.raises(DamagedFileError, match=r"checksums.*x\.npz"):
        read(path)


@pytest.mark.parametrize("kind", ["csr", "csc"])
def test_sparse_rows_become_dense_in_their_type(tmp_path, kind):
    dense = np.array([[0, 2, 0], [0, 0, 0], [1, 0, 300]], np.uint16)
    matrix = scipy.sparse.csr_array(dense).asformat(kind)
    scipy.sparse.save_npz(tmp_path / "x.npz", matrix)
    source = read(tmp_path / "x.npz")
    np.testing.assert_array_equal(source.values, dense)
    assert source.values.dtype == np.uint16


def sparse_parts(**changes):
    whole = {
        "data": np.array([5, 7], np.uint8),
        "indices": np.array([0, 2], np.uint8),
        "indptr": np.array([0, 1, 2], np.uint16),
        "shape": np.array([2, 3]),
    }
    return whole | changes


def test_unsigned_indices_and_gene_names_are_understood(tmp_path):
    np.savez(tmp_path / "x.npz", **sparse_parts(genes=np.array([b"g1", b"g2", b"g2"])))
    source = read(tmp_path / "x.npz")
    np.testing.assert_array_equal(source.values, [[5, 0, 0], [0, 0, 7]])
    assert source.feature_names == ("g1", "g2", "g2")


@pytest.mark.parametrize(
    "changes",
    [
        {"indices": np.array([0, 3])},
        {"indices": np.array([0, -1])},
        {"indptr": np.array([0, 1])},
        {"indptr": np.array([0, 1, 5])},
        {"indptr": np.array([0, 3, 2])},
        {"data": np.array([5])},
    ],
)
def test_sparse_parts_that_disagree_are_damage(tmp_path, changes):
    np.savez(tmp_path / "x.npz", **sparse_parts(**changes))
    with pytest.raises(DamagedFileError, match=r"x\.npz"):
        read(tmp_path / "x.npz")


def test_other_sparse_layouts_are_refused(tmp_path):
    np.savez(tmp_path / "x.npz", **sparse_parts(format=b"bsr"))
    with pytest.raises(DataError, match="tocsr"):
        read(tmp_path / "x.npz")
