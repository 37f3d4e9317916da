"""Every recipe, from few images and short trainings to its files."""

import collections
import dataclasses
import json
import math
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

import wellposed as wp
from wellposed import datasets
from wellposed.cli import _reproduce
from wellposed.experiments.reproduce import (
    RECIPES,
    daiwipf,
    lucas_celeba,
    lucas_linear,
    lucas_mnist,
    reproduce,
    rybkin,
    stirn,
)
from wellposed.experiments.reproduce.thesis import page as thesis_page
from wellposed.experiments.reproduce.thesis.measures import Measures
from wellposed.experiments.reproduce.thesis.sections import sections

ROOT = Path(__file__).resolve().parents[2]

SMALL = {"max_epochs": 2, "kl_warmup": 0}
TEMPLATES = {
    "lucas2019-mnist": (lucas_mnist, {"hidden": (8,), "n_components": 3}),
    "lucas2019-fashion": (lucas_mnist, {"hidden": (8,), "n_components": 3}),
    "rybkin2020": (rybkin, {"hidden": (8,), "n_components": 3}),
    "daiwipf2019": (daiwipf, {"hidden": (8,), "n_components": 3}),
    "stirn2020": (stirn, {"hidden": (8,), "n_components": 3}),
}


@pytest.fixture
def few_images(shared_data, monkeypatch):
    """Four hundred training and two hundred test images in the place of all."""
    folder, load = shared_data("mnist").parent, datasets.load

    def few(name, *, cache=None):
        parts = load(name, cache=folder)
        cut = [
            datasets.Source(p.values[:n], p.image_shape, labels=p.labels[:n])
            for p, n in ((parts.train, 400), (parts.test, 200))
        ]
        return datasets.Splits(*cut)

    monkeypatch.setattr(datasets, "load", few)


@pytest.mark.slow
@pytest.mark.usefixtures("few_images")
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_recipe_writes_its_table(name, monkeypatch, tmp_path):
    module, smaller = TEMPLATES[name]
    template = module.template

    def small(*arguments, **settings):
        return template(*arguments, **settings).set_params(**SMALL, **smaller)

    monkeypatch.setattr(module, "template", small)
    made, files = reproduce(name, tmp_path, quick=True, progress=False)
    assert made.title.endswith(", quick")
    assert all(math.isfinite(cell.value) for cell in made.cells)
    assert made.claims
    assert [path.suffix for path in files] == [".md", ".json", ".png"]
    stored = json.loads(files[1].read_text(encoding="utf-8"))
    assert len(stored["cells"]) == len(made.rows) * len(made.columns)
    again, _ = reproduce(name, tmp_path, quick=True, progress=False)
    assert again == made


@pytest.mark.slow
@pytest.mark.usefixtures("few_images")
def test_the_linear_recipe_reaches_ppca(monkeypatch, tmp_path):
    monkeypatch.setattr(lucas_linear, "_K", 5)
    monkeypatch.setattr(lucas_linear, "LATENTS", 5)
    monkeypatch.setattr(lucas_linear, "VARIANCES", (3.0, 0.03))
    ascend, collapses = lucas_linear.ascend, lucas_linear.collapses

    def shorter(rows, job, **settings):
        # Constant pixels have a density of their own in a VAE, and the noise's in pPCA.
        varying = rows[:, np.ptp(rows, axis=0) > 0]
        return ascend(varying, job, **settings | {"epochs": 5_000})

    monkeypatch.setattr(lucas_linear, "ascend", shorter)
    monkeypatch.setattr(
        lucas_linear, "collapses", lambda *of, **s: collapses(*of, **s | {"epochs": 60})
    )
    made, _ = reproduce("lucas2019-linear", tmp_path, quick=True, progress=False)
    exact, solved, climbed = (cell.value for cell in made.cells[:3])
    assert solved == pytest.approx(exact, rel=1e-6)
    assert exact - 3 < climbed < exact + 0.5
    assert (
        made.cell(lucas_linear.FORECAST, "σ² = 3").value > made.cell("forecast", "σ² = 0.03").value
    )


@pytest.fixture
def faces(tmp_path):
    """A folder of twelve colour images of 64×64, and the same as a zip."""
    image = pytest.importorskip("PIL.Image")
    folder, draws = tmp_path / "faces", np.random.default_rng(0)
    folder.mkdir()
    for i in range(12):
        picture = image.fromarray(draws.integers(0, 256, (64, 64, 3), np.uint8))
        picture.save(folder / f"{i:02d}.png")
    packed = tmp_path / "faces.zip"
    with zipfile.ZipFile(packed, "w") as out:
        for path in folder.iterdir():
            out.write(path, f"celeba/{path.name}")
    return folder, packed


