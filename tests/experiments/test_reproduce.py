"""Published tables beside ours: verdicts, files, and the recipe of Lucas et al."""

import json
import math

import equinox as eqx
import jax
import numpy as np
import pytest

import wellposed as wp
from textbook import textbook_vae
from wellposed import evaluation
from wellposed.cli import app
from wellposed.experiments.reproduce import Cell, Claim, Reproduction, lucas, reproduce
from wellposed.experiments.reproduce import lucas_mnist as poster
from wellposed.noise import Gaussian


@pytest.mark.parametrize(
    ("cell", "verdict"),
    [
        (Cell("r", "c", 10.0, 1.0, 12.0, 1.0), "equal"),
        (Cell("r", "c", 10.0, 0.1, 12.0, 0.1), "differs"),
        (Cell("r", "c", 10.0, 0.1, 12.0, 0.1, "higher"), "worse"),
        (Cell("r", "c", 10.0, 0.1, 12.0, 0.1, "lower"), "better"),
        (Cell("r", "c", 13.0, 0.1, 12.0, math.nan, "higher"), "better"),
        (Cell("r", "c", 13.0, math.nan, 12.0), ""),
        (Cell("r", "c", 13.0, 0.1), ""),
        (Cell("r", "c", math.nan, 0.1, 12.0), ""),
    ],
)
def test_a_verdict_is_given_at_three_joint_errors(cell, verdict):
    assert cell.verdict == verdict


def test_a_table_is_written_as_markdown_and_json(tmp_path):
    cells = (
        Cell("one", "ELBO", -10.0, 0.5, -11.0, 0.2),
        Cell("two", "Var q(z|x)", math.nan),
        Cell("three", "ELBO", -1.4778e9, 1.7e7),
        Cell("three", "Var q(z|x)", 3.24e-6),
    )
    made = Reproduction("name", "Title", {"epochs": 3}, cells, (Claim("It falls", False, "5"),))
    markdown, plain = made.write(tmp_path)
    text = markdown.read_text(encoding="utf-8")
    assert "| one | −10.00 ± 0.50 (−11.00 ± 0.20) equal |  |" in text
    assert "| model | ELBO | Var q(z\\|x) |" in text  # no third column
    assert "| three | −1.48e+09 ± 1.7e+07 | 3.24e-06 |" in text
    assert "It falls — **does not hold**: 5" in text
    stored = json.loads(plain.read_text(encoding="utf-8"))
    assert stored["cells"][1]["value"] is None
    assert stored["cells"][0]["distance"] == pytest.approx(1 / math.hypot(0.5, 0.2))


def test_the_published_table_agrees_with_itself():
    """Tuned ELBO + KL + (d/2)(log 2πσ² + 1) is one constant, the mean log-Jacobian of the data."""
    constants = []
    for label in ("σ² = 1", *(f"σ² from {v:g}" for v in lucas.VARIANCES)):
        _, (tuned, _), variance, _, (rate, _) = poster.PUBLISHED[label]
        constants.append(tuned + rate + 392 * (math.log(2 * math.pi * variance) + 1))
    assert max(constants) - min(constants) < 1.3
    assert np.mean(constants) == pytest.approx(272.7, abs=0.5)


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning")
def test_the_tuned_elbo_is_that_of_the_model_with_the_tuned_noise(digits):
    rows, test = digits[:300], digits[300:400]
    vae = textbook_vae(3, noise=0.05, hidden=(8,), max_epochs=3, image_shape=(8, 8), random_state=0)
    vae.fit(rows)
    found = lucas.tuned_figures(vae, rows, test)
    tuned = Gaussian(found["tuned_variance"])
    tuned = eqx.tree_at(lambda m: m.noise.scale.given, vae.model_, tuned.scale.given)
    key = jax.random.key(1)
    exact = float(evaluation.elbo(tuned, test, n_samples=64, key=key).elbo.mean())
    own = float(evaluation.elbo(vae.model_, test, n_samples=64, key=key).elbo.mean())
    # One draw of z a row in the residuals, 64 here.
    assert found["tuned_elbo"] == pytest.approx(exact, abs=0.02 * (exact - own))
    assert exact > own + 100


@pytest.mark.parametrize(
    ("collapsed", "holds"),
    [
        ((0.9, 0.5, 0.1, 0.0, 0.0), True),
        ((0.9, 0.95, 0.1, 0.0, 0.0), False),
        ((0.0, 0.0, 0.0, 0.0, 0.0), False),  # no collapse at all is no ordering
        ((1.0, 1.0, 1.0, 1.0, 1.0), False),
    ],
)
def test_more_noise_collapses_more_latents_only_where_some_collapse(collapsed, holds):
    figures = {
        row: {"elbo": [-1.0], "collapsed": [dead]}
        for row, dead in zip(lucas.GIVEN, collapsed, strict=True)
    } | {row: {"elbo": [0.0], "collapsed": [0.0]} for row in lucas.LEARNED}
    first, *_ = lucas._claims(figures, {})
    assert "collapse" in first.statement
    assert first.holds is holds


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_the_recipe_makes_every_row(shared_data, tmp_path):
    data = wp.datasets.load("mnist", cache=shared_data("mnist").parent)
    vae = poster.template(quick=True)
    vae.set_params(n_components=5, hidden=(16,), max_epochs=3, kl_warmup=1)
    found = lucas.grid(vae, data.train.values[:600], data.test.values[:200], n_seeds=2)
    made = poster.reproduction(found, vae, quick=True)
    assert made.rows == list(lucas.rows_of_table())
    assert set(poster.PUBLISHED) < set(made.rows)
    assert all(math.isfinite(cell.value) for cell in made.cells)
    assert made.settings["seeds"] == "2"


def test_an_unknown_recipe_and_absent_data_are_told(tmp_path):
    with pytest.raises(wp.SettingError, match="Did you mean 'lucas2019-mnist'"):
        reproduce("lucas2019-minst", tmp_path)
    with pytest.raises(wp.DataError, match="data fetch mnist"):
        reproduce("lucas2019-mnist", tmp_path, data=tmp_path)
    from typer.testing import CliRunner

    told = CliRunner().invoke(app, ["reproduce", "lucas2019-mnist", "--data", str(tmp_path)])
    assert told.exit_code != 0
