"""Folds that choose the epoch, rows held out by position, weights of rows."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from test_training_fit import DATA, model_for, same
from test_training_resume import interrupt_after

from wellposed._errors import SettingError
from wellposed.objectives import AbstractObjective, ElboTerms, Evaluation
from wellposed.training import (
    Member,
    Outcome,
    Plan,
    _checkpoint,
    fit_folds,
    fit_grid,
    fit_member,
    split_folds,
)
from wellposed.training import _fit as loop
from wellposed.training._epoch import batch_mean, share
from wellposed.training._folds import _folds
from wellposed.training._rows import Rows

KEY = jax.random.key(3)
ROWS = DATA[:50]
MEMBER = Member(model_for(), KEY, plan=Plan(max_epochs=40, patience=4, learning_rate=0.02))
FOLDS = tuple((held, MEMBER.model) for held in split_folds(50, 3, key=KEY))
FOLDED = dataclasses.replace(MEMBER, folds=FOLDS)


class Linear(AbstractObjective):
    """x · θ, without randomness: its gradient in θ is x."""

    trains_noise: ClassVar[bool] = True
    refits_noise: ClassVar[bool] = False

    def __call__(self, model, x, *, key, annealing=1.0):
        value = x @ model
        return Evaluation(value, ElboTerms(value, jnp.zeros(())))

    def implied_noise_variance(self):
        return None


def test_each_row_is_held_out_once():
    held = np.concatenate([fold.held for fold in _folds(FOLDED)])
    assert_array_equal(np.sort(held), np.arange(50))


def test_the_last_training_ends_at_the_average_of_the_best_epochs_of_the_folds():
    runs = [fit_member(fold, ROWS) for fold in _folds(FOLDED)]
    held = [run.history.column("held_out_objective") for run in runs]
    average = round(np.mean([values.argmax() + 1 for values in held]))
    assert all(run.best_epoch for run in runs)
    run = fit_folds(FOLDED, ROWS)
    plan = dataclasses.replace(MEMBER.plan, last_epoch=average, patience=None)
    alone = fit_member(dataclasses.replace(MEMBER, plan=plan), ROWS)
    assert run.best_epoch == len(run.history.rows) == average
    assert same(run.model, alone.model)
    at = [values[np.minimum(np.arange(average), len(values) - 1)] for values in held]
    assert_allclose(run.history.column("held_out_objective"), np.mean(at, axis=0), rtol=1e-6)


def test_a_training_with_a_last_epoch_is_the_start_of_a_longer_one():
    whole = fit_member(dataclasses.replace(MEMBER, plan=Plan(max_epochs=20)), ROWS)
    part = fit_member(dataclasses.replace(MEMBER, plan=Plan(max_epochs=20, last_epoch=7)), ROWS)
    assert part.history.rows == whole.history.rows[:7]
    none = fit_member(dataclasses.replace(MEMBER, plan=Plan(last_epoch=0)), ROWS)
    assert same(none.model, MEMBER.model)
    assert none.best_epoch == 0
    with pytest.raises(SettingError, match="last_epoch=21 with max_epochs=20"):
        Plan(max_epochs=20, last_epoch=21)


@pytest.mark.parametrize("stops_in", [0, 2, 3])
def test_folds_resume_in_any_stage(tmp_path, monkeypatch, stops_in):
    """Interrupted in a fold (0, 2) or in the last training (3)."""
    monkeypatch.setattr(_checkpoint, "_SECONDS_BETWEEN", 0.0)
    whole, path = fit_folds(FOLDED, ROWS), tmp_path / "folds.ckpt"
    trained, stages = loop.fit_member, []

    def stop(*inputs, callbacks=(), **options):
        stages.append(len(stages))
        further = [interrupt_after(2)] if stages[-1] == stops_in else []
        return trained(*inputs, callbacks=[*callbacks, *further], **options)

    with monkeypatch.context() as patch:
        patch.setattr("wellposed.training._folds.fit_member", stop)
        stopped = fit_folds(FOLDED, ROWS, checkpoint=path)
    assert stopped.outcome is Outcome.interrupted
    resumed = fit_folds(FOLDED, ROWS, checkpoint=path)
    assert same(resumed.model, whole.model)
    assert resumed.history.rows == whole.history.rows
    again = fit_folds(FOLDED, ROWS, checkpoint=path)
    assert same(again.model, whole.model)


def test_where_most_folds_keep_the_start_so_does_the_last_training():
    plan = Plan(max_epochs=2, learning_rate=30.0)
    trained = fit_member(MEMBER, ROWS).model
    folds = tuple((held, trained) for held, _ in FOLDS)
    run = fit_folds(dataclasses.replace(FOLDED, model=trained, plan=plan, folds=folds), ROWS)
    assert run.best_epoch == 0
    assert same(run.model, trained)


def test_folds_that_cannot_be_are_refused():
    for n_folds in (1, 51):
        with pytest.raises(SettingError, match=f"got {n_folds}"):
            split_folds(50, n_folds, key=KEY)
    with pytest.raises(SettingError, match="either folds"):
        fit_folds(dataclasses.replace(FOLDED, held=np.arange(5)), ROWS)
    with pytest.raises(SettingError, match="no folds"):
        fit_folds(MEMBER, ROWS)


def test_rows_held_out_by_position_do_not_train():
    member = dataclasses.replace(MEMBER, held=np.arange(40, 50), plan=Plan(max_epochs=3))
    moved = ROWS.copy()
    moved[40:] += 100.0
    runs = [fit_member(member, rows) for rows in (ROWS, moved)]
    for name in ("objective", "kl"):
        assert_array_equal(*(run.history.column(name) for run in runs))
    held = [run.history.column("held_out_objective") for run in runs]
    assert (held[0] > held[1] + 100).all()


def test_steps_of_weighted_rows_add_up_to_the_weighted_sum():
    """Σ over batches of (rows · mean · share) = Σ w_i f(x_i), whatever the batches."""
    x = np.random.default_rng(0).normal(size=(70, 3)).astype(np.float32)
    weights = np.random.default_rng(1).gamma(0.5, size=70).astype(np.float32)
    theta = jnp.asarray([1.0, -2.0, 0.5])
    padded = np.zeros(128, np.float32)
    padded[:70] = weights
    rows = Rows.of(np.random.default_rng(2).permutation(70), jnp.asarray(padded))
    total = 0.0
    for i in range(int(rows.steps(16))):
        chosen, weight = rows.batch(i, 16)
        value, _ = batch_mean(theta, jnp.asarray(x), chosen, weight, Linear(), 1.0, key=KEY)
        total += (weight > 0).sum() * value * share(rows, weight)
    assert_allclose(total, weights @ x @ np.asarray(theta), rtol=1e-4)


def test_equal_weights_change_nothing():
    plain = fit_member(dataclasses.replace(MEMBER, validation_fraction=0.2), ROWS)
    weighted = dataclasses.replace(MEMBER, validation_fraction=0.2, weights=np.ones(50))
    assert_allclose(fit_member(weighted, ROWS).history.rows, plain.history.rows, rtol=2e-4)


def test_weights_of_the_wrong_shape_or_zero_are_refused():
    for weights in (np.ones(49), np.r_[0.0, np.ones(49)]):
        with pytest.raises(SettingError, match="weight above zero"):
            fit_member(dataclasses.replace(MEMBER, weights=weights), ROWS)


def test_members_with_folds_or_weights_keep_their_results_in_a_grid():
    weighted = dataclasses.replace(
        MEMBER, weights=np.linspace(0.5, 1.5, 50), plan=Plan(max_epochs=3)
    )
    members = [FOLDED, weighted]
    alone = [fit_folds(FOLDED, ROWS), fit_member(weighted, ROWS)]
    for run, one in zip(fit_grid(members, ROWS, together=True), alone, strict=True):
        assert same(run.model, one.model)
        assert run.best_epoch == one.best_epoch


def test_a_stack_keeps_the_start_where_a_training_alone_does():
    trained = fit_member(MEMBER, ROWS).model
    members = [
        Member(trained, KEY, plan=Plan(max_epochs=2, learning_rate=rate), validation_fraction=0.2)
        for rate in (30.0, 1e-4)
    ]
    runs = fit_grid(members, ROWS, together=True)
    assert [run.best_epoch for run in runs] == [fit_member(m, ROWS).best_epoch for m in members]
    assert runs[0].best_epoch == 0
    assert same(runs[0].model, trained)
