"""`read`: the reader of each path, and the error if there is none."""

import subprocess
import sys

import numpy as np
import pytest

from wellposed._errors import DataError, SettingError
from wellposed.datasets import load_digits, read


def test_an_unknown_suffix_lists_the_known_ones(tmp_path):
    path = tmp_path / "model.pkl"
    path.touch()
    with pytest.raises(SettingError, match=r"\.csv.*\.npy.*IDX.*got '\.pkl'"):
        read(path)


def test_a_missing_path_suggests_its_neighbour(tmp_path):
    (tmp_path / "train.npy").touch()
    with pytest.raises(DataError, match=r"trian\.npy does not\. Did you mean '.*train\.npy'"):
        read(tmp_path / "trian.npy")
    with pytest.raises(DataError, match=r"folder .* does not exist either"):
        read(tmp_path / "nowhere" / "x.npy")


def test_a_name_that_holds_a_colon_is_still_a_path(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.eye(2))
    (tmp_path / "a.npz").rename(tmp_path / "b.npz:old.npz")
    np.testing.assert_array_equal(read(f"{tmp_path}/b.npz:old.npz").values, np.eye(2))


@pytest.mark.parametrize("options", [{"header": True}, {"drop": ["a"]}])
def test_options_of_tables_are_refused_elsewhere(tmp_path, options):
    np.save(tmp_path / "x.npy", np.eye(2))
    with pytest.raises(SettingError, match=rf"`{next(iter(options))}` is for tables"):
        read(tmp_path / "x.npy", **options)


def test_digits_are_the_known_ones():
    digits = load_digits()
    assert digits.values.dtype == np.uint8
    assert (digits.values.min(), digits.values.max()) == (0, 16)
    assert digits.images.shape == (1797, 8, 8)
    # The class counts that UCI publishes for this test set.
    np.testing.assert_array_equal(
        np.bincount(digits.labels), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    )


def test_importing_the_readers_imports_nothing_heavy():
    heavy = {"jax", "sklearn", "PIL", "pyarrow", "pandas", "matplotlib"}
    code = (
        "import sys, wellposed; before = set(sys.modules); import wellposed.datasets\n"
        f"print({heavy} & (set(sys.modules) - before))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
