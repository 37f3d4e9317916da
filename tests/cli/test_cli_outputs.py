"""No command writes over what it reads, by whatever name."""

import shutil
import tempfile

import numpy as np
import pytest
from cli_running import SMALL, run

import wellposed as wp


@pytest.fixture
def files(fitted, tmp_path):
    """Copies of the model and the data, under suffixes that commands write."""
    paths = {}
    for suffix in (".npy", ".csv", ".html", ".json", ".png"):
        paths[suffix] = tmp_path / f"model{suffix}"
        shutil.copy(fitted.model, paths[suffix])
    paths["data.npy"] = tmp_path / "data.npy"
    shutil.copy(fitted.npy, paths["data.npy"])
    for link, target in (("link.npy", "data.npy"), ("link.html", "model.html")):
        (tmp_path / link).symlink_to(tmp_path / target)
        paths[link] = tmp_path / link
    paths["hard.npy"] = tmp_path / "hard.npy"
    paths["hard.npy"].hardlink_to(paths["data.npy"])
    np.save(tmp_path / "z.npy", np.zeros((2, 2)))
    paths["z.npy"] = tmp_path / "z.npy"
    return paths


COMMANDS = [
    ("fit", "data.npy", "-o", "data.npy"),
    ("fit", "data.npy", "-o", "link.npy"),
    ("fit", "data.npy", "-o", "hard.npy"),
    ("fit", "data.npy", "-o", "new.wp", "--checkpoint", "hard.npy"),
    ("fit", "data.npy", "-o", "model.npy", "--checkpoint", "model.npy"),
    ("score", "model.npy", "data.npy", "-o", "model.npy"),
    ("score", "model.npy", "data.npy", "-o", "hard.npy"),
    ("sample", "model.npy", "-o", "model.npy"),
    ("sample", "model.png", "-o", "model.png"),
    ("encode", "model.npy", "data.npy", "-o", "link.npy"),
    ("decode", "model.npy", "z.npy", "-o", "z.npy"),
    ("decode", "model.npy", "z.npy", "-o", "model.npy"),
    ("diagnose", "model.html", "data.npy", "-o", "link.html"),
    ("diagnose", "model.json", "data.npy", "-o", "new.html", "-o", "model.json"),
    ("diagnose", "model.json", "data.npy", "-o", "new.html", "-o", "new.html"),
    ("diagnose", "model.json", "data.npy", "--train", "model.html", "-o", "model.html"),
    ("report", "model.html", "data.npy", "-o", "link.html"),
    ("forecast", "model.csv", "-k", "2", "-o", "model.csv"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_output_that_is_an_input_is_refused(files, tmp_path, command):
    name, *words = command
    before = {path: path.read_bytes() for path in files.values()}
    words = [str(tmp_path / word) if "." in word else word for word in words]
    options = SMALL if name == "fit" else ()
    said = run(name, *words, *options, "--force", code=2).stderr
    assert "a file of its own" in said
    assert {path: path.read_bytes() for path in files.values()} == before
    assert not (tmp_path / "new.wp").exists()


def test_a_reproduction_is_not_written_over_its_data(tmp_path):
    folder = tmp_path / "out"
    data = folder / "lucas2019-celeba"
    data.mkdir(parents=True)
    said = run("reproduce", "lucas2019-celeba", "-o", folder, "--data", data, code=2).stderr
    assert "a file of its own" in said


def test_the_prior_of_the_fit_is_the_models(fitted, tmp_path):
    path = tmp_path / "mixture.wp"
    run("fit", fitted.npy, "-o", path, *SMALL, "--prior", "mixture", "--prior-components", "3")
    assert len(wp.load(path).model_.prior.log_weights) == 3
    assert "No such option" in run("sample", path, "--prior", "standard", code=2).stderr


def test_a_long_name_keeps_its_model(fitted, tmp_path):
    """Found before the training where it cannot be, and written where it can."""
    path = tmp_path / ("m" * 252 + ".wp")
    run("fit", fitted.npy, "-o", path, *SMALL)
    assert path.exists()
    said = run("fit", fitted.npy, "-o", f"{path}p", *SMALL, code=2).stderr
    assert "cannot be written" in said


def test_a_disk_that_filled_up_during_training_loses_no_model(fitted, tmp_path, monkeypatch):
    save = wp.VAE.save

    def full(self, path, **options):
        if str(path) == str(output):
            raise wp.OutputError("No space left on device.")
        save(self, path, **options)

    output = tmp_path / "m.wp"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(wp.VAE, "save", full)
    said = run("fit", fitted.npy, "-o", output, *SMALL, code=2).stderr
    (kept,) = (tmp_path / "elsewhere").glob("*/model.wp")
    assert f"The model is in {kept}" in said
    assert wp.load(kept).n_features_in_ == 5
