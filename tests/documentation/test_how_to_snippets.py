"""Snippets of docs/how-to that need a file, a module or other processes beside them."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import equinox as eqx
import numpy as np
import pandas as pd
import pytest
from test_documentation import HOW_TO, ROOT, examples
from typer.testing import CliRunner

import wellposed as wp
from textbook import textbook_vae
from wellposed.cli import app

TINY = {"hidden": (4,), "max_epochs": 2, "random_state": 0}


def block(page: str, word: str) -> str:
    """The block of Python of a page that has a word."""
    (found,) = (example for example in examples(HOW_TO / f"{page}.md") if word in example)
    return found


def rows(n: int = 80) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 2)) @ rng.normal(size=(2, 3)) + 0.1 * rng.normal(size=(n, 3))


def test_the_damaged_file_of_the_page_on_compression():
    data = bytearray(wp.compress(None, rows(90), block_rows=30, progress=False))
    data[len(data) // 2] ^= 1
    refused, skipped = block("compression", "DamagedFileError").splitlines()
    message = re.escape(refused.partition("DamagedFileError: ")[2].partition(":")[0])
    names = {"wp": wp, "data": bytes(data)}
    with pytest.raises(wp.DamagedFileError, match=message):
        exec(refused, names)
    with pytest.warns(wp.DamageWarning) as warned:
        exec(skipped, names)
    assert [getattr(each.message, "lost", None) for each in warned] == [[(30, 60)]]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")  # of 20 epochs
def test_a_file_and_the_hub_of_the_page_on_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "sharing"))
    from test_sharing import hub_at

    names: dict = {"X_held_out": rows(40), "X_train": rows()}
    exec(block("files", "small.wp"), names)
    assert capsys.readouterr().out == "(4, 3)\n"
    hub_at(tmp_path, monkeypatch)
    exec(block("files", "push_to_hub"), names)
    assert "# A VAE" in names["card"]
    np.testing.assert_array_equal(names["again"].score(rows()), names["vae"].score(rows()))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_parts_of_ones_own_of_the_page_on_files(tmp_path, monkeypatch):
    """Each line, with a model that has such a part."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "serialise"))
    from test_own_classes import Halve, Sech, Width

    own: dict = {"__name__": "own_noise"}
    exec(block("own-noise", "class Logistic"), own)

    def network(n_in, n_out, *, key):
        return eqx.nn.Linear(n_in, n_out, key=key)

    cases = {
        "noise=Mine)": ({"noise": own["Logistic"]()}, {"Mine": own["Logistic"]}),
        "noise=(Mine, Width)": ({"noise": Sech(Width(0.1))}, {"Mine": Sech, "Width": Width}),
        "transform=": ({"transform": Halve()}, {"make_mine": Halve}),
        "encoder=": ({"encoder": network}, {"make_network": network}),
    }
    lines = block("files", "make_network").splitlines()
    for line, (part, (settings, names)) in zip(lines, cases.items(), strict=True):
        assert part in line
        vae = textbook_vae(n_components=1, **TINY, **settings).fit(rows())
        vae.save("mine.wp", overwrite=True)
        again = eval(line, {"wp": wp, **names})
        np.testing.assert_array_equal(again.score_samples(rows()), vae.score_samples(rows()))


class Foreign:
    """A VAE of another framework: a linear map there and back."""

    def __init__(self, d):
        self.W = np.random.default_rng(0).normal(size=(d, 2)) / np.sqrt(d)

    def encode(self, x):
        return x @ self.W, np.full((len(x), 2), -1.0)

    def decode(self, z):
        return z @ self.W.T


def test_the_audits_of_the_page_on_other_frameworks(capsys):
    X = wp.datasets.load_digits().values[:200] / 16
    module = Foreign(64)
    exec(block("from-other-frameworks", "kl_weight=0.01"), {"wp": wp, "module": module, "X": X})
    best, at_its_own = capsys.readouterr().out.split("σ² =", 1)[1].split("ELBO", 1)
    assert best
    assert at_its_own
    names = {
        "wp": wp,
        "X": X,
        "mean_and_deviation": lambda x: (module.encode(x)[0], np.exp(0.5 * module.encode(x)[1])),
        "mean_and_log_variance": module.encode,
        "mean_of_x": module.decode,
    }
    first, second = block("from-other-frameworks", "mean_and_deviation").splitlines()
    assert str(eval(first, names)) == str(eval(second, names))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_the_weights_of_the_page_on_other_frameworks(monkeypatch, capsys):
    """With the part of PyTorch that the library touches."""
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "bridges"))
    import fake_torch
    from test_weights import D, module_of

    fake_torch.install(monkeypatch)
    X = (np.random.default_rng(0).normal(size=(120, 2)) @ np.ones((2, D)) + 2).astype(np.float32)
    module = module_of(fake_torch)
    names = {"wp": wp, "module": module, "X_train": X[:80], "X_test": X[80:]}
    exec(block("from-other-frameworks", "wp.from_torch"), names)
    assert "Diagnosis of " in capsys.readouterr().out
    given, back = (
        each.decode(fake_torch.Tensor(np.ones((3, 2)))).detach().numpy()
        for each in (module, names["module"])
    )
    np.testing.assert_allclose(back, given, rtol=1e-5)


