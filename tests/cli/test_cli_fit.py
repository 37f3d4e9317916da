"""``wellposed fit``: settings, outputs, interruption."""

import inspect
import os
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from cli_running import SMALL, run, table

import wellposed as wp
from wellposed import cli
from wellposed.cli import _fit
from wellposed.estimators._notices import objective_of_model
from wellposed.training import _fit as loop
from wellposed.training import _training


def given_by_default():
    parameters = inspect.signature(_fit.fit).parameters
    return {name: p.default for name, p in parameters.items()}


def test_the_defaults_are_those_of_the_estimator():
    options = given_by_default()
    options["seed"] = None  # the command's own default, so that it is reproducible
    settings = _fit.estimator_settings(options)
    ours = wp.VAE().get_params()
    assert {name: ours[name] for name in settings} == settings


def test_the_command_line_has_every_setting_and_no_other():
    settings = set(inspect.signature(wp.VAE.__init__).parameters) - {"self"}
    options = set(inspect.signature(_fit.fit).parameters)
    assert {_fit.RENAMED.get(name, name) for name in options - _fit.OWN} == settings
    shown = run("fit", "--help").stdout
    for name in options - {"data"}:
        assert re.search(rf"--{name.replace('_', '-')}\b", shown), name


def test_words_become_settings():
    options = given_by_default() | {
        "noise": "0.25",
        "hidden": "32,16",
        "image_shape": "4X5x3",
        "resolution": "1e-3",
        "patience": "0",
        "seed": 7,
    }
    settings = _fit.estimator_settings(options)
    assert settings["noise"] == 0.25
    assert settings["hidden"] == (32, 16)
    assert settings["image_shape"] == (4, 5, 3)
    assert settings["resolution"] == 1e-3
    assert settings["patience"] is None
    assert settings["random_state"] == 7


def test_the_summary_says_what_was_fitted(fitted):
    said = fitted.result.stdout
    assert "60 rows of 5 features" in said
    assert "budget_spent after 3 epochs" in said
    assert str(fitted.model) in said
    warning = fitted.result.stderr.strip()
    assert warning.startswith("warning: max_epochs was reached")
    assert len(warning.splitlines()) == 1


@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
@pytest.mark.parametrize("folds", [0, 2])
def test_the_summary_names_the_epoch_that_the_model_is_of(fitted, tmp_path, folds):
    """With folds it is the last one; the objective is the one that the history has there."""
    path = tmp_path / "m.wp"
    options = ("--no-linear-start", "--validation-folds", folds)
    printed = run("fit", fitted.csv, "-o", path, *SMALL, *options).stdout
    said, vae = " ".join(printed.split()), wp.load(path)
    epoch = vae.best_epoch_
    value = vae.history_["held_out_objective"][epoch - 1]
    rows = "mean of 2 folds" if folds else "held out"
    assert f"objective {value:.2f} nats a row, {rows}, epoch {epoch}" in said
    why = "trained on all rows; the folds" if folds else "the best on rows held out"
    assert f"model of epoch {epoch}, {why}" in said
    if folds:
        assert epoch == vae.n_epochs_


def test_the_objective_is_that_of_the_epoch_of_the_model():
    def of(epoch, held):
        history = {"objective": [1.0, 5.0, 3.0], "held_out_objective": held}
        return objective_of_model(SimpleNamespace(best_epoch_=epoch, history_=history))

    nan = float("nan")
    assert of(3, [0.0, 4.0, 2.0]) == (2.0, True)  # the mean of folds is largest elsewhere
    assert of(3, [nan, nan, nan]) == (3.0, False)
    assert of(0, [0.0, 4.0, 2.0]) is None
    assert of(None, [0.0, 4.0, 2.0]) is None


@pytest.mark.slow
def test_the_summary_names_a_training_that_found_nothing(tmp_path):
    np.save(tmp_path / "x.npy", table())
    words = "--components 2 --hidden 4 --max-epochs 2 --ema-decay 0 --resolution 0.01"
    fit_to = ("fit", tmp_path / "x.npy", "--force", "-o", tmp_path / "m.wp", *words.split())
    said = " ".join(run(*fit_to, "--learning-rate", "3").stdout.split())
    assert "best epoch 0: the model is the linear one, factor analysis. None of 2 epochs" in said
    assert "held out, epoch" not in said
    shared = run(*fit_to, "--learning-rate", "3", "--noise", "shared").stdout
    assert "the linear one, probabilistic PCA" in " ".join(shared.split())
    better = run(*fit_to, "--learning-rate", "1e-3", "--no-linear-start").stdout
    assert "best epoch" not in better


