"""Every saved model either codes rows exactly, or is refused with a remedy."""

import json
from pathlib import Path

import numpy as np
import pytest

import wellposed as wp
from wellposed.coding.container import blocks

MODELS = Path(__file__).parents[2] / "data" / "models"
ROWS = json.loads((MODELS / "scores.json").read_text())
FILES = {path.stem: path for path in MODELS.glob("*/*.wp") if "rows" in ROWS.get(path.stem, {})}
# Models that the codec must take; the others it may refuse.
TAKEN = {
    "vae-bernoulli",
    "vae-beta",
    "vae-beta-binomial",
    "vae-categorical",
    "vae-causal-gaussian",
    "vae-causal-logistic",
    "vae-composition",
    "vae-conditional",
    "vae-continuous-bernoulli",
    "vae-conv",
    "vae-discretized-gaussian",
    "vae-discretized-logistic",
    "vae-feature",
    "vae-gamma",
    "vae-given",
    "vae-laplace",
    "vae-log-normal",
    "vae-low-rank",
    "vae-negative-binomial",
    "vae-poisson",
    "vae-prior",
    "vae-robust",
    "vae-shared",
    "vae-student-t",
    "vae-truncated-normal",
    "vae-zero-inflated",
}


@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
@pytest.mark.parametrize("name", sorted(FILES))
def test_a_saved_model_codes_exactly_or_is_refused(name, monkeypatch):
    monkeypatch.setattr(blocks, "pack_plain", lambda parts: bytes(10**6))
    stored = [[np.nan if v is None else v for v in row] for row in ROWS[name]["rows"]]
    model, rows = wp.load(FILES[name]), np.round(np.array(stored), 2)
    if name not in TAKEN:
        try:
            wp.compress(model, rows)
        except wp.SettingError as error:
            said = str(error)
            assert "Fit " in said or "Train with" in said
            return
    data = wp.compress(model, rows)
    assert wp.decompress(data, model).tobytes() == rows.tobytes()
    alone = wp.compress(model, rows, include_model=True)
    assert wp.decompress(alone).tobytes() == rows.tobytes()


@pytest.mark.parametrize("digits", [17, 7])
def test_columns_without_a_step_are_compressed_without_the_model_and_named(digits):
    model = wp.load(FILES["vae-shared"])
    rows = np.random.default_rng(0).normal(size=(50, 3)).round(2)
    rows[:, 1] = (rows[:, 1] / 3).round(digits)
    with pytest.warns(wp.DataHint, match="the first is number 1"):
        data = wp.compress(model, rows)
    assert wp.decompress(data).tobytes() == rows.tobytes()
