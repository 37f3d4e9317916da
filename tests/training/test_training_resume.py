"""Stop anywhere, resume, and get the same model, bit for bit."""

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import Future

import jax
import numpy as np
import pytest
from test_training_fit import DATA, model_for, same

import wellposed as wp
from wellposed import serialise
from wellposed.training import History, Outcome, Plan, _checkpoint, fit
from wellposed.training._course import Course

PLAN = Plan(max_epochs=12, kl_warmup=4)
SETTINGS = {"key": jax.random.key(4), "plan": PLAN, "validation_fraction": 0.2}


@pytest.fixture
def every_epoch(monkeypatch):
    """Write a checkpoint after each epoch, however fast they are."""
    monkeypatch.setattr(_checkpoint, "_SECONDS_BETWEEN", 0.0)


def interrupt_after(epochs):
    def callback(report):
        if report.epoch == epochs:
            raise KeyboardInterrupt

    return callback


@pytest.mark.parametrize("epochs", [1, 5, 11])
def test_an_interrupted_training_ends_where_an_uninterrupted_one_does(tmp_path, epochs):
    whole = fit(model_for(), DATA, **SETTINGS)
    path = tmp_path / "training.ckpt"
    stopped = fit(
        model_for(), DATA, checkpoint=path, callbacks=[interrupt_after(epochs)], **SETTINGS
    )
    assert stopped.outcome is Outcome.interrupted
    assert len(stopped.history.rows) == epochs
    resumed = fit(model_for(), DATA, checkpoint=path, **SETTINGS)
    assert same(resumed.model, whole.model)
    np.testing.assert_array_equal(resumed.history.rows, whole.history.rows)


def test_a_training_stopped_past_its_best_epoch_remembers_it(tmp_path):
    """What is best, how good, and when: after the stop no epoch comes near it."""
    plan = Plan(max_epochs=400, patience=6, learning_rate=0.02)
    settings = {"key": jax.random.key(1), "plan": plan, "validation_fraction": 0.3}
    whole = fit(model_for(), DATA[:60], **settings)
    assert whole.outcome is Outcome.converged
    past = len(whole.history.rows) - 3
    path = tmp_path / "training.ckpt"
    fit(model_for(), DATA[:60], checkpoint=path, callbacks=[interrupt_after(past)], **settings)
    resumed = fit(model_for(), DATA[:60], checkpoint=path, **settings)
    np.testing.assert_array_equal(resumed.history.rows, whole.history.rows)
    assert same(resumed.model, whole.model)


@pytest.mark.slow
def test_a_killed_process_is_resumed_bit_for_bit(tmp_path):
    """kill -9 in the middle of an epoch: the file on disk is complete and sufficient."""
    path = tmp_path / "training.ckpt"
    script = textwrap.dedent(
        """
        import sys
        from test_training_fit import DATA, model_for
        from test_training_resume import SETTINGS
        from wellposed.training import _checkpoint, fit
        import time
        _checkpoint._SECONDS_BETWEEN = 0.0
        def wait(report):
            time.sleep(0.05 if report.epoch < 8 else 600.0)
        fit(model_for(), DATA, checkpoint=sys.argv[1], callbacks=[wait], **SETTINGS)
        """
    )
    # The library under test first: another one may be installed.
    here, library = os.path.dirname(__file__), os.path.dirname(os.path.dirname(wp.__file__))
    path_of_child = os.pathsep.join([library, here, os.path.dirname(here)])
    environment = {**os.environ, "PYTHONPATH": path_of_child}
    process = subprocess.Popen([sys.executable, "-c", script, str(path)], env=environment)
    deadline = time.monotonic() + 120
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    process.wait()
    seen = []
    resumed = fit(
        model_for(),
        DATA,
        checkpoint=path,
        callbacks=[lambda report: seen.append(report.epoch)],
        **SETTINGS,
    )
    assert 1 < seen[0] <= PLAN.max_epochs
    assert same(resumed.model, fit(model_for(), DATA, **SETTINGS).model)


