"""``wellposed demo``: its table, its picture, its model, its page."""

import dataclasses
import re

import numpy as np
import pytest
from cli_running import run

import wellposed as wp
from wellposed import datasets
from wellposed.cli import _demo

N_TRAIN, N_HELD_OUT = 200, 60  # fewer than those of the demo, which take ten times as long


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "out"
    digits = datasets.load_digits()
    some = dataclasses.replace(
        digits,
        values=digits.values[: N_TRAIN + N_HELD_OUT],
        labels=digits.labels[: N_TRAIN + N_HELD_OUT],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_demo, "N_TRAIN", N_TRAIN)
        patch.setattr(datasets, "load_digits", lambda: some)
        return out, run("demo", "--out", out, "--max-epochs", "2")


def split(n_train=N_TRAIN, n=N_TRAIN + N_HELD_OUT):
    digits = datasets.load_digits().values
    order = np.random.default_rng(0).permutation(n)
    return digits[order[:n_train]], digits[order[n_train:]]


@pytest.mark.slow
def test_the_table_holds_what_python_measures(shown):
    out, result = shown
    training, held_out = split()
    vae = wp.load(out / "digits.wp")
    with pytest.warns(wp.ConstantFeatureWarning):
        ppca = wp.PPCA(vae.n_components_).fit(training).score_samples(held_out)
    (row,) = [line for line in result.stdout.splitlines() if "│ log p(x), nats" in line]
    ours, error, theirs, their_error = map(float, re.findall(r"-?\d+\.\d+", row))
    assert theirs == pytest.approx(ppca.mean(), abs=0.01)
    assert their_error == pytest.approx(ppca.std(ddof=1) / np.sqrt(N_HELD_OUT), abs=0.01)
    log_p = vae.score_samples(held_out, 512)
    assert ours == pytest.approx(log_p.mean(), abs=1.0)
    assert error == pytest.approx(log_p.std(ddof=1) / np.sqrt(N_HELD_OUT), rel=0.1)
    (row,) = [line for line in result.stdout.splitlines() if "ELBO" in line]
    assert float(re.findall(r"-\d+\.\d+", row)[0]) == pytest.approx(
        vae.elbo(held_out).mean(), abs=0.5
    )
    assert re.search(rf"collapsed latents.*\d+ of {vae.n_components_}", result.stdout)


def test_distortion_and_rate_add_up_to_the_elbo(shown):
    said = shown[1].stdout
    values = [
        float(re.search(rf"{name}[^│]*│\s+(-?\d+\.\d+)", said)[1])
        for name in ("ELBO", r"│ distortion", r"│ rate")
    ]
    assert values[0] == pytest.approx(-values[1] - values[2], abs=0.02)


def test_the_noise_variance_is_in_data_units(shown):
    out, result = shown
    vae = wp.load(out / "digits.wp")
    stated = float(re.search(r"σ²[^│]*│\s+(\d+\.\d+)", result.stdout)[1])
    values, _ = split()
    in_data_units = np.mean(vae.noise_variance_) * values.var(axis=0).mean()
    assert stated == pytest.approx(in_data_units, rel=1e-3)


def test_it_writes_a_picture_a_model_and_a_page_and_says_what_next(shown):
    out, result = shown
    written = sorted(path.name for path in out.iterdir())
    assert written == ["digits.png", "digits.wp", "report.html"]
    assert (out / "digits.png").read_bytes().startswith(b"\x89PNG")
    assert result.stdout.count("\n  wellposed ") == 3


def test_it_ends_by_naming_its_page(shown):
    out, result = shown
    *_, last = result.stdout.strip().split("\n\n")
    assert str(out / "report.html") in last.replace("\n", "")
    measured = f"Measured on {N_HELD_OUT} rows and {N_TRAIN} of the training"
    assert measured in (out / "report.html").read_text()


def test_the_first_suggestion_works(shown, tmp_path):
    out, _ = shown
    run("sample", out / "digits.wp", "-n", "6", "-o", tmp_path / "draws.png")


@pytest.mark.parametrize("name", ["digits.png", "digits.wp", "report.html"])
def test_existing_outputs_stop_it_before_training(tmp_path, monkeypatch, name):
    def never(*_, **__):
        raise AssertionError("training started")

    monkeypatch.setattr(wp.VAE, "fit", never)
    (tmp_path / name).write_bytes(b"precious")
    said = run("demo", "--out", tmp_path, code=2).stderr
    assert "--force" in said
    assert (tmp_path / name).read_bytes() == b"precious"


@pytest.mark.slow
def test_force_overwrites(tmp_path):
    (tmp_path / "digits.png").write_bytes(b"old")
    run("demo", "--out", tmp_path, "--max-epochs", "1", "--force")
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")


def test_ctrl_c_writes_nothing(tmp_path, monkeypatch):
    from wellposed.training import _fit as loop

    def update(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop.Bar, "show", update)
    run("demo", "--out", tmp_path, "--max-epochs", "3", code=130)
    assert list(tmp_path.iterdir()) == []


def test_the_split_is_fixed_and_disjoint():
    training, held_out = _demo._split()
    expected = split(1437, 1797)
    np.testing.assert_array_equal(training.values, expected[0])
    np.testing.assert_array_equal(held_out.values, expected[1])
    assert len(training.labels) == 1437
    assert training.image_shape == (8, 8)


@pytest.mark.slow
def test_the_full_demo_beats_ppca_and_a_mixture_clearly(tmp_path):
    said = run("demo", "--out", tmp_path).stdout
    gain, error = map(float, re.search(r"ahead of pPCA by (\S+) ± (\S+) nats", said).groups())
    assert gain > 25
    assert "No fault was found" in said
    assert error < 1.5
