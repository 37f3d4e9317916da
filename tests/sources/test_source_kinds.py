"""What each source reads, and what it refuses."""

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zarr
from PIL import Image

import wellposed as wp
from wellposed.sources import ArraySource, ArrowSource, BlockSource, ConcatenatedSource, open_source

N = 300
NUMBERS = np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)
PIXELS = np.random.default_rng(1).integers(0, 256, (N, 4, 5), np.uint8)


def npy(folder: Path) -> BlockSource:
    np.save(folder / "x.npy", NUMBERS)
    return open_source(folder / "x.npy")


def swapped(folder: Path) -> BlockSource:
    np.save(folder / "x.npy", NUMBERS.astype(">f4"))
    return open_source(folder / "x.npy")


def parquet(folder: Path) -> BlockSource:
    frame = pd.DataFrame(NUMBERS, columns=list("abc"))
    frame.iloc[:100].to_parquet(folder / "0.parquet", row_group_size=30)
    frame[["c", "a", "b"]].iloc[100:].to_parquet(folder / "1.parquet", row_group_size=77)
    return open_source(folder)


def arrow(folder: Path) -> BlockSource:
    table = pa.table({name: NUMBERS[:, j] for j, name in enumerate("abc")})
    with pa.OSFile(str(folder / "x.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as w:
        w.write_table(table, max_chunksize=80)
    return open_source(folder / "x.arrow")


def zarr_array(folder: Path) -> BlockSource:
    array = zarr.create_array(folder / "x", shape=NUMBERS.shape, chunks=(64, 2), dtype="float32")
    array[:] = NUMBERS
    return open_source(folder / "x")


def parts(folder: Path) -> BlockSource:
    np.save(folder / "0.npy", NUMBERS[:120])
    np.save(folder / "1.npy", NUMBERS[120:])
    return open_source(folder)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def pictures(folder: Path) -> BlockSource:
    for i, pixels in enumerate(PIXELS):
        (folder / f"{i:04}.png").write_bytes(png(pixels))
    return open_source(folder)


def archives(folder: Path) -> BlockSource:
    for shard, chosen in enumerate((range(100), range(100, N))):
        with tarfile.open(folder / f"{shard}.tar", "w") as archive:
            for i in chosen:
                for name, content in ((f"{i:04}.png", png(PIXELS[i])), (f"{i:04}.txt", b"0")):
                    member = tarfile.TarInfo(name)
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
    return open_source(folder)


TABLES = (npy, swapped, parquet, arrow, zarr_array, parts)
IMAGES = (pictures, archives)


@pytest.mark.parametrize("make", TABLES + IMAGES)
def test_a_source_gives_every_row_bit_for_bit(tmp_path, make):
    source = make(tmp_path)
    expected = PIXELS.reshape(N, -1) if make in IMAGES else NUMBERS
    assert (source.n_rows, source.n_features) == expected.shape
    assert source.image_shape == ((4, 5) if make in IMAGES else None)
    assert source.dtype == expected.dtype
    assert np.array_equal(source.rows(0, N), expected)
    assert np.array_equal(source.rows(95, 206), expected[95:206])
    blocks = [source.whole_block(i) for i in range(source.n_blocks)]
    assert np.array_equal(np.concatenate(blocks), expected)
    assert [source.span(i)[0] for i in range(source.n_blocks)] == [
        sum(map(len, blocks[:i])) for i in range(len(blocks))
    ]


@pytest.mark.parametrize("make", [npy, parquet, zarr_array, archives])
def test_the_identity_is_of_the_content_and_not_of_the_place(tmp_path, make):
    source = make(tmp_path)
    before = source.identity()
    assert before == source.identity()
    file = next(path for path in sorted(tmp_path.rglob("*")) if path.is_file())
    os.utime(file, (1, 1))
    assert before != source.identity()


def test_names_of_columns_are_those_of_the_first_file(tmp_path):
    assert parquet(tmp_path).feature_names == ("a", "b", "c")


def test_nulls_of_whole_numbers_are_nan(tmp_path):
    table = pa.table({"a": pa.array([1, None, 3]), "b": pa.array([True, False, None])})
    pq.write_table(table, tmp_path / "x.parquet")
    rows = open_source(tmp_path / "x.parquet").rows(0, 3)
    assert np.array_equal(rows, [[1, 1], [np.nan, 0], [3, np.nan]], equal_nan=True)


def test_a_list_of_arrays_and_paths_is_one_source(tmp_path):
    np.save(tmp_path / "x.npy", NUMBERS[:10])
    source = open_source([tmp_path / "x.npy", NUMBERS[10:].astype(np.float64)])
    assert source.dtype == np.float64
    assert np.array_equal(source.rows(0, N), NUMBERS)


def damaged(folder: Path, name: str) -> Path:
    path = folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 3 : len(content) // 3 + 40] = b"\xff" * 40
    path.write_bytes(content)
    return path


def test_a_damaged_row_group_is_named(tmp_path):
    rows = np.random.default_rng(0).normal(size=(4000, 2))
    table = pa.table({"a": rows[:, 0], "b": rows[:, 1]})
    path = tmp_path / "x.parquet"
    pq.write_table(table, path, row_group_size=1000, write_page_checksum=True, use_dictionary=False)
    source = open_source(path)
    damaged(tmp_path, "x.parquet")
    source.rows(0, 1000)
    with pytest.raises(wp.DamagedFileError, match=r"row group 1 of .*x\.parquet"):
        source.rows(0, 4000)


def test_a_file_that_was_cut_is_refused(tmp_path):
    source = npy(tmp_path)
    path = tmp_path / "x.npy"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(wp.DamagedFileError, match="ends within row 299"):
        source.rows(0, N)
    with pytest.raises(wp.DamagedFileError, match="is not whole"):
        open_source(path)


def tables(folder: Path, *columns: dict) -> list[Path]:
    paths = []
    for i, each in enumerate(columns):
        paths.append(folder / f"{i}.parquet")
        pq.write_table(pa.table(each), paths[-1])
    return paths


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ({"a": [1.0], "b": [2.0]}, {"a": [1.0]}, "1.parquet has 0 named 'b'"),
        ({"a": [1.0]}, {"a": [1.0], "b": [2.0]}, "1.parquet also has 'b'"),
        ({"a": [1.0]}, {"a": ["x"]}, "'a' of .*1.parquet has the type string"),
        (
            {"a": [1.0], "b": [1.0]},
            {"a": pa.array([], pa.float64()), "b": pa.array([], pa.float64())},
            "1.parquet has 0 rows and 2 features",
        ),
    ],
)
def test_files_that_are_no_one_table_are_refused(tmp_path, first, second, words):
    with pytest.raises(wp.DataError, match=words):
        open_source(tables(tmp_path, first, second))