def test_every_setting_reaches_the_model(tmp_path):
    np.save(tmp_path / "x.npy", table())
    path = tmp_path / "m.wp"
    words = "--noise feature --transform identity --hidden 8,4 --activation tanh --objective iwae"
    numbers = "--importance 3 --max-epochs 2 --batch-size 16 --learning-rate 0.01 --kl-warmup 1"
    rest = "--validation-fraction 0 --patience 0 --resolution 0.01 --components 3 --seed 5"
    optimiser = "--encoder-steps 2 --weight-decay 0.1 --clip-norm 5 --no-progress"
    flags = "--allow-unbounded"
    command = f"{words} {numbers} {optimiser} {flags} {rest}"
    run("fit", tmp_path / "x.npy", "-o", path, *command.split())
    got = wp.load(path).get_params()
    expected = {
        "noise": "feature",
        "transform": "identity",
        "hidden": (8, 4),
        "activation": "tanh",
        "objective": "iwae",
        "n_importance": 3,
        "max_epochs": 2,
        "batch_size": 16,
        "learning_rate": 0.01,
        "kl_warmup": 1,
        "encoder_steps": 2,
        "weight_decay": 0.1,
        "clip_norm": 5.0,
        "progress": False,
        "allow_unbounded": True,
        "validation_fraction": 0.0,
        "patience": None,
        "resolution": 0.01,
        "n_components": 3,
        "random_state": 5,
    }
    assert {name: got[name] for name in expected} == expected


def test_columns_are_dropped(fitted, tmp_path):
    path = tmp_path / "m.wp"
    run("fit", fitted.csv, "-o", path, *SMALL, "--drop", "b", "--drop", "4")
    assert wp.load(path).n_features_in_ == 3


def never(*_, **__):
    raise AssertionError("training started")


def test_a_model_is_overwritten_only_when_forced(fitted, tmp_path, monkeypatch):
    path = tmp_path / "m.wp"
    path.write_bytes(b"precious")
    monkeypatch.setattr(wp.VAE, "fit", never)
    said = run("fit", fitted.csv, "-o", path, *SMALL, code=2).stderr
    assert "not overwritten" in said
    assert "--force" in said
    assert path.read_bytes() == b"precious"
    monkeypatch.undo()
    run("fit", fitted.csv, "-o", path, *SMALL, "--force")
    assert wp.load(path).n_features_in_ == 5


@pytest.mark.parametrize("option", ["-o", "--checkpoint"])
def test_an_unwritable_path_is_found_before_training(fitted, tmp_path, monkeypatch, option):
    (tmp_path / "file").write_text("not a folder")
    bad = tmp_path / "file" / "m.wp"
    monkeypatch.setattr(_training, "epoch_program", never)
    outputs = {"-o": tmp_path / "good.wp", option: bad}
    flat = [word for pair in outputs.items() for word in pair]
    said = run("fit", fitted.csv, *flat, *SMALL, code=2).stderr
    assert said.startswith(f"error: {bad} cannot be written")


def stop_in_epoch(epoch):
    def show(self, done, text="", total=None):
        if done == epoch:
            raise KeyboardInterrupt

    return show


def test_ctrl_c_keeps_the_checkpoint_and_the_same_command_goes_on(fitted, tmp_path, monkeypatch):
    whole, stopped = tmp_path / "whole.wp", tmp_path / "stopped.wp"
    command = ("fit", fitted.npy, *SMALL, "-o")
    run(*command, whole)
    resumable = (*command, stopped, "--checkpoint", tmp_path / "state")
    with monkeypatch.context() as patch:
        patch.setattr(loop.Bar, "show", stop_in_epoch(2))
        result = run(*resumable, code=130)
    assert "Interrupted after 2 epochs" in result.stderr
    assert "same command again" in result.stderr
    assert "warning" not in result.stderr
    assert not stopped.exists()
    run(*resumable)
    rows = table()
    np.testing.assert_array_equal(wp.load(whole).transform(rows), wp.load(stopped).transform(rows))


