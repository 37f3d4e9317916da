"""Folders of images: one size, nothing lost unsaid."""

import os
import sys

import numpy as np
import pytest
from PIL import GifImagePlugin, Image

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


LOST = {
    "animated gif": ("a.gif", {"save_all": True, "append_images": [Image.fromarray(GREY[1])]}),
    "animated png": ("a.png", {"save_all": True, "append_images": [Image.fromarray(GREY[1])]}),
    "pages": ("a.tif", {"save_all": True, "append_images": [Image.fromarray(GREY[1])]}),
    "transparent grey": ("a.png", {"transparency": int(GREY[0, 0, 0])}),
}


@pytest.mark.parametrize(("name", "options"), LOST.values(), ids=LOST)
def test_what_would_be_lost_is_refused(tmp_path, name, options):
    Image.fromarray(GREY[0]).save(tmp_path / name, **options)
    with pytest.raises(DataError, match=rf"{name} .*(several pictures|transparent pixels)"):
        read(tmp_path)


def test_pages_are_not_counted(tmp_path, monkeypatch):
    """A small file may have a million of them, and Pillow walks through all."""
    options = {"save_all": True, "append_images": [Image.fromarray(GREY[1])]}
    Image.fromarray(GREY[0]).save(tmp_path / "a.gif", **options)
    counted = property(lambda _: pytest.fail("pages were counted"))
    monkeypatch.setattr(GifImagePlugin.GifImageFile, "n_frames", counted)
    with pytest.raises(DataError, match="several pictures"):
        read(tmp_path)


def test_a_transparent_colour_counts_where_a_pixel_has_it(tmp_path):
    Image.fromarray(COLOUR[0]).save(tmp_path / "a.png", transparency=(1, 2, 3))
    assert not (COLOUR[0] == [1, 2, 3]).all(axis=-1).any()
    np.testing.assert_array_equal(read(tmp_path).images[0], COLOUR[0])
    used = tuple(int(x) for x in COLOUR[0, 0, 0])
    Image.fromarray(COLOUR[0]).save(tmp_path / "a.png", transparency=used)
    with pytest.raises(DataError, match="transparent pixels"):
        read(tmp_path)
    with pytest.raises(DataError, match="transparent pixels"):
        read(tmp_path, size=2)


def test_a_photograph_with_a_preview_is_one_image(tmp_path):
    options = {"save_all": True, "append_images": [Image.fromarray(COLOUR[1])], "quality": 100}
    Image.fromarray(COLOUR[0]).save(tmp_path / "a.mpo", **options)
    (tmp_path / "a.mpo").rename(tmp_path / "a.jpg")
    assert read(tmp_path).image_shape == (4, 5, 3)


def test_hidden_files_and_folders_within_are_left_out(tmp_path):
    Image.fromarray(GREY[0]).save(tmp_path / "a.png")
    (tmp_path / "._a.png").write_bytes(b"what a Macintosh leaves")
    (tmp_path / ".b.png").write_bytes(b"hidden")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "itself").symlink_to(tmp_path)
    np.testing.assert_array_equal(read(tmp_path).images, GREY[:1])
    np.testing.assert_array_equal(read(tmp_path / "itself" / "itself").images, GREY[:1])


@pytest.mark.parametrize("target", ["nowhere.png", "b.png"])
def test_a_link_that_leads_nowhere_is_no_image_left_out(tmp_path, target):
    Image.fromarray(GREY[0]).save(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to(tmp_path / target)
    with pytest.raises(DataError, match=r"b\.png is a link that leads nowhere"):
        read(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are text")
def test_names_of_any_bytes(tmp_path):
    names = [b"\xff\xfe.png", "ü.png".encode(), b"a\nb.png", b"\x1b[31m.png", b" .png", b"-x.png"]
    for name in names:
        Image.fromarray(GREY[0]).save(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
    assert len(read(tmp_path).values) == len(names)
    assert len(read(os.fsencode(tmp_path)).values) == len(names)


def test_images_are_resized_and_cropped_on_request(tmp_path):
    sizes = [(8, 6), (20, 30), (9, 9)]
    for i, size in enumerate(sizes):
        Image.fromarray(np.full(size, 10 * i, np.uint8)).save(tmp_path / f"{i}.png")
    source = read(tmp_path, size=(4, 5))
    assert source.image_shape == (4, 5)
    np.testing.assert_array_equal(source.values, np.repeat([[0], [10], [20]], 20, axis=1))
    assert read(tmp_path, crop=6, size=3).image_shape == (3, 3)
    with pytest.raises(DataError, match=r"1\.png has 30×20.*Resize them with size="):
        read(tmp_path)
    with pytest.raises(DataError, match=r"0\.png has 8 rows and 6 columns, crop=\(7, 7\)"):
        read(tmp_path, crop=7)


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "LA"])
def test_a_crop_is_the_centre_and_a_size_keeps_proportions(tmp_path, mode):
    ramp = np.add.outer(np.zeros(6), np.arange(10) * 20).astype(np.uint8)
    Image.fromarray(ramp).convert(mode).save(tmp_path / "a.png")
    grey = read(tmp_path, crop=(4, 6)).images[0].reshape(4, 6, -1)[..., 0]
    np.testing.assert_array_equal(grey, ramp[1:5, 2:8])
    # Six columns of ten are kept, then averaged in pairs: 40+60, 80+100, 120+140.
    small = read(tmp_path, size=3).images[0].reshape(3, 3, -1)[..., 0]
    np.testing.assert_allclose(small, np.tile([50, 90, 130], (3, 1)), atol=4)


@pytest.mark.parametrize("size", [0, -1, 2.5, (1, 2, 3), "5x", (4, 0), np.nan])
def test_sizes_must_be_pixels(tmp_path, size):
    Image.fromarray(GREY[0]).save(tmp_path / "a.png")
    with pytest.raises(SettingError, match=r"`size` must be .*\(height, width\)"):
        read(tmp_path, size=size)


def test_sizes_are_for_folders(tmp_path):
    np.save(tmp_path / "x.npy", GREY)
    with pytest.raises(SettingError, match="`crop` is for folders of images"):
        read(tmp_path / "x.npy", crop=2)
