"""What the documentation shows runs."""

import doctest
import importlib
import json
import os
import pkgutil
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from test_reference import modules_with_shared_names
from typer.testing import CliRunner

import wellposed
from variants import slow_beside
from wellposed.cli import app

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
HOW_TO = ROOT / "docs" / "how-to"
REPRODUCTIONS = ROOT / "docs" / "reproductions"
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(wellposed.__path__, "wellposed.")
    if not module.name.endswith("__main__")
)


def with_examples(names: list[str]) -> list[str]:
    """Those of the modules whose source shows an example; none is imported for it."""
    root = Path(wellposed.__file__).parents[1]
    files = {name: root.joinpath(*name.split(".")) for name in names}
    sources = {
        name: path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        for name, path in files.items()
    }
    return [name for name, path in sources.items() if ">>> " in path.read_text(encoding="utf-8")]


# Examples with the names of the page of the reference run in test_reference.
ELSEWHERE = modules_with_shared_names()
EXAMPLES = [name for name in with_examples(["wellposed", *MODULES]) if name not in ELSEWHERE]
# Examples that fit models or draw for seconds; tests of their own check what they show.
LONG = {
    "wellposed.estimators.few_labels.classifier",
    "wellposed.estimators.few_labels.regressor",
    "wellposed.estimators.grid.fit_grid",
    "wellposed.estimators.grid.rate_distortion",
    "wellposed.estimators.imputation.vae",
    "wellposed.estimators.outliers.outlier_vae",
    "wellposed.estimators.synthetic.quality",
    "wellposed.experiments._pictures",
    "wellposed.training._advance",
    "wellposed.training._folds",
}


def test_long_examples_are_of_modules_that_have_examples():
    assert set(EXAMPLES) >= LONG


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.parametrize("name", slow_beside(EXAMPLES, set(EXAMPLES) - LONG))
def test_examples_in_docstrings(name):
    module = importlib.import_module(name)
    assert any(found.examples for found in doctest.DocTestFinder().find(module))
    assert doctest.testmod(module, extraglobs={"np": np}).failed == 0


def test_every_module_can_be_imported():
    for name in MODULES:
        importlib.import_module(name)


