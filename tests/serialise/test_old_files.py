"""Files that earlier versions wrote load, and give the numbers that they gave then."""

import json
from pathlib import Path

import numpy as np
import pytest

import wellposed as wp
from wellposed import serialise

MODELS = Path(__file__).parents[1] / "data" / "models"
THEN = json.loads((MODELS / "scores.json").read_text())
PATHS = {path.stem: path for path in MODELS.rglob("*.wp")}
# One of each kind of file; the others differ in the family of the noise.
QUICK = (
    "gaussian-imputer", "linear-vae", "mixture-ppca", "ppca",
    "vae-columns", "vae-conv", "vae-shared",
)  # fmt: skip

NO_LONGER_KEPT = ("_codes", "priors_.aggregate.")  # since log p(x) became that of one prior
FIGURES = {
    "log_p": ("score_samples", 1e-4, 1e-3),
    "latents": ("transform", 1e-3, 1e-4),
    "filled": ("transform", 1e-3, 1e-4),
    "predictions": ("predict", 1e-3, 1e-4),
}


def test_every_file_is_tried():
    assert set(PATHS) == set(THEN)


@pytest.mark.parametrize("name", THEN)
def test_a_file_of_an_earlier_version_loads_with_every_bit(tmp_path, name):
    """Saved again, it holds the same numbers, but for those that are no longer kept."""
    found, path = wp.load(PATHS[name]), tmp_path / "again.wp"
    given = len(getattr(found, "covariates", None) or ())  # columns that are no features
    assert found.n_features_in_ + given == len(THEN[name]["rows"][0])
    found.save(path)
    old, new = serialise.read(PATHS[name])[0], serialise.read(path)[0]
    assert all(each.startswith(NO_LONGER_KEPT) for each in set(old) - set(new))
    kept = set(old) & set(new)
    assert kept
    for each in kept:
        assert old[each].dtype == new[each].dtype, each
        assert old[each].shape == new[each].shape, each
        assert old[each].tobytes() == new[each].tobytes(), each


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in THEN]
)
def test_a_model_of_an_earlier_version_scores_as_it_did(tmp_path, name):
    """Within rounding, which differs between machines; bit for bit after another ``save``."""
    then, found, path = THEN[name], wp.load(PATHS[name]), tmp_path / "again.wp"
    rows = np.array(then["rows"], then["dtype"])
    found.save(path)
    again = wp.load(path)
    for figure, (method, rtol, atol) in FIGURES.items():
        if figure not in then:
            continue
        by_encoder = isinstance(found, wp.VAE) and method == "score_samples"
        given = {"method": "encoder"} if by_encoder else {}
        values = getattr(found, method)(rows, **given)
        np.testing.assert_allclose(values, then[figure], rtol=rtol, atol=atol)
        np.testing.assert_array_equal(values, getattr(again, method)(rows, **given))
