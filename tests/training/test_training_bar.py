"""The progress bar: on a terminal, after two seconds, or on request."""

import io
import sys

import numpy as np
import pytest

import wellposed as wp
from textbook import textbook_vae
from wellposed import _bar
from wellposed._errors import TrainingWarning
from wellposed.training import History
from wellposed.training._epoch import Metrics


def history(epochs=3):
    kept = History()
    for epoch in range(epochs):
        kept = kept.with_epoch(Metrics(-9.0 - epoch, -8.0, 1.0, 0.5), None, 0.25, 1e-3)
    return kept


def shown(capsys, progress) -> str:
    bar = _bar.Bar(10, progress)
    bar.show(3, history().summary)
    bar.close()
    return capsys.readouterr().err


def test_it_shows_epochs_objective_and_noise_variance(capsys, monkeypatch):
    monkeypatch.setattr(_bar, "_PATIENCE_SECONDS", 0.0)
    text = shown(capsys, True)
    assert "3/10" in text
    assert "objective -11.00 nats" in text
    assert "0.25" in text


def test_it_waits_two_seconds(capsys):
    assert shown(capsys, True) == ""


@pytest.mark.parametrize("progress", ["auto", False])
def test_it_is_off_where_there_is_no_terminal(capsys, monkeypatch, progress):
    monkeypatch.setattr(_bar, "_PATIENCE_SECONDS", 0.0)
    assert not sys.stderr.isatty()
    assert shown(capsys, progress) == ""


def test_what_follows_the_training_is_shown(monkeypatch):

    seen = []
    monkeypatch.setattr(_bar.Bar, "show", lambda self, *_, **__: seen.append(self._unit))
    X = np.random.default_rng(0).normal(size=(40, 3))
    vae = textbook_vae(
        1, hidden=(4,), noise="conditional", max_epochs=1, progress=True, random_state=0
    )
    with pytest.warns(TrainingWarning, match="max_epochs"):
        vae.fit(X)
    assert any("noise variance" in unit for unit in seen)


def test_a_download_is_shown_in_bytes_by_file(capsys, monkeypatch):
    monkeypatch.setattr(_bar, "_PATIENCE_SECONDS", 0.0)
    with _bar.Bar(0, True, "bytes") as bar:
        bar.show(1_000_000, "first.gz", 4_000_000)
        bar.show(1_500_000, "second.gz", 3_000_000)
    text = capsys.readouterr().err
    assert "1.5/3.0 MB" in text
    assert "second.gz" in text


def test_a_stream_of_ascii_takes_it(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(_bar, "_PATIENCE_SECONDS", 0.0)
    with _bar.Bar(10, True) as bar:
        bar.show(3, history().summary)
    stream.flush()
    assert b"3/10" in stream.buffer.getvalue()


def test_the_present_step_is_shown_on_a_terminal_alone(capsys, monkeypatch):
    with _bar.PresentStep() as step:
        step("one Gaussian")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with _bar.PresentStep() as step:
        step("one Gaussian")
        step("a mixture of Gaussians")
    assert "a mixture of Gaussians" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_a_comparison_and_a_diagnosis_say_what_they_are_at(monkeypatch):
    names = []
    monkeypatch.setattr(_bar.PresentStep, "__call__", lambda self, name: names.append(name))
    X = np.random.default_rng(0).normal(size=(60, 2))
    vae = textbook_vae(1, hidden=(4,), max_epochs=1, random_state=0).fit(X[:40])
    vae.compare(X[40:], X[:40])
    assert names[-3:] == ["probabilistic PCA", "one Gaussian", "a mixture of Gaussians"]
    names.clear()
    wp.diagnose(vae, X[40:], X[:40])
    assert "prior" in names
    assert names[-1] == "simpler models"