def test_a_checkpoint_is_not_written_more_often_than_it_must(tmp_path, monkeypatch):
    monkeypatch.setattr(_checkpoint, "_SECONDS_BETWEEN", 1e9)
    written = []
    write = _checkpoint.serialise.write
    monkeypatch.setattr(_checkpoint.serialise, "write", lambda *a: (written.append(a), write(*a)))
    fit(model_for(), DATA, checkpoint=tmp_path / "training.ckpt", **SETTINGS)
    assert len(written) == 1


def test_a_finished_checkpoint_gives_the_finished_model(tmp_path, every_epoch):
    path = tmp_path / "training.ckpt"
    first = fit(model_for(), DATA, checkpoint=path, **SETTINGS)
    seen = []
    again = fit(model_for(), DATA, checkpoint=path, callbacks=[seen.append], **SETTINGS)
    assert seen == []
    assert same(first.model, again.model)


@pytest.mark.parametrize(
    "change",
    [
        {"plan": Plan(max_epochs=13, kl_warmup=4)},
        {"key": jax.random.key(5)},
        {"validation_fraction": 0.1},
        {"objective": wp.objectives.BetaELBO(2.0)},
    ],
    ids=["plan", "key", "split", "objective"],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, change):
    path = tmp_path / "training.ckpt"
    fit(model_for(), DATA, checkpoint=path, callbacks=[lambda report: True], **SETTINGS)
    with pytest.raises(wp.SettingError, match="other data or settings"):
        fit(model_for(), DATA, checkpoint=path, **{**SETTINGS, **change})


@pytest.mark.parametrize(
    ("model", "data"),
    [(model_for(), DATA + 1), (model_for(), DATA[::-1]), (model_for(noise="feature"), DATA)],
    ids=["data", "order", "model"],
)
def test_a_checkpoint_of_other_data_or_another_model_is_refused(tmp_path, model, data):
    """Each alone: a model is fitted to its data, so that changing both would hide one."""
    path = tmp_path / "training.ckpt"
    fit(model_for(), DATA, checkpoint=path, callbacks=[lambda report: True], **SETTINGS)
    with pytest.raises(wp.SettingError, match="other data or settings"):
        fit(model, data, checkpoint=path, **SETTINGS)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    path = tmp_path / "training.ckpt"
    fit(model_for(), DATA, checkpoint=path, callbacks=[lambda report: True], **SETTINGS)
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(wp.DamagedFileError, match="checksum"):
        fit(model_for(), DATA, checkpoint=path, **SETTINGS)


def test_an_unwritable_checkpoint_is_found_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    seen = []
    with pytest.raises(wp.OutputError, match="cannot be written"):
        fit(
            model_for(),
            DATA,
            checkpoint=tmp_path / "file" / "training.ckpt",
            callbacks=[seen.append],
            **SETTINGS,
        )
    assert seen == []


class AtOnce:
    """An executor that has written when it returns, so that an epoch has a file of its own."""

    def __init__(self, *_):
        pass

    def submit(self, function, *arguments):
        future = Future()
        try:
            future.set_result(function(*arguments))
        except OSError as error:
            future.set_exception(error)
        return future

    def shutdown(self, wait):
        pass


def test_a_full_disk_warns_once_and_training_goes_on(tmp_path, every_epoch, monkeypatch):
    """The model is in memory: the last checkpoint that was written, and the training, are kept."""
    monkeypatch.setattr(_checkpoint, "ThreadPoolExecutor", AtOnce)
    path = tmp_path / "training.ckpt"
    whole = fit(model_for(), DATA, **SETTINGS)
    fsync, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(wp.TrainingWarning, match=r"No space left.*needs .* MB.*free") as caught:
        run = fit(model_for(), DATA, checkpoint=path, **SETTINGS)
    assert len(caught) == 1
    assert same(run.model, whole.model)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == [path.name]
    seen = []
    resumed = fit(
        model_for(), DATA, checkpoint=path, callbacks=[lambda r: seen.append(r.epoch)], **SETTINGS
    )
    assert seen[0] == 4
    assert same(resumed.model, whole.model)


