"""Figures of the pages of docs/how-to that take seconds: measured again, beside the page's."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import LocalOutlierFactor
from sklearn.svm import OneClassSVM

import wellposed as wp

ROOT = Path(__file__).resolve().parents[2]
HOW_TO = ROOT / "docs" / "how-to"


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    """The benchmarks are not installed with the library."""
    monkeypatch.syspath_prepend(str(ROOT))


def number(text: str) -> float:
    """The first number of a cell."""
    found = re.search(r"[-−]?\d[\d,]*(?:\.\d+)?", text)
    assert found is not None, text
    return float(found.group().replace(",", "").replace("−", "-"))


def line(page: str, first: str, header: str) -> list[float]:
    """Numbers of the line that begins with ``first`` in the table whose head has ``header``."""
    text = (HOW_TO / f"{page}.md").read_text(encoding="utf-8")
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    table = next(table for table in tables if header in table.partition("\n")[0])
    (found,) = re.findall(rf"^\| {re.escape(first)} \|(.*)\|$", table, re.MULTILINE)
    return [number(cell) for cell in found.split("|") if re.search(r"\d", cell)]


def test_the_noise_variances_of_public_losses():
    page = (HOW_TO / "from-other-frameworks.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(import wellposed.*?)^plain = ", page, re.DOTALL | re.M)
    names: dict = {}
    exec(block, names)
    given = {loss: v for loss, v in names["implied"].items() if isinstance(v, float)}
    assert len(given) == 4
    for loss, variance in given.items():
        (shown, *_) = line("from-other-frameworks", loss, "loss, beside the KL")
        assert variance == pytest.approx(shown, rel=0.01)


def test_the_hardware_that_a_training_needs():
    from benchmarks.scale.hardware import weights

    page = (HOW_TO / "hosts.md").read_text(encoding="utf-8")
    assert [weights(width) for width in (500, 128)] == [
        line("hosts", width, "two layers of")[0] for width in ("500", "128")
    ]
    whole, first = 6 * weights(500) / 1e6, 2 * 784 * 500 / 1e6
    assert f"{whole - first:.1f} million operations in place of {whole:.1f}" in page
    rate, link, memory, shards = 2.5e14, 5e10, 3e12, 1000
    needed = {
        "the update alone, one GPU, S = 1": 6 * rate / memory,
        "one MLP by a ring, S = 1": 4 / 3 * rate / link,
        "one MLP, gathered as here": 2 / 3 * (shards - 1) * rate / link,
        "convolutions, S = 256, by a ring": 4 / 3 * rate / link / 256,
    }
    for what, rows in needed.items():
        unit = 1e6 if "gathered" in what else 1
        half, most, *_ = line("hosts", what, "rows a GPU, e = 0.5")
        assert half * unit == pytest.approx(rows, rel=0.02)
        assert most * unit == pytest.approx(9 * rows, rel=0.02)


def test_the_size_of_a_table_without_a_model(shared_data):
    shared_data("uci/power-plant.txt")
    from benchmarks.codec.data import load

    rows = load("power plant").rows
    bits = 8 * len(wp.compress(None, rows, progress=False)) / rows.size
    _, _, shown, *_ = line("compression", "power plant, 4,784 x 5, two decimals", "| no model | xz")
    assert bits == pytest.approx(shown, abs=0.02)  # LZMA has versions


def test_errors_of_imputers_that_fit_nothing(shared_data):
    shared_data("gaps")
    from benchmarks.gaps.data import notebook
    from benchmarks.gaps.imputers import IMPUTERS, score

    for name, shown in {"mean": "mean", "KNN, best k": "KNN, best k by the hidden entries"}.items():
        (error, *_) = line("gaps", shown, "| MSE | seconds |")
        assert score(IMPUTERS[name], notebook()).error == pytest.approx(error, abs=6e-4)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
def test_errors_of_other_classifiers_from_few_labels():
    from argparse import Namespace

    from benchmarks.few_labels.__main__ import small_lines

    ours = ("features", "joint", "stacked", "auxiliary")
    found = dict(small_lines("iris", Namespace(slow_draws=10, without=ours)))
    shown = line("few-labels", "iris", '"features" | "joint" | logistic')[-len(found) :]
    errors = [np.mean(each.errors) for each in found.values()]
    np.testing.assert_allclose(errors, shown, atol=0.3)


def test_auroc_of_other_detectors_of_outliers(shared_data):
    shared_data("outliers")
    from benchmarks.outliers.data import names, task

    (name,) = [name for name in names() if name.endswith("_wine")]
    given = task(name, "clean", 0, quick=True)
    page = (HOW_TO / "outliers.md").read_text(encoding="utf-8")
    clean = page[page.index("outliers clean --seeds 1") :]
    (shown,) = re.findall(r"^\| wine \|(.*)\|$", clean.partition("| mean |")[0], re.MULTILINE)
    _ours, _knn, *cells = [number(cell) for cell in shown.split("|")]
    detectors = {
        0: LocalOutlierFactor(novelty=True),
        2: OneClassSVM(),
        3: GaussianMixture(5, reg_covar=1e-3, random_state=0),
    }
    for place, detector in detectors.items():
        scores = -detector.fit(given.train).score_samples(given.test)
        assert 100 * roc_auc_score(given.y, scores) == pytest.approx(cells[place], abs=0.1)


def test_the_share_of_the_most_frequent_level(shared_data):
    from benchmarks.gaps.mixed import ADULT_NAMES
    from benchmarks.gaps.synthetic import TRAIN_SHARE

    path = shared_data("gaps/adult-train.csv")
    names = ADULT_NAMES.split()
    frame = pd.read_csv(path, header=None, skipinitialspace=True, names=names)
    frame = frame.sample(frac=1.0, random_state=0)
    n_train = int(TRAIN_SHARE * len(frame))
    page = (HOW_TO / "tables.md").read_text(encoding="utf-8")
    assert f"{len(frame):,} rows of {frame.shape[1]} columns, {n_train:,} of them to train" in page
    _, counts = np.unique(np.asarray(frame["income"])[n_train:], return_counts=True)
    share = counts.max() / counts.sum()
    assert f"has the accuracy {share:.3f}" in " ".join(page.split())
