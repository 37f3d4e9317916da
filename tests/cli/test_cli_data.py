"""``wellposed data``."""

import numpy as np
import pytest
from cli_running import run
from PIL import Image

from wellposed.datasets import DATASETS, read


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_fetch_from_a_folder(shared_data, tmp_path, name):
    result = run("data", "fetch", name, "--from", shared_data(name), "--cache", tmp_path)
    here = sorted(path.name for path in (tmp_path / name).iterdir())
    assert here == sorted(file.name for file in DATASETS[name].files)
    assert "wellposed fit" in result.stdout
    listed = run("data", "list", "--cache", tmp_path).stdout.splitlines()
    (line,) = [line for line in listed if line.startswith(f"{name} ")]
    assert str(tmp_path / name) in line


def test_nothing_is_fetched_into_an_empty_cache(tmp_path):
    listed = run("data", "list", "--cache", tmp_path).stdout.splitlines()
    assert len(listed) == len(DATASETS)
    assert all("not fetched" in line for line in listed)


def test_a_folder_without_the_files_is_one_message(tmp_path):
    said = run("data", "fetch", "mnist", "--from", tmp_path, "--cache", tmp_path / "c", code=2)
    assert said.stderr.startswith("error: Every file of mnist must be as published")


def test_unknown_names_suggest_the_closest(tmp_path):
    said = run("data", "fetch", "fashion", "--cache", tmp_path, code=2).stderr
    assert "Did you mean 'fashion-mnist'?" in said


def lines(path, *options):
    said = run("data", "info", path, *options).stdout
    return {line[:20].strip(): line[20:] for line in said.splitlines()}


def test_info_describes_a_table(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("name,a,b,c\nu,1,0.5,7\nv,2,0.75,7\nw,4,2,7\n")
    said = lines(path, "--drop", "name")
    assert said["shape"] == "3 rows of 3 features"
    assert said["range"] == "0.5 to 7"
    assert said["resolution"] == "0.25 to 1"
    assert said["constant features"] == "1 ('c')"


def test_info_of_images_and_of_gaps(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    said = lines(tmp_path / "x.npy")
    assert said["image shape"] == "3x4"
    assert said["type"] == "uint8"
    assert said["resolution"] == "1"
    assert said["constant features"] == "none"
    np.save(tmp_path / "y.npy", np.array([[1.0, np.nan], [np.inf, 2.0]]))
    assert lines(tmp_path / "y.npy")["not finite"] == "2 of 4 entries, in columns 0, 1"


def test_no_header(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("1,2\n3,5\n")
    assert lines(path)["shape"] == "2 rows of 2 features"
    assert lines(path, "--header")["shape"] == "1 rows of 2 features"


def test_info_names_suspect_values_by_the_files_own_names(tmp_path):
    values = np.random.default_rng(0).normal(20, 3, size=(50, 2)).round(2)
    values[7, 1] = -999
    np.savetxt(tmp_path / "x.csv", values, "%g", ",", header="inside,outside", comments="")
    said = lines(tmp_path / "x.csv")["suspect values"]
    assert said.startswith("column 'outside': -999 in 1 of 50 rows (line 9)")
    values[[1, 2], 1] = np.nan
    np.savetxt(tmp_path / "x.csv", values, "%g", ",", header="inside,outside", comments="")
    shown = lines(tmp_path / "x.csv")
    assert shown["not finite"] == "2 of 100 entries, in columns 'outside'"
    assert shown["suspect values"] == said


def test_damage_is_one_message(tmp_path):
    for name, body in {
        "a.npy": b"\x93NUMPY\x01\x00\x08\x00{'shape'",
        "a.csv": b'1,"' + b"x" * 200_000,
        "a.idx.gz": b"\x1f\x8b\x08\x00" + bytes(60),
        "a.parquet": b"PAR1" + bytes(40) + b"PAR1",
    }.items():
        path = tmp_path / name
        path.write_bytes(body)
        said = run("data", "info", path, code=2).stderr
        assert said.startswith("error: ")
        assert name in said.replace("\n", "")
        assert "Traceback" not in said


def test_a_header_of_numbers_is_named(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("2018,2019\n3.5,4.25\n3.75,4.5\n")
    said = run("data", "info", path)
    assert "may name the columns" in " ".join(said.stderr.split())
    assert "3 rows" in said.stdout
    assert run("data", "info", path, "--header").stderr == ""
    said = lines(path, "--header", "--drop", "2018")
    assert said["shape"] == "2 rows of 1 features"
    assert lines(path, "--header", "--drop", "0")["shape"] == "2 rows of 1 features"


def test_convert_resizes_a_folder_of_images(tmp_path):
    folder, output = tmp_path / "faces", tmp_path / "faces.npy"
    folder.mkdir()
    for i, shape in enumerate([(8, 6), (20, 30)]):
        Image.fromarray(np.full(shape, 9 * i, np.uint8)).save(folder / f"{i}.png")
    said = run("data", "convert", folder, "-o", output, code=2).stderr
    assert "size=" in said
    run("data", "convert", folder, "-o", output, "--size", "4x5", "--crop", "6")
    assert np.load(output).shape == (2, 4, 5)
    assert lines(output)["image shape"] == "4x5"
    run("data", "convert", folder, "-o", output, "--size", "4", code=2)  # it exists
    run("data", "convert", folder, "-o", output, "--size", "4", "--force")
    assert lines(output)["image shape"] == "4x4"
    said = run("data", "convert", folder, "-o", output, "--size", "4x", "--force", code=2).stderr
    assert "--size 64x48" in " ".join(said.split())


def test_convert_keeps_names(tmp_path):
    path, output = tmp_path / "x.csv", tmp_path / "x.npz"
    path.write_text("a;b\n1,234;2\n3,125;4\n")
    run("data", "convert", path, "-o", output, code=2)
    run("data", "convert", path, "-o", output, "--decimal", "comma")
    source = read(output)
    np.testing.assert_array_equal(source.values, [[1.234, 2], [3.125, 4]])
    assert source.feature_names == ("a", "b")