def test_a_slow_disk_does_not_stop_the_training(tmp_path, every_epoch, monkeypatch):
    """One file is written at a time, beside the epochs; the last one when the training ends."""
    path, fsync, writers = tmp_path / "training.ckpt", os.fsync, []
    enough = threading.Event()

    def slow(descriptor):
        writers.append(threading.current_thread())
        assert enough.wait(120)
        fsync(descriptor)

    def later(report):
        if report.epoch == PLAN.max_epochs - 2:  # reached while the first file is being written
            assert len(writers) <= 1
            enough.set()

    monkeypatch.setattr(os, "fsync", slow)
    first = fit(model_for(), DATA, checkpoint=path, callbacks=[later], **SETTINGS)
    assert 1 < len(writers) <= 4
    assert threading.main_thread() not in writers
    monkeypatch.undo()
    seen = []
    again = fit(model_for(), DATA, checkpoint=path, callbacks=[seen.append], **SETTINGS)
    assert seen == []
    assert same(first.model, again.model)


def test_a_checkpoint_keeps_its_permissions(tmp_path, every_epoch):
    path = tmp_path / "training.ckpt"
    fit(model_for(), DATA, checkpoint=path, callbacks=[lambda report: True], **SETTINGS)
    path.chmod(0o600)
    fit(model_for(), DATA, checkpoint=path, **SETTINGS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_device_is_no_checkpoint(tmp_path):
    with pytest.raises(wp.OutputError, match="read again"):
        fit(model_for(), DATA, checkpoint="/dev/null", **SETTINGS)


def without(name):
    return lambda tensors, header: tensors.pop(name)


def changed(name, change):
    return lambda tensors, header: tensors.update({name: change(tensors[name])})


def history(change):
    def forge(tensors, header):
        header["history"] = json.dumps(change(json.loads(header["history"])))

    return forge


LEAF = "best_params.decoder.layers.0.weight"


@pytest.mark.parametrize(
    "forge",
    [
        without(LEAF),
        changed(LEAF, lambda a: a * np.nan),
        changed(LEAF, lambda a: a + np.inf),
        changed(LEAF, lambda a: a[:1]),
        changed(LEAF, lambda a: a.astype(np.float64)),
        changed(LEAF, lambda a: a.astype(np.int32)),
        changed("best_epoch", lambda a: a + 100),
        lambda tensors, header: tensors.update(extra=np.zeros(3)),
        lambda tensors, header: header.pop("history"),
        lambda tensors, header: header.update(history=3),
        lambda tensors, header: header.update(history="[" * 5000),
        history(lambda rows: [row[:-1] for row in rows]),
        history(lambda rows: [[*row[:-1], "0"] for row in rows]),
        history(lambda rows: rows * 2),
        history(lambda rows: {}),
    ],
)
def test_a_forged_checkpoint_is_refused_with_the_remedy(tmp_path, forge):
    """Its checksum is right: it is what someone wrote, and not what a training did."""
    path = tmp_path / "training.ckpt"
    fit(model_for(), DATA, checkpoint=path, callbacks=[lambda report: True], **SETTINGS)
    tensors, header = serialise.read(path)
    forge(tensors, header)
    serialise.write(path, tensors, header)
    with pytest.raises(wp.DamagedFileError, match="Delete"):
        fit(model_for(), DATA, checkpoint=path, **SETTINGS)


ROW = [1.0] * 9


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        [[ROW], 0.5, 1],
        [[ROW[:-1]], 0.5, 1, None],
        [[ROW], "0.5", 1, None],
        [[ROW], 0.5, 2, None],
        [[ROW], 0.5, 1.0, None],
        [[ROW], 0.5, 1, "splendid"],
        [[ROW], 0.5, 1, 3],
        [["row"], 0.5, 1, None],
    ],
    ids=str,
)
def test_a_forged_record_of_one_of_several_trainings_is_refused(record):
    course = Course(PLAN, 0, 1, History())
    assert course.from_record([[ROW], 0.5, 1, "converged"]).outcome is Outcome.converged
    with pytest.raises(wp.DamagedFileError, match="Delete"):
        course.from_record(record)
