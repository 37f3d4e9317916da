"""Training with few labels by the loop of every model: interrupted, resumed, stopped in time."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from labelled.oracle import (
    C,
    auxiliary_model,
    draw,
    log_density,
    log_joint,
    random_model,
    with_labels,
)
from wellposed.objectives import LabelledELBO
from wellposed.training import Member, Outcome, Plan, fit_member

X, Y = draw(400)
DATA = with_labels(X, Y, 12).astype(np.float32)
PLAN = Plan(batch_size=64, max_epochs=6, learning_rate=0.02)


def member(plan=PLAN, make=random_model, alpha=3.0, **changes):
    goal = LabelledELBO.of(np.arange(12), alpha=alpha, n_rows=400)
    model = jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), make(**changes))
    return Member(model, jax.random.key(0), goal, plan)


@pytest.mark.parametrize("auxiliary", [pytest.param(False, marks=pytest.mark.slow), True])
def test_training_reaches_the_exact_densities_and_classes(auxiliary):
    """With a, the labels weigh more: from some starts the bound has other groups as classes."""
    plan = dataclasses.replace(PLAN, max_epochs=60)
    options = {"make": auxiliary_model, "alpha": 30.0, "slope": 1.0} if auxiliary else {}
    run = fit_member(member(plan, **options), DATA)
    reached, exact = run.history.column("objective")[-1], log_density(X).mean()
    assert exact - 0.6 < reached < exact + 0.25
    logits = jax.vmap(lambda x: run.model.output(x, key=jax.random.key(0)))(jnp.asarray(X))
    best = (log_joint(X).argmax(axis=1) == Y).mean()
    assert (np.asarray(logits).argmax(axis=1) == Y).mean() > best - 0.05
    given, start = run.model.labels.log_prior, random_model().labels.log_prior
    np.testing.assert_allclose(given, start, rtol=1e-6)


def test_a_learned_class_prior_moves_to_the_shares_of_the_classes():
    uniform = member(dataclasses.replace(PLAN, max_epochs=40), learned=True)
    run = fit_member(uniform, with_labels(X, Y, 400).astype(np.float32))
    shares = np.bincount(Y, minlength=C) / len(Y)
    np.testing.assert_allclose(np.exp(run.model.labels.log_prior), shares, atol=0.05)


def test_an_interrupted_training_resumes_to_the_same_model(tmp_path):
    whole = fit_member(member(), DATA)
    file = tmp_path / "few.checkpoint"
    first = fit_member(
        member(), DATA, checkpoint=file, callbacks=[lambda report: report.epoch == 3]
    )
    assert first.outcome is Outcome.interrupted
    resumed = fit_member(member(), DATA, checkpoint=file)
    assert len(resumed.history.rows) == 6
    for a, b in zip(jax.tree.leaves(whole.model), jax.tree.leaves(resumed.model), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


@pytest.mark.filterwarnings("ignore")
def test_a_training_that_turns_non_finite_keeps_the_last_good_state():
    wild = dataclasses.replace(PLAN, learning_rate=1e30)
    run = fit_member(member(wild), DATA)
    assert run.outcome is Outcome.nonfinite
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(run.model))