def examples(page: Path) -> list[str]:
    """Blocks of Python that a page shows."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning")
@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_the_example_of_the_page_on_noise(capsys):
    (example,) = examples(HOW_TO / "noise.md")
    names: dict = {}
    exec(example, names)
    bound, mismatch = capsys.readouterr().out.split("\n", 1)
    assert -100 < float(bound) < 0
    assert "mismatch KL(q(z) ‖ p(z))" in mismatch
    draws = names["draws"]
    assert draws.shape == (16, 64)
    assert set(np.unique(draws)) <= set(range(17))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_the_example_of_the_page_on_own_noise(tmp_path, monkeypatch, capsys):
    """The contract of its family is tested in tests/noise, among all others."""
    monkeypatch.chdir(tmp_path)
    family, use = examples(HOW_TO / "own-noise.md")
    assert len(family.splitlines()) <= 40
    names: dict = {"__name__": "own_noise"}
    exec(family, names)
    exec(use, names)
    vae, again, X = names["vae"], names["again"], names["X"]
    assert float(capsys.readouterr().out) <= vae.model_.log_density_bound(6)
    assert names["draws"].shape == (1000, 6)
    np.testing.assert_allclose(names["draws"].std(axis=0), X.std(axis=0), rtol=0.2)
    np.testing.assert_array_equal(again.score_samples(X[:50]), vae.score_samples(X[:50]))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_the_example_of_the_page_on_judging(capsys):
    diagnoses, comparison = examples(HOW_TO / "judging.md")
    names: dict = {}
    exec(diagnoses, names)
    said = capsys.readouterr().out.split("Diagnosis of ")[1:]
    # One σ² for all pixels loses to a mixture of Gaussians, which is named before the cause.
    summaries = [
        re.sub(r"^Worse than .*? nats a row\. ", "", text.splitlines()[1]) for text in said
    ]
    assert [re.split(r" \(|[.,;]", text)[0] for text in summaries][:2] == [
        "The noise variance is too large",
        "The decoder has overfitted",
    ]
    exec(comparison, names)
    verdicts = re.findall(r"  (worse|better)  ", capsys.readouterr().out)
    assert verdicts == re.findall(r"  (worse|better)  ", (HOW_TO / "judging.md").read_text())
    assert verdicts == ["worse"] * 3 + ["better"] * 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_the_example_of_the_page_on_covariates(capsys):
    (example,) = examples(HOW_TO / "covariates.md")
    names: dict = {}
    exec(example, names)
    assert "laboratory: first, second" in capsys.readouterr().out
    X, moved = names["X"], names["in_first"]
    wines = ["flavanoids", "color_intensity", "proline"]
    before, after = (np.log(frame[wines]).groupby(X["laboratory"]).mean() for frame in (X, moved))
    assert np.abs(np.diff(after, axis=0)).max() < 0.5 * np.abs(np.diff(before, axis=0)).max()
    np.testing.assert_allclose(names["the_same"][wines], moved[wines], rtol=1e-4)
    assert set(names["draws"]["laboratory"]) == {"second"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_the_example_of_the_page_on_compression(capsys):
    example, _, lossy = examples(HOW_TO / "compression.md")
    names: dict = {}
    exec(example, names)
    exec(lossy, names)
    by_model, without, alone = map(int, capsys.readouterr().out.split())
    assert by_model < without < alone
    assert names["again"].dtype == np.uint8
    np.testing.assert_array_equal(names["again"], names["X"][1437:])
    np.testing.assert_array_equal(wellposed.decompress(names["alone"]), names["again"])
    assert names["same"].equals(names["frame"])
    assert len(names["small"]) < by_model / 3
    assert names["near"].dtype == np.uint8
    np.testing.assert_array_equal(names["front"], names["near"])
    again = wellposed.decompress(names["whole"], names["vae"])
    np.testing.assert_array_equal(again, names["again"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_the_example_of_the_page_on_known_factors(capsys):
    (example,) = examples(REPRODUCTIONS / "disentanglement.md")
    names: dict = {}
    exec(example, names)
    scores = names["scores"]
    assert str(scores) in capsys.readouterr().out
    assert scores.informativeness.value > 0.8
    assert names["vae"].transform(names["held_out"]).shape == names["z"].shape


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning")
def test_the_example_of_the_page_on_grids(capsys):
    (example,) = examples(HOW_TO / "grids.md")
    names: dict = {}
    exec(example, names)
    found, table = names["found"], names["table"]
    assert found.complete
    assert list(table["noise"].unique()) == ["0.1", "1", "learned"]
    assert table["elbo"].max() == names["best"].elbo(names["X"][1400:], 8).mean(dtype=float)
    assert len(capsys.readouterr().out.splitlines()) == 1 + 9


@pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning")
@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")  # of 3 epochs
@pytest.mark.parametrize("epochs", [3, pytest.param(None, marks=pytest.mark.slow)])
def test_the_examples_of_the_readme(epochs, tmp_path, monkeypatch, capsys):
    """As written, and always with few epochs."""
    monkeypatch.chdir(tmp_path)
    fit_and_score, before_and_after = examples(README)
    names: dict = {}
    if epochs is not None:
        fit_and_score = fit_and_score.replace("wp.VAE(", f"wp.VAE(max_epochs={epochs}, ")
        assert f"max_epochs={epochs}" in fit_and_score
    exec(fit_and_score, names)
    log_p, bound, variance = map(float, capsys.readouterr().out.split())
    assert bound < log_p
    assert 0 < variance < 1
    np.testing.assert_array_equal(
        names["again"].transform(names["X"]), names["vae"].transform(names["X"])
    )
    exec(before_and_after, names)
    ours, forecast, implied, linear, *compared, collapse, residual = (
        capsys.readouterr().out.splitlines()
    )
    assert "20 of 20 latents are active" in ours
    assert "standardised data" in ours
    assert "10 of 20 latents are active" in forecast
    assert "squared units of the data" in forecast
    assert "σ² = 32" in implied
    exact, elbo = map(float, linear.split())
    assert exact == pytest.approx(elbo, rel=1e-9)
    assert exact == pytest.approx(-159.99, abs=0.005)
    assert [line.split("  ")[0] for line in compared[1:5]] == [
        "this VAE",
        "probabilistic PCA",
        "one Gaussian",
        "a mixture of Gaussians",
    ]
    assert "of 20 latents" in collapse
    assert "βσ²" in residual


def test_the_example_of_the_page_on_gaps(capsys):
    example, *_ = examples(HOW_TO / "gaps.md")
    names: dict = {}
    exec(example, names)
    said = capsys.readouterr().out
    assert "hidden entries" in said
    whole, X, filled, draws = (names[name] for name in ("whole", "X", "filled", "draws"))
    seen = ~np.isnan(X)
    np.testing.assert_array_equal(filled[seen], whole[seen])
    assert draws.shape == (10, *X.shape)
    assert np.isfinite(names["log_p"]).all()
    assert names["latents"].shape == (len(X), 4)
    low, high = map(float, said.splitlines()[-1].split())
    assert low < whole[:, 0].mean() < high


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")  # of 20 epochs
def test_the_examples_of_the_page_on_gaps_run_one_after_another(capsys):
    names: dict = {}
    for example in examples(HOW_TO / "gaps.md"):
        exec(example, names)
    assert "(569, 10)" in capsys.readouterr().out
    assert (names["imputer"].vaes_[0].model_.noise.slopes() >= 0).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_the_example_of_the_page_on_few_labels(capsys):
    example, *_ = examples(HOW_TO / "few-labels.md")
    names: dict = {}
    exec(example, names)
    accuracy, calibration, *_ = capsys.readouterr().out.splitlines()
    assert float(accuracy) > 0.88
    assert calibration.startswith("T = ")
    assert names["threes"].shape == (16, 64)
    of_threes = names["X"][:20][names["kind"][:20] == 3]
    log_p = names["log_p"][names["kind"][:20] == 3]
    others = names["model"].score_samples(of_threes, 8)
    assert (log_p > others).mean() > 0.5


def test_the_example_of_upright_neighbours(monkeypatch):
    """Bars of one slant each become upright: the shear that leads back is undone."""
    monkeypatch.syspath_prepend(str(ROOT))  # the benchmarks are not installed with the library
    _, example, _ = examples(HOW_TO / "few-labels.md")
    names: dict = {}
    exec(example, names)
    assert names["both"].get_params()["neighbours"] == [None, names["upright"]]
    down, right = np.mgrid[:28, :28] - 13.5
    slants = np.array([-0.6, 0.0, 0.4])[:, None, None]
    bars = np.exp(-(((right - slants * down - 2) / 1.5) ** 2) - (down / 5) ** 2)
    found = names["straighten"](bars.reshape(3, -1)).reshape(3, 28, 28)
    upright = found / found.sum(axis=(1, 2), keepdims=True)
    assert np.abs((upright * down).sum(axis=(1, 2))).max() < 0.05
    assert np.abs((upright * right).sum(axis=(1, 2))).max() < 0.05
    assert np.abs((upright * down * right).sum(axis=(1, 2))).max() < 0.05
    assert np.abs(found - found[1]).max() < 0.05
    assert not names["straighten"](np.zeros((1, 784))).any()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_the_example_of_the_page_on_few_real_labels():
    *_, example = examples(HOW_TO / "few-labels.md")
    names: dict = {}
    exec(example, names)
    error = names["mean"] - (50 + 10 * names["z"])
    assert np.sqrt(np.mean(error**2)) < 3  # of a standard deviation of ten
    assert (names["std"] > 0).all()
    assert names["draws"].shape == (10, 3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_the_losses_of_the_page_on_other_frameworks(capsys):
    *_, losses = (e for e in examples(HOW_TO / "from-other-frameworks.md") if "implied" in e)
    exec(losses, {})
    *implied, learned = capsys.readouterr().out.splitlines()
    bounds = [float(re.findall(r"ELBO (\S+)", line)[0]) for line in (*implied, learned)]
    assert len(implied) == 5
    assert min(bounds[-1] - np.array(bounds[:-1])) > 5
    assert "σ² 32.0" in implied[1]
    assert "0 active latents" in implied[1]


def test_the_trackers_of_the_page_on_other_frameworks(monkeypatch):
    """With writers that keep what they get, the record of an epoch as training makes it."""
    scalars, metrics = [], []
    board, flow = ModuleType("torch.utils.tensorboard"), ModuleType("mlflow")
    writer = SimpleNamespace(add_scalar=lambda *entry: scalars.append(entry))
    board.SummaryWriter = lambda folder: writer
    flow.log_metrics = lambda values, step: metrics.append((values, step))
    for name in ("torch", "torch.utils"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", board)
    monkeypatch.setitem(sys.modules, "mlflow", flow)
    names: dict = {}
    for example in examples(HOW_TO / "from-other-frameworks.md"):
        if "report" in example:
            exec(example, names)
    row = (1.0, -2.5, -2.0, 0.5, *[np.nan] * 3, 0.25, 1e-3)
    report: Any = SimpleNamespace(epoch=1, history=wellposed.training.History((row,)))
    assert not names["to_tensorboard"](report)  # a true result would end the training
    assert not names["to_mlflow"](report)
    assert ("kl", 0.5, 1) in scalars
    assert [name for name, *_ in scalars][::3] == ["objective", "noise_variance"]
    ((values, step),) = metrics
    assert step == 1
    assert values["objective"] == -2.5
    assert set(values) == {
        name for name in wellposed.training.COLUMNS if not name.startswith("held_out")
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_the_page_that_one_starts_with(tmp_path, monkeypatch, capsys):
    """Its snippets one after another, then its commands, with few epochs."""
    monkeypatch.chdir(tmp_path)
    page = ROOT / "docs" / "start" / "index.md"
    names: dict = {}
    for example in examples(page):
        exec(example.replace("wp.VAE(", "wp.VAE(max_epochs=20, "), names)
    said = capsys.readouterr().out
    assert "mean radius             real" in said
    assert "a mixture of Gaussians" in said
    assert list(names["drawn"].columns) == list(names["table"].columns)
    np.testing.assert_array_equal(names["again"].score_samples(names["held_out"]), names["log_p"])
    commands = re.findall(r"^\$ wellposed (\S+ .*\.\S+)$", page.read_text(), re.MULTILINE)
    assert len(commands) == 5
    for command in commands:
        words = shlex.split(command)
        few = ["--max-epochs", "20"] if words[0] == "fit" else []
        done = CliRunner().invoke(app, [*words, "--force", *few])
        assert done.exit_code == 0, done.output
    assert {"report.html", "diagnosis.html", "log-p.csv", "drawn.csv"} <= set(os.listdir())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_the_examples_of_new_rows_and_of_own_networks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for page in ("generate", "own-networks"):
        (example,) = examples(HOW_TO / f"{page}.md")
        exec(example, names)
    assert names["means"].std() < names["draws"].std()
    assert (names["other"] != names["draws"]).any()
    scores = (names[name].transform(names["X"][:50]) for name in ("vae", "again"))
    np.testing.assert_array_equal(*scores)


def test_every_name_at_the_front_door_is_there():
    for name in wellposed.__all__:
        assert getattr(wellposed, name) is not None
    with pytest.raises(AttributeError, match="vae"):
        wellposed.vae  # noqa: B018


@pytest.mark.slow
def test_the_example_of_the_page_on_workers_runs_in_spawned_ones(tmp_path):
    parallel, _search = examples(HOW_TO / "workers.md")
    (tmp_path / "example.py").write_text(parallel)
    done = subprocess.run(
        [sys.executable, "example.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    scores = json.loads(done.stdout)
    assert len(scores) == 4
    assert len(set(scores)) == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_the_example_of_the_page_from_a_gaussian_to_a_vae(capsys):
    (example,) = examples(REPRODUCTIONS / "gaussian-to-vae.md")
    names: dict = {}
    exec(example, names)
    scores = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert list(scores) == ["Gaussian", "FactorAnalysis", "MixturePPCA", "VAE"]
    # In units of the standard deviations: in those of the data the covariance seems singular.
    train, test = names["train"], names["test"]
    centre, scale = train.mean(axis=0), train.std(axis=0)
    law = multivariate_normal(cov=np.corrcoef(train.T))
    exact = law.logpdf((test - centre) / scale).mean() - np.log(scale).sum()
    assert float(scores["Gaussian"]) == pytest.approx(exact, abs=0.01)
    assert float(scores["FactorAnalysis"]) == pytest.approx(float(scores["Gaussian"]), abs=2.0)
    assert float(scores["MixturePPCA"]) > float(scores["FactorAnalysis"])
