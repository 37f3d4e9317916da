"""``wellposed compress`` and ``decompress``: files come back in kind, whole or not at all."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cli_running import run, table

import wellposed as wp
from wellposed import datasets

MODELS = Path(__file__).parents[1] / "data" / "models"


def there_and_back(source, tmp_path, kind, *options):
    """Compress a file and decompress it into one of another name."""
    packed, again = tmp_path / "packed.wpz", tmp_path / f"again{kind}"
    said = run("compress", source, "-o", packed, "--verify", "--force", *options).stderr
    assert "decoded and equal" in said
    run("decompress", packed, "-o", again, "--force")
    return packed, again


@pytest.mark.parametrize("dtype", ["u1", ">i4", "<f4", "<f8", "?"])
@pytest.mark.parametrize("shape", [(7,), (20, 3), (5, 4, 3), (0, 2)])
def test_an_array_comes_back_byte_for_byte(tmp_path, dtype, shape):
    source = tmp_path / "rows.npy"
    np.save(source, np.random.default_rng(0).integers(0, 2, shape).astype(dtype))
    _, again = there_and_back(source, tmp_path, ".npy", "--block-rows", 4)
    assert again.read_bytes() == source.read_bytes()


def test_noise_in_blocks_is_stored_as_one(tmp_path):
    source = tmp_path / "noise.npy"
    X = np.frombuffer(np.random.default_rng(0).bytes(4000), np.uint8).reshape(-1, 4)
    np.save(source, X)
    packed, again = there_and_back(source, tmp_path, ".npy", "--block-rows", 10)
    assert packed.stat().st_size <= X.nbytes + 64
    assert again.read_bytes() == source.read_bytes()


def test_a_table_of_text_comes_back_with_names_and_gaps(tmp_path):
    source = tmp_path / "table.csv"
    source.write_text("a,b,c\n1,x,1.5\n2,y,\n30,,2.25\n")
    assert there_and_back(source, tmp_path, ".csv")[1].read_bytes() == source.read_bytes()
    numbers = tmp_path / "numbers.csv"
    numbers.write_text("a,b\n1,1.5\n2,-0.25\n")
    assert there_and_back(numbers, tmp_path, ".csv")[1].read_bytes() == numbers.read_bytes()
    bare = tmp_path / "bare.csv"
    bare.write_text("1,1.5\n2,-0.25\n7,0.125\n")
    assert there_and_back(bare, tmp_path, ".csv")[1].read_bytes() == bare.read_bytes()


def test_parquet_comes_back_with_its_types(tmp_path):
    pytest.importorskip("pyarrow")
    source = tmp_path / "table.parquet"
    frame = pd.DataFrame({"n": pd.array([1, None], dtype="Int64"), "t": ["a", "b"]})
    frame.to_parquet(source)
    _, again = there_and_back(source, tmp_path, ".parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(again), pd.read_parquet(source))


def test_a_folder_of_images_comes_back(tmp_path):
    image = pytest.importorskip("PIL.Image")
    folder = tmp_path / "images"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (5, 8, 6)).astype(np.uint8)
    for i, each in enumerate(pixels):
        image.fromarray(each).save(folder / f"{i}.png")
    _, again = there_and_back(folder, tmp_path, "")
    assert np.array_equal(datasets.read(again).images, pixels)


def test_names_of_an_npz_file_come_back(tmp_path):
    source = tmp_path / "rows.npz"
    np.savez(source, X=table(), feature_names=np.array(list("abcde")))
    _, again = there_and_back(source, tmp_path, ".npz")
    with np.load(again) as found:
        assert np.array_equal(found["X"], table())
        assert found["feature_names"].tolist() == list("abcde")


def test_damage_is_named_and_the_rest_is_read(tmp_path):
    source, packed, again = (tmp_path / name for name in ("rows.npy", "packed.wpz", "again.npy"))
    np.save(source, table())
    run("compress", source, "-o", packed, "--block-rows", 20)
    content = bytearray(packed.read_bytes())
    content[len(content) // 2] ^= 1
    packed.write_bytes(content)
    said = run("decompress", packed, "-o", again, code=2).stderr
    assert "Block 1 of 3 is damaged, rows 20 to 39" in said
    assert not again.exists()
    said = run("decompress", packed, "-o", again, "--skip-damaged").stderr
    assert "20 of 60 rows are lost: 20 to 39" in said
    assert np.array_equal(np.load(again), np.delete(table(), np.arange(20, 40), axis=0))


def test_what_cannot_be_is_refused_before_work(fitted, tmp_path):
    packed = tmp_path / "packed.wpz"
    assert "-o FILE.wpz" in run("compress", fitted.npy, code=2).stderr
    assert ".wpz" in run("compress", fitted.npy, "-o", tmp_path / "x.zip", code=2).stderr
    assert "--model" in run("compress", fitted.npy, "--estimate", code=2).stderr
    run("compress", fitted.csv, "-o", packed)
    assert "exists" in run("compress", fitted.npy, "-o", packed, code=2).stderr
    frame = run("decompress", packed, "-o", tmp_path / "x.npy", code=2).stderr
    assert ".csv or .parquet" in frame
    assert "kind" in run("decompress", packed, "-o", tmp_path / "x.zip", code=2).stderr
    no_container = run("decompress", fitted.npy, "-o", tmp_path / "x.npy", code=2).stderr
    assert "begins with" in no_container
    assert wp.decompress(packed.read_bytes()).shape == (60, 5)


def test_a_model_codes_the_rows_and_the_estimate_has_its_parts(tmp_path):
    model = MODELS / "levels" / "vae-discretized-logistic.wp"
    source, packed, again = (tmp_path / name for name in ("rows.npy", "packed.wpz", "again.npy"))
    rows = np.array(json.loads((MODELS / "scores.json").read_text())[model.stem]["rows"])
    np.save(source, np.tile(rows, (20, 1)))
    for options in ((), ("--include-model",)):
        said = run(
            "compress", source, "-o", packed, "--model", model, "--verify", "--force", *options
        )
        assert "decoded and equal" in said.stderr
        run("decompress", packed, "-o", again, "--force", *(() if options else ("-m", model)))
        assert again.read_bytes() == source.read_bytes()
    shown = run("compress", source, "--model", model, "--estimate").stdout
    assert shown.splitlines()[0].split()[:2] == ["rows", f"{80 * rows.shape[1] * 8:,}"]
    for part in ("−ELBO", "initial bits", "coder states", "file", "bits a value", "model"):
        assert part in shown


def test_a_target_is_met_and_reported_and_the_residual_completes_the_rows(tmp_path):
    model = MODELS / "levels" / "vae-beta-binomial.wp"
    source, packed, again = (tmp_path / name for name in ("rows.npy", "packed.wpz", "again.npy"))
    rows = np.array(json.loads((MODELS / "scores.json").read_text())[model.stem]["rows"])
    rows = np.random.default_rng(0).permuted(np.tile(rows, (800, 1)), axis=0).astype(np.uint8)
    np.save(source, rows)
    options = ("compress", source, "-o", packed, "-m", model, "--verify", "--force")
    said = run(*options, "--target-bits", 2).stderr
    assert "decoded and as reported" in said
    found = re.search(r"([\d.]+) bits a row, RMSE ([\d.]+);", " ".join(said.split()))
    assert found is not None
    bits, error = map(float, found.groups())
    assert 1.9 < bits < 2.1
    run("decompress", packed, "-o", again, "-m", model)
    changed = np.load(again)
    assert (changed.dtype, changed.shape) == (rows.dtype, rows.shape)
    assert np.sqrt(((changed.astype(float) - rows) ** 2).mean()) == pytest.approx(error, rel=1e-3)
    run(*options, "--target-bits", 2, "--keep-residual")
    run("decompress", packed, "-o", again, "-m", model, "--force")
    assert again.read_bytes() == source.read_bytes()
    run("decompress", packed, "-o", again, "-m", model, "--force", "--without-residual")
    np.testing.assert_array_equal(np.load(again), changed)
    assert "bits a row; got 1000" in run(*options, "--target-bits", 1000, code=2).stderr
    assert "Leave one out" in run(*options, "--target-bits", 2, "--target-rmse", 1, code=2).stderr
    assert "--estimate" in run(*options, "--target-bits", 2, "--estimate", code=2).stderr