def test_the_search_of_the_page_on_workers():
    names: dict = {"wp": wp}
    exec(block("workers", "GridSearchCV"), names)
    search = names["search"]
    assert set(search.param_grid) <= set(search.estimator.get_params())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_the_example_of_the_page_on_outliers(capsys):
    names: dict = {}
    (example,) = examples(HOW_TO / "outliers.md")
    exec(example, names)
    p, new, detector = (names[name] for name in ("p", "new", "detector"))
    wrong = np.arange(15)
    by_rate, by_share = detector.outliers(new, alpha=0.01), detector.outliers(new, fdr=0.1)
    assert by_rate[wrong].mean() > 0.9
    assert by_share[15:].sum() <= 4
    assert p[wrong].max() < np.median(p[15:])
    assert capsys.readouterr().out.count("; column 1 is ") == 2  # the wrong one of both rows


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_the_examples_of_the_page_on_data_beyond_memory(capsys):
    names: dict = {}
    for example in examples(HOW_TO / "scale.md"):
        exec(example, names)
    source, log_p, exact, draws = capsys.readouterr().out.splitlines()
    assert np.isfinite(float(exact))
    assert source in (HOW_TO / "scale.md").read_text()
    assert (log_p, draws) == ("(1797,)", "(10000, 64)")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_the_examples_of_the_page_on_tables(shared_data, tmp_path, monkeypatch, capsys):
    """On 1,500 rows, with few epochs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.gaps.mixed import ADULT_NAMES

    path = shared_data("gaps/adult-train.csv")
    frame = pd.read_csv(path, header=None, skipinitialspace=True, names=ADULT_NAMES.split())
    frame[:1500].to_csv("adult.csv", index=False)
    names: dict = {}
    for example in examples(HOW_TO / "tables.md"):
        few = example.replace("wp.VAE(", "wp.VAE(max_epochs=2, validation_folds=0, ").replace(
            "26_048", "1_200"
        )
        exec(few, names)
    said = capsys.readouterr().out
    assert "education" in said
    assert "income" in said
    assert len(names["train"]) == 1200


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
def test_the_commands_of_the_page_on_compression(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    X = wp.datasets.load_digits().values.astype(np.uint8)
    np.save("rows.npy", X[:200])
    pd.DataFrame({"price": [2.49, 0.99], "shop": ["a", "b"]}).to_csv("table.csv", index=False)
    settings = {"hidden": (32,), "max_epochs": 30, "random_state": 0, "prior": "standard"}
    wp.VAE(8, noise="discretized-logistic", **settings).fit(X).save("digits.wp")
    text = (HOW_TO / "compression.md").read_text(encoding="utf-8")
    commands = re.findall(r"^\$ wellposed (.*?)(?: +# .*)?$", text, re.MULTILINE)
    assert len(commands) == 7
    for command in (each.replace("rmse 2 ", "rmse 3 ") for each in commands):
        done = CliRunner().invoke(app, [*shlex.split(command), *force(command)])
        assert done.exit_code == 0, (command, done.output)
    assert len(np.load("near.npy")) == 200


def force(command: str) -> list[str]:
    return [] if "--estimate" in command else ["--force"]


def several(code: list[str], folder: Path) -> None:
    """Run a program in two processes that join, and check that the model is there."""
    np.save(folder / "rows.npy", rows(256).astype(np.float32))
    done = subprocess.run(
        code,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "XLA_FLAGS": ""},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(wp.load(folder / "model.wp").sample(5)) == 5


@pytest.mark.slow
def test_the_command_of_the_page_on_hosts(tmp_path):
    text = (HOW_TO / "hosts.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^wellposed (launch -n 2 -- fit .*)$", text, re.MULTILINE)
    several([sys.executable, "-m", *shlex.split(f"wellposed {command} --max-epochs 2")], tmp_path)


@pytest.mark.slow
def test_the_program_of_the_page_on_hosts(tmp_path):
    (train,) = (e for e in examples(HOW_TO / "hosts.md") if "def train" in e)
    train = train.replace("/shared/", f"{tmp_path}/")
    train = train.replace("20, devices", "1, max_epochs=2, devices")
    (tmp_path / "program.py").write_text(f"{train}\n\ntrain()\n")
    start = "import sys; from wellposed.hosts import launch; "
    call = f"sys.exit(launch([sys.executable, {str(tmp_path / 'program.py')!r}], 2))"
    several([sys.executable, "-c", start + call], tmp_path)