def test_columns_are_chosen_by_name(tmp_path):
    (path,) = tables(tmp_path, {"a": [1.0], "b": ["x"], "c": [3]})
    source = ArrowSource(path, columns=["c", "a"])
    assert source.rows(0, 1).tolist() == [[3.0, 1.0]]
    with pytest.raises(wp.SettingError, match="has no 'z'"):
        ArrowSource(path, columns=["z"])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ConcatenatedSource([]), "at least one part"),
        (lambda: open_source([NUMBERS, NUMBERS[:, :2]]), "part 1 has 2"),
        (lambda: open_source([PIXELS, PIXELS.reshape(N, 20)]), "part 0 has \\(4, 5\\)"),
        (lambda: ArraySource(np.zeros(3)), "shape \\(3,\\)"),
        (lambda: ArraySource(np.array([["a"]])), "real numbers"),
        (lambda: ArraySource(np.zeros((0, 3))), "0 rows"),
    ],
)
def test_what_is_no_source_is_refused(make, words):
    with pytest.raises(wp.DataError, match=words):
        make()


def test_files_of_other_kinds_are_refused(tmp_path):
    (tmp_path / "x.csv").write_text("a\n1\n")
    with pytest.raises(wp.SettingError, match="\\.npy"):
        open_source(tmp_path / "x.csv")
    for array in (NUMBERS, np.zeros((5, 1, 3)), PIXELS[..., None]):
        np.save(tmp_path / "x.npy", np.asfortranarray(array))
        with pytest.raises(wp.DataError, match="Fortran"):
            open_source(tmp_path / "x.npy")


