"""Files of version 1 of the format, which every later version must decode."""

import coded_vectors
import numpy as np
import pandas as pd
import pytest
from compressed_vectors import FOLDER, arrays, pandas_frame, polars_frame
from polars.testing import assert_frame_equal as assert_polars_equal

import wellposed as wp

ARRAYS = arrays()


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_decodes(name):
    again = wp.decompress((FOLDER / f"{name}.wpz").read_bytes())
    assert again.dtype == ARRAYS[name].dtype
    assert again.shape == ARRAYS[name].shape
    assert again.tobytes() == ARRAYS[name].tobytes()


def test_frames_decode():
    again = wp.decompress((FOLDER / "pandas.wpz").read_bytes())
    pd.testing.assert_frame_equal(again, pandas_frame())
    assert_polars_equal(wp.decompress((FOLDER / "polars.wpz").read_bytes()), polars_frame())


CODED = coded_vectors.rows()


@pytest.mark.parametrize("name", CODED)
def test_rows_coded_by_a_model_decode(name):
    path = coded_vectors.FOLDER / f"{name}.wpz"
    again = wp.decompress(path.read_bytes())
    assert again.tobytes() == CODED[name].tobytes()
    assert path.stat().st_size < 16_000


def test_quantised_latents_decode_with_their_residual_and_without():
    names = (coded_vectors.QUANTISED, coded_vectors.NEAR)
    data, near = ((coded_vectors.FOLDER / f"{name}.wpz").read_bytes() for name in names)
    assert data[4] == 2
    assert near[4] == 1
    assert wp.decompress(data).tobytes() == coded_vectors.digits().tobytes()
    again = wp.decompress(data, residual=False)
    assert again.tobytes() == wp.decompress(near).tobytes()
    assert again[7].tobytes() == coded_vectors.digits()[7].tobytes()  # a row that is apart
    assert (again != coded_vectors.digits()).mean() > 0.1


def test_a_file_as_the_page_on_the_format_has_it():
    """The bytes that docs/how-to/compression.md explains one by one."""
    header = bytes.fromhex("00 00 03 03 01 05 02 01 02")
    check = "0e 76 cc 56"
    data = bytes.fromhex(f"89 57 50 5a 01 {check} 09") + header
    body = bytes.fromhex("00 00 06") + bytes([1, 2, 3, 4, 5, 6])
    data += bytes.fromhex("9b 79 76 c4 09") + body
    rows = np.array([[1, 2], [3, 4], [5, 6]], np.uint8)
    assert wp.compress(None, rows) == data
    assert np.array_equal(wp.decompress(data), rows)


def test_the_files_are_small():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.wpz")) < 20_000
