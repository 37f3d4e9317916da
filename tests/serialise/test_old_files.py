"""Files that earlier versions wrote load, and give the numbers that they gave then."""

import json
from pathlib import Path

import numpy as np
import pytest

import wellposed as wp
from wellposed import serialise
from wellposed.estimators._file import describe_fitted

MODELS = Path(__file__).parents[1] / "data" / "models"
THEN = json.loads((MODELS / "scores.json").read_text())
PATHS = {path.stem: path for path in MODELS.rglob("*.wp")}
# One of each kind of file; the others differ in the family of the noise.
QUICK = ("linear-vae", "ppca", "vae-columns", "vae-conv", "vae-shared")


def test_every_file_is_tried():
    assert set(PATHS) == set(THEN)


@pytest.mark.parametrize("name", THEN)
def test_a_file_of_an_earlier_version_loads(name):
    found = wp.load(PATHS[name])
    assert found.n_features_in_ == len(THEN[name]["rows"][0])
    # Every number of the model is bit for bit that of the file, whatever the machine.
    stored, kept = serialise.read(PATHS[name])[0], {}
    describe_fitted(found, kept)
    model = {each for each in stored if each.startswith("model.")} & set(kept)
    assert model
    for each in model:
        assert kept[each].dtype == stored[each].dtype
        np.testing.assert_array_equal(kept[each], stored[each])


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in THEN]
)
def test_a_model_of_an_earlier_version_scores_as_it_did(name):
    then = THEN[name]
    rows = np.array(then["rows"], then["dtype"])
    found = wp.load(PATHS[name])
    given = {"method": "encoder"} if isinstance(found, wp.VAE) else {}
    scores = found.score_samples(rows, **given)
    np.testing.assert_allclose(scores, then["log_p"], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(found.transform(rows), then["latents"], rtol=1e-3, atol=1e-4)
