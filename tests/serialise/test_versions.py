"""Files of other versions of the library are read, or refused with the remedy."""

import json

import forging
import numpy as np
import pytest

import wellposed as wp
from wellposed.serialise import _versions


def rewritten(path, **header):
    """Write the file of a pPCA with other entries in its header, and the right checksum."""
    tensors, there = forging.parts_of(forging.path_of("ppca"))
    path.write_bytes(forging.seal(tensors, json.dumps(there | header)))
    return path


@pytest.mark.parametrize(
    ("version", "library", "remedy"),
    [
        (2, "9.1.0", "Run `pip install --upgrade 'wellposed>=9.1.0'`."),
        (0, "0.0.3", "Load it with wellposed 0.0.3 and save it with the second release after that"),
        (0, "0.1.0", "Load it with wellposed 0.1.0 and save it with the second release after that"),
        (7, "'; rm -r ~", "Load it with the version that wrote it."),
        (True, wp.__version__, "Load it with the version that wrote it."),
        ("1", wp.__version__, "Load it with the version that wrote it."),
        (None, "1" * 60, "Load it with the version that wrote it."),
    ],
)
def test_a_file_of_another_format_is_refused_with_the_remedy(tmp_path, version, library, remedy):
    path = rewritten(tmp_path / "model.wp", version=version, library=library)
    with pytest.raises(wp.DamagedFileError) as caught:
        wp.load(path)
    text = str(caught.value)
    assert f"{path}: wellposed {wp.__version__} reads files of format version 1" in text
    assert f"this one has format version {version}, and was written by wellposed" in text
    assert remedy in text
    assert "is damaged" not in text


def test_a_later_version_that_writes_nothing_new_is_read(tmp_path):
    then = forging.ROWS["ppca"]
    rows = np.array(then["rows"], then["dtype"])
    found = wp.load(rewritten(tmp_path / "model.wp", library="9.1.0"))
    before = wp.load(forging.path_of("ppca"))
    np.testing.assert_array_equal(found.score_samples(rows), before.score_samples(rows))


def test_what_a_later_version_added_is_refused_with_both_versions(tmp_path):
    _, header = forging.parts_of(forging.path_of("ppca"))
    later = {"library": "9.1.0", "state": header["state"] | {"novelty_": 1}}
    with pytest.raises(wp.DamagedFileError) as caught:
        wp.load(rewritten(tmp_path / "model.wp", **later))
    assert "novelty_" in str(caught.value)
    assert (
        f"written by wellposed 9.1.0, which is newer than this one, {wp.__version__}. Run"
        in str(caught.value)
    )
    of_today = rewritten(tmp_path / "model.wp", state=later["state"])
    with pytest.raises(wp.DamagedFileError) as caught:
        wp.load(of_today)
    assert "newer" not in str(caught.value)


@pytest.mark.parametrize(
    ("library", "age"),
    [
        ("999.0", "newer"),
        ("0.0.9", "older"),
        ("0.0.10.dev1+local", "older"),
        (wp.__version__, "unknown"),
        (f"{wp.__version__}rc1", "unknown"),
        ("", "unknown"),
        ("latest", "unknown"),
    ],
)
def test_versions_are_compared_by_their_numbers(library, age):
    assert _versions.age_of(library) == age
