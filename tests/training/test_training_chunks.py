"""Training on chunks: each row once a pass, resumed bit for bit, equal to epochs by hand."""

import dataclasses
import errno
import io

import equinox as eqx
import jax
import numpy as np
import pytest

import wellposed as wp
from wellposed.objectives import ELBO
from wellposed.serialise import _output
from wellposed.training import Chunks, Member, Plan, _checkpoint, chunked, fit_chunks
from wellposed.training._epoch import initial_state, run_epoch, steps_in
from wellposed.training._optimiser import Rates
from wellposed.training._pass import EPOCHS
from wellposed.training._rows import Rows
from wellposed.training._training import trainable_leaves

ROWS = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)
KEPT = np.random.default_rng(1).normal(size=(80, 3)).astype(np.float32)
HELD = np.arange(40)


class ArrayChunks(Chunks):
    """Consecutive rows of an array; the order of the rows of a chunk is that of the array."""

    def __init__(self, values: np.ndarray, chunk_rows: int):
        self.values, self.chunk_rows = values, chunk_rows
        self.n_rows, self.n_chunks = len(values), -(-len(values) // chunk_rows)
        self.name, self.visits = "array", []

    def identity(self) -> str:
        return self.name

    def read(self, n_pass: int, chunk: int) -> np.ndarray:
        self.visits.append((n_pass, chunk))
        return self.values[chunk * self.chunk_rows :][: self.chunk_rows]


@pytest.fixture(scope="module")
def member():
    vae = wp.VAE(1, hidden=(4,), max_epochs=1, random_state=0, progress=False)
    with pytest.warns(wp.TrainingWarning):
        model = vae.fit(ROWS).model_
    plan = Plan(batch_size=32, max_epochs=3, learning_rate=1e-2)
    return Member(model, jax.random.key(5), plan=plan, held=HELD)


def leaves(model) -> list[np.ndarray]:
    return [np.asarray(leaf) for leaf in jax.tree.leaves(eqx.filter(model, eqx.is_array))]


def same(a, b) -> bool:
    return all(np.array_equal(*pair) for pair in zip(leaves(a), leaves(b), strict=True))


def test_the_result_is_that_of_epochs_of_its_chunks_one_after_another(member):
    run = fit_chunks(dataclasses.replace(member, held=None), ArrayChunks(ROWS, 128), KEPT)
    params, fixed = eqx.partition(member.model, trainable_leaves(member.model, ELBO()))
    state, rates = initial_state(params), Rates.of(member.plan, steps_in(300, 32))
    for epoch in range(3):
        for chunk in range(3):
            part = ROWS[128 * chunk :][:128]
            key = jax.random.fold_in(jax.random.fold_in(member.key, EPOCHS), epoch)
            state, _ = jax.jit(run_epoch, static_argnames="batch_size")(
                state,
                fixed,
                jax.numpy.asarray(part),
                Rows.of(np.arange(len(part))),
                ELBO(),
                rates,
                batch_size=32,
                key=jax.random.fold_in(key, chunk),
            )
    expected = eqx.combine(state.params, fixed).with_fixed_prior()
    for ours, theirs in zip(leaves(run.model), leaves(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)


def test_patience_and_history_count_rows_where_a_pass_is_long(member, monkeypatch):
    monkeypatch.setattr(chunked.chunks, "_EPOCH_ROWS", 64)
    chunks = ArrayChunks(ROWS, 32)  # ten chunks a pass, two an epoch
    plan = dataclasses.replace(member.plan, max_epochs=2)
    run = fit_chunks(dataclasses.replace(member, plan=plan), chunks, KEPT)
    assert len(run.history.rows) == 10
    assert chunks.visits == [(n, c) for n in range(2) for c in range(10)]
    rate = run.history.column("learning_rate")
    assert np.all(np.diff(rate) < 0)
    assert rate[-1] < 1e-6  # the rates reach zero at the end of the last pass


def test_a_pass_that_is_no_whole_number_of_epochs_ends_the_training(member, monkeypatch):
    monkeypatch.setattr(chunked.chunks, "_EPOCH_ROWS", 128)
    chunks = ArrayChunks(ROWS, 32)  # ten chunks a pass, four an epoch
    plan = dataclasses.replace(member.plan, max_epochs=1)
    run = fit_chunks(dataclasses.replace(member, plan=plan), chunks, KEPT)
    assert len(run.history.rows) == 2  # of four chunks, and of six
    assert chunks.visits == [(0, c) for c in range(10)]
    assert run.history.column("learning_rate")[-1] < 1e-6


def test_the_rate_is_zero_at_the_last_step_and_never_rises(member):
    """Chunks of 30 rows with batches of 32 rows have ten steps a pass, not nine."""
    run = fit_chunks(member, ArrayChunks(ROWS, 30), KEPT)
    rate = run.history.column("learning_rate")
    assert np.all(np.diff(rate) < 0)
    assert rate[-1] < 1e-6


def test_a_training_that_is_resumed_within_a_pass_ends_with_the_same_bits(
    member, tmp_path, monkeypatch
):
    monkeypatch.setattr(chunked.chunks, "_EPOCH_ROWS", 128)  # one chunk of three
    whole = fit_chunks(member, ArrayChunks(ROWS, 128), KEPT)
    file = tmp_path / "state"
    for _ in range(2):
        fit_chunks(member, ArrayChunks(ROWS, 128), KEPT, checkpoint=file, callbacks=[lambda _: 1])
    resumed = ArrayChunks(ROWS, 128)
    run = fit_chunks(member, resumed, KEPT, checkpoint=file)
    assert resumed.visits[0] == (0, 2)
    assert same(run.model, whole.model)


def test_a_training_that_is_resumed_twice_ends_with_the_same_bits(member, tmp_path):
    whole = fit_chunks(member, ArrayChunks(ROWS, 128), KEPT)
    file = tmp_path / "state"
    for _ in range(2):
        run = fit_chunks(
            member, ArrayChunks(ROWS, 128), KEPT, checkpoint=file, callbacks=[lambda _: True]
        )
        assert run.outcome.value == "interrupted"
    resumed = ArrayChunks(ROWS, 128)
    run = fit_chunks(member, resumed, KEPT, checkpoint=file)
    assert resumed.visits == [(2, 0), (2, 1), (2, 2)]
    np.testing.assert_array_equal(run.history.rows, whole.history.rows)
    assert same(run.model, whole.model)


def test_a_full_disk_leaves_the_last_checkpoint_of_a_chunked_training(
    member, tmp_path, monkeypatch
):
    """The message names the file and the size; the training goes on, and the file resumes it."""
    monkeypatch.setattr(_checkpoint, "_SECONDS_BETWEEN", 0.0)
    file = tmp_path / "state"
    whole = fit_chunks(member, ArrayChunks(ROWS, 128), KEPT)
    fit_chunks(member, ArrayChunks(ROWS, 128), KEPT, checkpoint=file, callbacks=[lambda _: True])
    before = file.read_bytes()

    class Full(io.BufferedWriter):
        def write(self, content):
            super().write(content[:100])
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_output, "_stream", lambda fd, text: Full(io.FileIO(fd, "wb")))
    message = r"state could not be written: No space left .* It needs [\d.]+ MB .* Make room"
    with pytest.warns(wp.TrainingWarning, match=message) as caught:
        run = fit_chunks(member, ArrayChunks(ROWS, 128), KEPT, checkpoint=file)
    assert len(caught) == 1
    assert same(run.model, whole.model)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    monkeypatch.undo()
    resumed = ArrayChunks(ROWS, 128)
    run = fit_chunks(member, resumed, KEPT, checkpoint=file)
    assert resumed.visits[0] == (1, 0)
    assert same(run.model, whole.model)


@pytest.mark.parametrize("last", [1, 3])  # the third is the last epoch
def test_data_that_change_between_passes_are_refused(member, last):
    chunks = ArrayChunks(ROWS, 128)

    def change(report):
        chunks.name = "another" if report.epoch == last else chunks.name

    with pytest.raises(wp.DataError, match="has changed since training"):
        fit_chunks(member, chunks, KEPT, callbacks=[change])


def test_an_error_of_the_reader_ends_the_training(member):
    class Broken(ArrayChunks):
        def read(self, n_pass, chunk):
            if chunk == 1:
                raise wp.DamagedFileError("row group 1")
            return super().read(n_pass, chunk)

    with pytest.raises(wp.DamagedFileError, match="row group 1"):
        fit_chunks(member, Broken(ROWS, 128), KEPT)


def test_an_aggressive_encoder_phase_needs_rows_in_memory(member):
    plan = dataclasses.replace(member.plan, encoder_steps=5)
    with pytest.raises(wp.SettingError, match="encoder_steps=5 with a source"):
        fit_chunks(dataclasses.replace(member, plan=plan), ArrayChunks(ROWS, 128), KEPT)
