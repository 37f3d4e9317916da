"""Folders of images: one size, nothing lost unsaid."""

import sys

import numpy as np
import pytest
from PIL import Image

from wellposed._errors import DamagedFileError, DataError, SettingError
from wellposed.datasets import read

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (3, 4, 5), np.uint8)
COLOUR = RNG.integers(0, 256, (3, 4, 5, 3), np.uint8)


@pytest.mark.parametrize("images", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("suffix", ["png", "BMP", "tif"])
def test_pixels_come_back_sorted_by_name(tmp_path, images, suffix):
    for name, image in zip("cab", images, strict=True):
        Image.fromarray(image).save(tmp_path / f"{name}.{suffix}")
    (tmp_path / "notes.md").write_text("not an image")
    source = read(tmp_path)
    assert source.image_shape == images.shape[1:]
    assert source.values.dtype == np.uint8
    np.testing.assert_array_equal(source.images, images[[1, 2, 0]])


def test_an_opaque_alpha_is_dropped_and_a_real_one_refused(tmp_path):
    rgba = np.dstack([COLOUR[0], np.full((4, 5), 255, np.uint8)])
    Image.fromarray(rgba).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path).images[0], COLOUR[0])
    rgba[0, 0, 3] = 254
    Image.fromarray(rgba).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png has the mode RGBA"):
        read(tmp_path)


def test_grey_with_opaque_alpha_is_grey(tmp_path):
    grey = Image.fromarray(GREY[0])
    Image.merge("LA", [grey, Image.new("L", grey.size, 255)]).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path).images[0], GREY[0])


def test_palettes_and_bitmaps_are_unpacked(tmp_path):
    palette = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path).values, [[10, 20, 30, 40, 50, 60]])
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path).values, [[255, 0]])


def test_sixteen_bits_are_not_cut_to_eight(tmp_path):
    Image.fromarray(np.array([[0, 60000]], np.uint16)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"8-bit.*mode I;16.*\.npy"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("second", "described"), [(GREY[1, :3], "5×3 grey"), (COLOUR[1], "5×4 RGB")]
)
def test_sizes_and_colours_that_differ_are_named(tmp_path, second, described):
    Image.fromarray(GREY[0]).save(tmp_path / "a.png")
    Image.fromarray(second).save(tmp_path / "b.png")
    with pytest.raises(DataError, match=rf"a\.png has 5×4 grey, .*b\.png has {described}"):
        read(tmp_path)


@pytest.mark.parametrize("cut", [10, 60, -30])
def test_a_cut_image_is_damage(tmp_path, cut):
    path = tmp_path / "a.png"
    Image.fromarray(GREY[0]).save(path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DamagedFileError, match=r"a\.png"):
        read(tmp_path)


def test_a_folder_without_images_says_what_it_looked_for(tmp_path):
    (tmp_path / "train").mkdir()
    with pytest.raises(DataError, match=r"\.png.*holds none.*not searched"):
        read(tmp_path)


def test_without_pillow_the_remedy_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.png").touch()
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(SettingError, match=r"pip install 'wellposed\[data\]'"):
        read(tmp_path)