def test_ctrl_c_without_a_checkpoint_keeps_the_best_model(fitted, tmp_path, monkeypatch):
    monkeypatch.setattr(loop.Bar, "show", stop_in_epoch(2))
    said = run("fit", fitted.npy, *SMALL, "-o", tmp_path / "m.wp", code=130).stderr
    assert "best so far" in said
    assert wp.load(tmp_path / "m.wp").n_epochs_ == 2


def test_the_checkpoint_is_not_the_output(fitted, tmp_path):
    path = tmp_path / "m.wp"
    assert (
        "a file of its own"
        in run("fit", fitted.npy, "-o", path, "--checkpoint", path, code=2).stderr
    )
    assert not path.exists()


@pytest.mark.slow
def test_a_signal_ends_a_real_process_the_same_way(fitted, tmp_path):
    state = tmp_path / "state"
    options = (*SMALL, "--max-epochs", "1000000", "--patience", "0", "--checkpoint", state)
    process = subprocess.Popen(
        [sys.executable, "-m", "wellposed", "fit", fitted.npy, "-o", tmp_path / "m.wp", *options],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(wp.__file__))},
    )
    try:
        deadline = time.monotonic() + 120
        while not state.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, said
    assert "keeps the training" in said
    assert "Traceback" not in said


def test_training_that_turns_non_finite_ends_with_code_one(fitted, tmp_path):
    path = tmp_path / "m.wp"
    result = run("fit", fitted.npy, *SMALL, "--learning-rate", "1e30", "-o", path, code=1)
    assert "warning: The objective became non-finite" in result.stderr
    assert path.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--noise", "sharde"], "Did you mean 'shared'?"),
        (["--noise", "-1"], "finite number > 0"),
        (["--noise", "0"], "finite number > 0"),
        (["--transform", "standardise"], "Did you mean 'standardize'?"),
        (["--objective", "elbow"], "Did you mean 'elbo'?"),
        (["--hidden", "8;8"], "--hidden 256,256"),
        (["--image-shape", "3x3"], "image_shape must multiply to the number of features"),
        (["--kl-warmup", "3"], "warm-up must reach its target"),
        (["--transform", "logit"], "logit"),
        (["--drop", "z"], "z"),
    ],
)
def test_settings_out_of_order_are_one_message(fitted, tmp_path, options, message):
    result = run("fit", fitted.csv, "-o", tmp_path / "m.wp", *SMALL, *options, code=2)
    assert message in result.stderr
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.output
    assert not (tmp_path / "m.wp").exists()


def test_gaps_in_the_data_are_named(tmp_path):
    values = table()
    values[3, 1] = np.nan
    np.save(tmp_path / "x.npy", values)
    said = run("fit", tmp_path / "x.npy", "-o", tmp_path / "m.wp", *SMALL, code=2).stderr
    assert "1 of 300 entries" in said
    assert "row 3, column 1" in said


def test_a_single_row_is_refused_in_one_message(tmp_path):
    np.save(tmp_path / "x.npy", table()[:1])
    said = run("fit", tmp_path / "x.npy", "-o", tmp_path / "m.wp", *SMALL, code=2).stderr
    assert said.startswith("error: ")
    assert "minimum of 2" in said


def test_constant_features_are_one_line(tmp_path):
    values = table()
    values[:, 2] = 4.0
    np.save(tmp_path / "x.npy", values)
    said = run("fit", tmp_path / "x.npy", "-o", tmp_path / "m.wp", *SMALL).stderr
    lines = [line for line in said.splitlines() if "never vary" in line]
    assert len(lines) == 1
    assert lines[0].startswith("warning: 1 of 5 features never vary (2)")


def test_a_bug_keeps_its_traceback(fitted, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise ValueError("a bug")

    monkeypatch.setattr(wp.VAE, "fit", broken)
    result = run("fit", fitted.csv, "-o", tmp_path / "m.wp", *SMALL, code=1)
    assert isinstance(result.exception, ValueError)
    assert cli.app.pretty_exceptions_enable is False