@pytest.mark.parametrize("share", [0.4, 0.5, 0.731, 0.95])
def test_an_archive_that_was_cut_is_refused(tmp_path, share):
    archives(tmp_path)
    path = tmp_path / "0.tar"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole.rstrip(b"\0"))) // 512 * 512])
    with pytest.raises(wp.DamagedFileError, match=r"0\.tar"):
        open_source(path)


def test_a_suffix_in_capitals_is_read_alike(tmp_path):
    table = pa.table({"a": [1.0, 2.0]})
    pq.write_table(table, tmp_path / "x.PARQUET")
    assert open_source(tmp_path / "x.PARQUET").rows(0, 2).tolist() == [[1.0], [2.0]]


def test_parts_with_and_without_names_are_refused(tmp_path):
    (path,) = tables(tmp_path, {"a": [1.0], "b": [2.0]})
    with pytest.raises(wp.DataError, match="part 1 does, and part 0 does not"):
        open_source([np.zeros((2, 2)), ArrowSource(path)])


def test_reordered_columns_of_parts_with_names_are_refused(tmp_path):
    paths = tables(tmp_path, {"a": [1.0], "b": [2.0]}, {"b": [1.0], "a": [2.0]})
    each = [ArrowSource(path) for path in paths]
    with pytest.raises(wp.DataError, match="'a' where part 1 has 'b'"):
        ConcatenatedSource(each)
    assert ArrowSource(paths).rows(0, 2).tolist() == [[1.0, 2.0], [2.0, 1.0]]


def three(folder: Path) -> list[Path]:
    """Write three files of 200, 900 and 1 rows, in groups of 100."""
    paths = []
    for i, n in enumerate((200, 900, 1)):
        values = np.random.default_rng(i).normal(size=n)
        paths.append(folder / f"{i}.parquet")
        pq.write_table(pa.table({"a": values}), paths[-1], row_group_size=100)
    return paths


def test_a_file_that_was_cut_among_others_is_named_with_the_row_group(tmp_path):
    paths = three(tmp_path)
    source = open_source(paths)
    assert source.rows(0, 1_101).shape == (1_101, 1)  # of unequal files
    paths[1].write_bytes(paths[1].read_bytes()[:4_000])
    source.rows(0, 200)
    with pytest.raises(wp.DamagedFileError, match=r"row group 3 of .*1\.parquet cannot be decoded"):
        source.rows(500, 600)
    with pytest.raises(wp.DamagedFileError, match=r"1\.parquet is damaged"):
        open_source(paths)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (np.zeros((0, 3)), r"1\.npy has 0 rows"),
        (np.zeros((4, 2)), r"part 0 has 3, part 1 has 2"),
        (np.array([["x", "y", "z"]]), r"real numbers; .*1\.npy holds"),
        (np.zeros((2, 3), complex), r"real numbers; .*1\.npy holds complex"),
    ],
)
def test_a_part_that_does_not_fit_the_others_is_named(tmp_path, part, words):
    np.save(tmp_path / "0.npy", NUMBERS)
    np.save(tmp_path / "1.npy", part)
    np.save(tmp_path / "2.npy", NUMBERS)
    with pytest.raises(wp.DataError, match=words):
        open_source(tmp_path)


def test_archives_of_other_images_are_refused(tmp_path):
    archives(tmp_path)
    with tarfile.open(tmp_path / "2.tar", "w") as archive:
        content = png(PIXELS[0][:3])
        member = tarfile.TarInfo("x.png")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    with pytest.raises(wp.DataError, match=r"x\.png|2\.tar"):
        open_source(tmp_path).rows(0, N + 1)