def test_celeba_is_read_from_a_folder_and_from_a_zip(faces):
    folder, packed = faces
    images = lucas_celeba.images_of(folder)
    assert images.shape == (12, 64 * 64 * 3)
    np.testing.assert_array_equal(lucas_celeba.images_of(packed), images)


def test_celeba_must_be_given_and_be_of_its_size(faces, tmp_path):
    with pytest.raises(wp.SettingError, match="--data"):
        reproduce("lucas2019-celeba", tmp_path)
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"no zip")
    with pytest.raises(wp.DataError, match="zip must open"):
        lucas_celeba.images_of(broken)
    np.save(tmp_path / "grey.npy", np.zeros((3, 64, 64), np.uint8))
    with pytest.raises(wp.DataError, match=r"colour images of 64×64.*\(64, 64\)"):
        lucas_celeba.images_of(tmp_path / "grey.npy")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lucas2019-celeba", "lucas2019-olivetti"])
def test_faces_are_trained_with_convolutions(name, faces, shared_data, monkeypatch, tmp_path):
    template, read = lucas_celeba.template, datasets.read

    def small(shape, **_):
        return template(shape, epochs=2, n_components=2)

    def few(path):
        found = read(path)
        return datasets.Source(found.values[:20], found.image_shape)

    monkeypatch.setattr(lucas_celeba, "template", small)
    monkeypatch.setattr(datasets, "read", few)
    data = faces[0] if name.endswith("celeba") else shared_data("olivetti-faces").parent
    if name.endswith("olivetti"):
        monkeypatch.setattr(lucas_celeba, "_HELD_OUT", 4)
    made, _ = reproduce(name, tmp_path, quick=True, data=data, progress=False)
    assert len(made.cells) == 11 * 5
    assert all(math.isfinite(cell.value) for cell in made.cells)


@pytest.mark.slow
@pytest.mark.usefixtures("few_images")
def test_the_thesis_becomes_a_page(monkeypatch, tmp_path):
    trainings = thesis_page.trainings

    def small(*, quick):
        made = trainings(quick=quick)
        for training in made.values():
            training.vae.set_params(**SMALL, hidden=(8,))
        return made

    monkeypatch.setattr(thesis_page, "trainings", small)
    made, files = reproduce("thesis", tmp_path, quick=True, progress=False)
    assert len(made.rows) == 16
    figures = [section.title.split(":")[0] for section in made.sections]
    numbers = (3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)
    assert figures == [f"Figure 5.{n}" for n in numbers]
    page = files[0].read_text(encoding="utf-8")
    for section in made.sections:
        assert (files[0].parent / section.picture).stat().st_size > 1000
        assert f"![{section.alt}]({section.picture})" in page
    # One parameter, βσ²: the same start and the same steps end at the same model.
    same = [made.cell(f"{name}, d = 20", "RMSE") for name in ("σ = 1, β = 0.01", "σ = 0.1")]
    assert same[0].value == pytest.approx(same[1].value, rel=1e-2)
    assert next(c for c in made.claims if "left-over" in c.statement).holds


def test_every_recipe_is_tested_here():
    others = {"lucas2019-linear", "lucas2019-celeba", "lucas2019-olivetti", "thesis"}
    assert {*TEMPLATES, *others} == set(RECIPES)


def test_the_command_knows_every_recipe():
    assert _reproduce._complete("") == list(RECIPES)
    assert _reproduce._complete("lucas2019-f") == ["lucas2019-fashion"]


def test_the_committed_page_has_the_sentences_of_the_recipe():
    zeros = [0] * len(dataclasses.fields(Measures))
    models = {name: Measures(*zeros) for name in thesis_page.trainings(quick=True)}
    distances = collections.defaultdict(float)
    written = ROOT / "docs" / "reproductions" / "thesis.md"
    page = without_numbers(written.read_text(encoding="utf-8"))
    found = sections(models, {"free-20": distances, "causal-20": distances})
    assert len(found) == 15
    for section, _ in found:
        assert without_numbers(f"## {section.title}\n\n![{section.alt}]") in page
        assert without_numbers(section.text) in page


def without_numbers(text):
    return re.sub(r"[-−]?\d+(\.\d+)?(e[+-]\d+)?", "#", text)
