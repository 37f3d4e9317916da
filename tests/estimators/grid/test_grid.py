"""A grid of trainings: its members, its folder, its figures."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import wellposed as wp
from textbook import textbook_vae
from wellposed import _bar, training
from wellposed.noise import Gaussian
from wellposed.training import Outcome

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")

ROWS = wp.datasets.linear_gaussian(
    200, n_features=5, n_latents=2, noise_variance=0.2, seed=0
).values.astype(np.float32)
TRAIN, TEST = ROWS[:150], ROWS[150:]
FIGURES = ("elbo", "elbo_error", "rate", "noise_variance", "collapsed", "outcome", "epochs")


def vae(**settings) -> wp.VAE:
    chosen = {"hidden": (8,), "max_epochs": 3, "random_state": 0, "batch_size": 50}
    return textbook_vae(2, **{**chosen, **settings})


def same(a: wp.Grid, b: wp.Grid) -> bool:
    return [[row[name] for name in FIGURES] for row in a.rows] == [
        [row[name] for name in FIGURES] for row in b.rows
    ]


def test_a_member_is_what_fitting_it_alone_gives():
    axes = {"noise": [0.1, 1.0], "beta": [1.0, 4.0], "random_state": range(2)}
    found = wp.fit_grid(vae(), axes, TRAIN, X_test=TEST)
    assert found.complete
    assert len(found.rows) == 8
    labels = [(row["noise"], row["beta"], row["random_state"]) for row in found.rows]
    assert labels[:3] == [(0.1, 1.0, 0), (0.1, 1.0, 1), (0.1, 4.0, 0)]
    row = found.rows[6]
    alone = vae(noise=1.0, beta=4.0, random_state=0).fit(TRAIN)
    elbo = alone.elbo(TEST, n_samples=8).astype(float)
    assert row["elbo"] == pytest.approx(elbo.mean(), rel=1e-6)
    assert row["elbo_error"] == pytest.approx(elbo.std(ddof=1) / np.sqrt(50), rel=1e-5)
    assert row["elbo"] == pytest.approx(row["log_likelihood"] - row["rate"], rel=1e-5)
    assert row["outcome"] == alone.outcome_.value
    best = max(found.rows, key=lambda row: row["elbo"])
    assert found.best.get_params()["noise"] == best["noise"]
    assert found.best.elbo(TEST, n_samples=8).mean() == pytest.approx(best["elbo"], rel=1e-6)


@pytest.mark.parametrize(
    ("together", "unit", "others"),
    [
        pytest.param(True, "epoch", "model", marks=pytest.mark.slow),
        (False, "model", "epoch"),
    ],
)
def test_one_bar_is_shown_over_epochs_where_members_train_at_once(
    capsys, monkeypatch, together, unit, others
):
    monkeypatch.setattr(_bar, "_PATIENCE_SECONDS", 0.0)
    axes = {"noise": [0.1, 1.0], "random_state": range(2)}
    wp.fit_grid(vae(), axes, TRAIN, X_test=TEST, together=together, progress=True)
    said = capsys.readouterr().err
    assert re.search(rf"{unit} +\d+/\d+", said)
    assert not re.search(rf"{others} +\d+/\d+", said)


def test_the_table_is_a_frame_with_the_axes_first():
    found = wp.fit_grid(
        vae(), {"learning_rate": [1e-3]}, TRAIN, measure=lambda fitted: {"twice": np.float32(2)}
    )
    table = found.table
    assert list(table.columns[:3]) == ["learning_rate", "outcome", "reason"]
    assert table["twice"].tolist() == [2.0]
    assert "learning_rate" in str(found)


def test_members_of_other_shapes_and_objects_with_labels():
    axes = {
        "n_components": [2, 3],
        "noise": {"learned from 9": Gaussian(initial=9.0)},
    }
    found = wp.fit_grid(vae(max_epochs=1), axes, TRAIN)
    assert [row["noise"] for row in found.rows] == ["learned from 9"] * 2
    assert found.best.noise.scale.initial == 9.0
    assert all(np.isfinite(row["elbo"]) for row in found.rows)


def test_a_bad_member_is_named_and_the_others_go_on():
    found = wp.fit_grid(
        vae(), {"noise": [1.0, -1.0], "learning_rate": [1e-3, 1e12]}, TRAIN, X_test=TEST
    )
    outcomes = [row["outcome"] for row in found.rows]
    assert outcomes == ["budget_spent", "nonfinite", "not built", "not built"]
    assert "finite number > 0" in found.rows[2]["reason"]
    assert "learning_rate" in found.rows[1]["reason"]
    assert np.isnan(found.rows[1]["elbo"])
    assert found.best.learning_rate == 1e-3


def test_where_nothing_can_be_built_the_fault_is_told():
    with pytest.raises(wp.DataError, match="NaN"):
        wp.fit_grid(vae(), {"beta": [1.0, 2.0]}, np.full((20, 3), np.nan))
    with pytest.raises(wp.SettingError, match="finite number > 0"):
        wp.fit_grid(vae(), {"noise": [-1.0, 0.0]}, TRAIN)


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ({}, "at least one axis"),
        ({"nose": [1.0]}, "Did you mean 'noise'"),
        ({"checkpoint": ["a"]}, "axis must be one of"),
        ({"noise": []}, "at least one value"),
        ({"noise": "shared"}, "sequence of numbers"),
        ({"noise": 0.5}, "sequence of numbers"),
        ({"noise": [1.0, "shared"]}, r"Gaussian\('shared'\)"),
        ({"beta": [1.0, 1.0]}, "must differ"),
    ],
)
def test_grids_that_are_none(axes, words):
    with pytest.raises(wp.SettingError, match=words):
        wp.fit_grid(vae(), axes, TRAIN)


def test_models_are_saved_on_demand(tmp_path):
    with pytest.raises(wp.SettingError, match="needs a folder"):
        wp.fit_grid(vae(), {"beta": [1.0]}, TRAIN, save_models=True)
    found = wp.fit_grid(
        vae(), {"beta": [1.0, 2.0]}, TRAIN, X_test=TEST, folder=tmp_path / "new", save_models=True
    )
    for i, row in enumerate(found.rows):
        loaded = wp.load(tmp_path / "new" / f"member-{i:04d}.wp")
        assert loaded.elbo(TEST, n_samples=8).mean() == pytest.approx(row["elbo"], rel=1e-6)
    assert not list((tmp_path / "new").glob("*.ckpt"))


def test_a_stopped_grid_goes_on_to_the_same_table(tmp_path, monkeypatch):
    axes = {"beta": [0.5, 1.0, 2.0]}
    whole = wp.fit_grid(vae(), axes, TRAIN, X_test=TEST)
    fit, calls = training.grid.chunks.fit_member, []

    def stops(*given, **options):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return fit(*given, **options)

    monkeypatch.setattr(training.grid.chunks, "fit_member", stops)
    cut = wp.fit_grid(vae(), axes, TRAIN, X_test=TEST, folder=tmp_path)
    assert not cut.complete
    assert same(cut, wp.Grid(whole.axes, whole.rows[:1], None, False))
    assert "continues it" in str(cut)
    again = wp.fit_grid(vae(), axes, TRAIN, X_test=TEST, folder=tmp_path)
    assert len(calls) == 4  # the first member is not trained again
    assert same(again, whole)
    calls.clear()
    calls += [1, 1]
    read = wp.fit_grid(vae(), axes, TRAIN, X_test=TEST, folder=tmp_path)
    assert len(calls) == 2
    assert same(read, whole)
    assert read.best.beta == whole.best.beta


_KILLED = """
import sys
import warnings
warnings.simplefilter("ignore")
sys.path[:0] = {folders!r}
from test_grid import TEST, TRAIN, vae
import wellposed as wp
wp.fit_grid(vae(max_epochs=40), {{"beta": [0.5, 1.0, 2.0]}}, TRAIN, X_test=TEST, folder={folder!r})
"""


@pytest.mark.slow
def test_a_killed_grid_goes_on_to_the_same_table(tmp_path):
    here = Path(__file__).resolve()
    folders = [str(here.parent), str(here.parents[2])]
    script = _KILLED.format(folders=folders, folder=str(tmp_path / "grid"))
    library = os.path.dirname(os.path.dirname(wp.__file__))
    process = subprocess.Popen(
        [sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": library}
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "grid" / "member-0000").exists() and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    axes = {"beta": [0.5, 1.0, 2.0]}
    again = wp.fit_grid(vae(max_epochs=40), axes, TRAIN, X_test=TEST, folder=tmp_path / "grid")
    assert same(again, wp.fit_grid(vae(max_epochs=40), axes, TRAIN, X_test=TEST))


def test_another_grid_or_version_or_a_full_folder_is_refused(tmp_path, monkeypatch):
    wp.fit_grid(vae(), {"beta": [1.0]}, TRAIN, folder=tmp_path / "one")
    for template, axes, rows in (
        (vae(), {"beta": [2.0]}, TRAIN),
        (vae(learning_rate=0.01), {"beta": [1.0]}, TRAIN),
        (vae(), {"beta": [1.0]}, TRAIN + 1),
    ):
        with pytest.raises(wp.SettingError, match="other data, settings or values"):
            wp.fit_grid(template, axes, rows, folder=tmp_path / "one")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(wp.SettingError, match="other files"):
        wp.fit_grid(vae(), {"beta": [1.0]}, TRAIN, folder=tmp_path / "full")
    monkeypatch.setattr("wellposed.estimators.grid.folder.__version__", "99.0")
    with pytest.raises(wp.SettingError, match=r"begun by version .* and this is 99\.0"):
        wp.fit_grid(vae(), {"beta": [1.0]}, TRAIN, folder=tmp_path / "one")


def test_damaged_figures_are_refused(tmp_path):
    wp.fit_grid(vae(), {"beta": [1.0]}, TRAIN, folder=tmp_path)
    path = tmp_path / "member-0000"
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    path.write_bytes(content)
    with pytest.raises(wp.DamagedFileError):
        wp.fit_grid(vae(), {"beta": [1.0]}, TRAIN, folder=tmp_path)


def test_without_a_seed_all_members_share_one_and_a_folder_remembers_it(tmp_path):
    first = wp.fit_grid(vae(random_state=None), {"beta": [1.0]}, TRAIN, folder=tmp_path)
    again = wp.fit_grid(vae(random_state=None), {"beta": [1.0]}, TRAIN, folder=tmp_path)
    assert same(first, again)
    fitted = wp.load(tmp_path / "best.wp")
    assert isinstance(fitted.random_state, int)
    assert first.best.outcome_ is Outcome.budget_spent


@pytest.mark.slow
def test_members_train_at_once_where_asked():
    axes = {"beta": [0.5, 2.0], "noise": [0.2]}
    at_once = wp.fit_grid(vae(), axes, TRAIN, X_test=TEST, together=True)
    in_turn = wp.fit_grid(vae(), axes, TRAIN, X_test=TEST, together=False)
    for a, b in zip(at_once.rows, in_turn.rows, strict=True):
        assert a["elbo"] == pytest.approx(b["elbo"], rel=1e-4)
