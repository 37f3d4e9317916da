"""The three solvers of the linear VAE: all reach the closed form, each in its own way."""

import dataclasses

import numpy as np
import pytest

import linear_oracles as own
from variants import slow_beside
from wellposed import models, training
from wellposed.models import Covariance, eigendecompose, optimum, stationary_point
from wellposed.training import LinearPlan, LinearState, Outcome
from wellposed.training.linear import lbfgs as _gradient
from wellposed.training.linear import plan as _linear
from wellposed.training.linear import subspace as _accelerated

VALUES = [6.0, 3.5, 1.9, 0.8, 0.25]
SOLVERS = ["subspace_iteration", "fixed_point", "gradient"]
KEEPING = ["fixed_point", "gradient"]  # those that heed where they start


def solve(name, covariance, start, plan, seed=0):
    settings = {"progress": False}
    if name == "subspace_iteration":
        settings["rng"] = np.random.default_rng(seed)
    return getattr(training, name)(covariance, start, plan, **settings)


def from_random(name, covariance, k, plan, seed=0):
    rng = np.random.default_rng(seed)
    return solve(name, covariance, training.random_state(covariance, k, plan, rng=rng), plan, seed)


def objective(run, covariance, beta=1.0):
    """The objective of a run's model, written out."""
    model = run.model
    return float(
        own.objective(
            model.weight,
            model.encoder,
            np.log(model.variance),
            np.log(model.noise_variance),
            covariance.matrix,
            beta,
        )
    )


def best_value(best):
    return best.elbo - (best.beta - 1) * best.rates.sum()


# The optimum.


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("noise_variance", [None, 0.5, 3.0])
@pytest.mark.parametrize("beta", [0.3, 1.0, 3.0])
def test_every_solver_reaches_the_optimum(name, noise_variance, beta):
    covariance = own.with_eigenvalues(VALUES, seed=1)
    plan = LinearPlan(noise_variance, beta, max_iter=5_000, tol=1e-13)
    spectrum = eigendecompose(covariance)
    near = 1e-9 if name == "subspace_iteration" else 1e-6
    for k, seed in ((1, 0), (2, 1), (3, 2)):
        best = optimum(spectrum, k, noise_variance=noise_variance, beta=beta)
        run = from_random(name, covariance, k, plan, seed)
        assert run.outcome is Outcome.converged
        assert objective(run, covariance, beta) == pytest.approx(best_value(best), rel=near)
        assert run.objective[-1] == pytest.approx(best_value(best), rel=near)
        assert float(run.model.noise_variance) == pytest.approx(best.noise_variance, rel=1e-4)
        outer = run.model.weight @ run.model.weight.T
        np.testing.assert_allclose(outer, best.model.weight @ best.model.weight.T, atol=1e-3)
        np.testing.assert_array_equal(run.model.mean, covariance.mean)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", slow_beside(SOLVERS, set(SOLVERS) - {"gradient"}))
def test_every_solver_reaches_the_optimum_of_the_digits(name, digits):
    covariance = own.of_rows(digits)
    best = optimum(eigendecompose(covariance), 10)
    run = from_random(name, covariance, 10, LinearPlan(tol=1e-10))
    near = 1e-9 if name == "subspace_iteration" else 1e-6
    assert run.outcome is Outcome.converged
    assert objective(run, covariance) == pytest.approx(best.elbo, rel=near)
    assert objective(run, covariance) <= best.elbo * (1 - 1e-12)


@pytest.mark.parametrize(("d", "k"), [(5, 2), (5, 5), (12, 2), (12, 3), (40, 4), (40, 30)])
def test_the_accelerated_solver_at_every_width_of_its_span(d, k):
    """Its span is k and ten more, or a tenth: from narrow to as wide as the data."""
    covariance = own.with_eigenvalues(np.geomspace(10, 0.1, d), seed=d)
    noise_variance = 0.3 if d == k else None
    best = optimum(eigendecompose(covariance), k, noise_variance=noise_variance)
    run = from_random("subspace_iteration", covariance, k, LinearPlan(noise_variance, tol=1e-13))
    assert run.objective[-1] == pytest.approx(best.elbo, rel=1e-9)
    assert float(run.model.noise_variance) == pytest.approx(best.noise_variance, rel=1e-7)
    assert run.model.weight.shape == (d, k)


def test_the_accelerated_solver_needs_few_steps(digits):
    run = from_random("subspace_iteration", own.of_rows(digits), 10, LinearPlan())
    assert len(run.objective) < 15
    slow = from_random("fixed_point", own.of_rows(digits), 10, LinearPlan())
    assert len(slow.objective) > 5 * len(run.objective)


def test_the_accelerated_solver_where_the_span_holds_all_that_varies():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 30))
    covariance = own.of_rows(rows)
    best = optimum(eigendecompose(covariance), 2)
    run = from_random("subspace_iteration", covariance, 2, LinearPlan())
    assert run.objective[-1] == pytest.approx(best.elbo, rel=1e-9)
    assert float(run.model.noise_variance) == pytest.approx(best.noise_variance, rel=1e-9)


@pytest.mark.parametrize(("ratio", "degree"), [(1.05, 12), (100.0, 7), (1e8, 2)])
def test_the_filter_is_chebyshevs_polynomial(ratio, degree):
    """T_m(2λ/b − 1), m the largest ≤ 12 that raises no direction by more than 1e20, at least 2."""
    values = np.array([ratio, 1.0, 0.6, 0.3, 0.0])
    vectors = np.random.default_rng(0).normal(size=(5, 2))
    span = models.Spectrum(np.zeros(5), values, np.array([ratio, 1.0]), vectors, 9)
    found = _accelerated._filter(np.diag(values), span)
    gain = np.polynomial.chebyshev.Chebyshev.basis(degree)(2 * values - 1)
    np.testing.assert_allclose(found, gain[:, None] * vectors, rtol=1e-9)


def test_the_accelerated_solver_on_equal_eigenvalues():
    covariance = own.with_eigenvalues([2.0] * 6)
    run = from_random("subspace_iteration", covariance, 2, LinearPlan(0.5))
    assert run.objective[-1] == pytest.approx(own.least_loss([2.0] * 6, 6, 2, 0.5), rel=1e-12)
    wide = own.with_eigenvalues([2.0] * 30)
    run = from_random("subspace_iteration", wide, 2, LinearPlan())
    assert float(run.model.noise_variance) == pytest.approx(2.0, rel=1e-9)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", SOLVERS)
def test_the_jacobian_is_added_to_the_objective(name):
    plain = own.with_eigenvalues(VALUES)
    moved = dataclasses.replace(plain, log_det=11.0)
    without = from_random(name, plain, 2, LinearPlan(max_iter=3))
    with_it = from_random(name, moved, 2, LinearPlan(max_iter=3))
    np.testing.assert_allclose(with_it.objective - without.objective, 11.0, rtol=1e-9)


@pytest.mark.parametrize("name", SOLVERS)
def test_nothing_but_the_covariance_counts(name):
    """A step for a thousand rows is the step for a thousand million."""
    few = own.with_eigenvalues(VALUES)
    many = dataclasses.replace(few, n_rows=10**9)
    a, b = (from_random(name, each, 2, LinearPlan(max_iter=20)) for each in (few, many))
    np.testing.assert_array_equal(a.objective, b.objective)
    np.testing.assert_array_equal(a.model.weight, b.model.weight)


# Dead latents.


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_dead_latents_have_the_prior_as_posterior(name, beta):
    covariance = own.with_eigenvalues(VALUES)
    plan = LinearPlan(2.5 / beta, beta, tol=1e-14)
    model = from_random(name, covariance, 4, plan).model
    rates = np.sort(np.asarray(model.rates(covariance.matrix)))[::-1]
    np.testing.assert_allclose(rates[:2], 0.5 * np.log(np.array(VALUES[:2]) / 2.5), rtol=1e-3)
    np.testing.assert_allclose(rates[2:], 0.0, atol=1e-5)
    dead = np.argsort(np.asarray(model.variance))[2:]
    np.testing.assert_allclose(model.variance[dead], 1.0, atol=1e-3)
    np.testing.assert_allclose(model.encoder[dead], 0.0, atol=1e-2)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", KEEPING)
@pytest.mark.parametrize("noise_variance", [None, 0.5, 2.0])
def test_every_stationary_point_is_stayed_at(name, noise_variance):
    """A zero column stays zero to the last bit: neither its gradient nor its update is anything."""
    covariance, k = own.with_eigenvalues(VALUES, seed=2), 3
    spectrum = eigendecompose(covariance)
    plan = LinearPlan(noise_variance, max_iter=50)
    stayed = 0
    for active in own.active_sets(5, k):
        variance = noise_variance
        if variance is None:
            variance = (sum(VALUES) - sum(VALUES[j] for j in active)) / (5 - len(active))
        if any(VALUES[j] <= variance for j in active):
            continue
        point = stationary_point(spectrum, active, k, noise_variance=noise_variance)
        start = training.state_of(point.model.weight, point.noise_variance)
        run = solve(name, covariance, start, plan)
        assert run.outcome is Outcome.converged
        outer = run.model.weight @ run.model.weight.T
        np.testing.assert_allclose(outer, point.model.weight @ point.model.weight.T, atol=1e-7)
        norms = np.sort((run.model.weight**2).sum(0))
        assert (norms[: k - len(active)] == 0).all()
        assert float(run.model.noise_variance) == pytest.approx(point.noise_variance, rel=1e-8)
        assert objective(run, covariance) == pytest.approx(point.elbo, rel=1e-10)
        stayed += 1
    assert stayed >= 3


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", KEEPING)
def test_a_nudged_saddle_is_left_and_a_nudged_maximum_returned_to(name):
    covariance, k = own.with_eigenvalues(VALUES, seed=3), 2
    spectrum = eigendecompose(covariance)
    plan = LinearPlan(0.5, tol=1e-14, max_iter=5_000)
    best = optimum(spectrum, k, noise_variance=0.5)
    nudge = 1e-4 * np.random.default_rng(0).normal(size=(5, k))
    for active in [(), (0,), (1,), (0, 2), (1, 2), (0, 1)]:
        point = stationary_point(spectrum, active, k, noise_variance=0.5)
        assert point.is_maximum == (active == (0, 1))
        start = training.state_of(point.model.weight + nudge, 0.5)
        run = solve(name, covariance, start, plan)
        assert objective(run, covariance) == pytest.approx(best.elbo, rel=1e-7)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", KEEPING)
def test_collapse_at_a_large_given_noise_is_a_maximum_that_nothing_leaves(name):
    covariance = own.with_eigenvalues(VALUES)
    start = training.state_of(1e-2 * np.random.default_rng(0).normal(size=(5, 2)), 7.0)
    run = solve(name, covariance, start, LinearPlan(7.0, tol=1e-15))
    assert np.abs(run.model.weight).max() < 1e-2
    rates = np.asarray(run.model.rates(covariance.matrix))
    assert rates.max() < 1e-6


def test_a_scale_lost_in_rounding_is_zero():
    weight = np.diag([1.0, 1e-15, 0.0])[:, :3]
    state = training.state_of(weight, 0.5)
    assert state.scales.tolist() == [1.0, 0.0, 0.0]
    assert training.state_of(np.zeros((3, 2)), 0.5).scales.tolist() == [0.0, 0.0]
    np.testing.assert_allclose(state.axes.T @ state.axes, np.eye(3), atol=1e-15)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("beta", [0.3, 1.0, 3.0])
def test_a_state_comes_with_the_best_encoder(beta):
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(5, 3))
    state = training.state_of(weight, 0.7)
    model = state.model(np.zeros(5), beta)
    np.testing.assert_allclose(model.weight @ model.weight.T, weight @ weight.T, atol=1e-12)
    encoder, spread = own.best_encoder(model.weight, 0.7, beta)
    np.testing.assert_allclose(model.encoder, encoder, atol=1e-12)
    np.testing.assert_allclose(model.variance, spread, atol=1e-12)
    again = models.with_best_encoder(model, beta=beta)
    np.testing.assert_allclose(again.encoder, encoder, atol=1e-12)


def test_a_random_start_is_small_and_its_noise_all_the_variance():
    covariance = own.with_eigenvalues(VALUES)
    rng = np.random.default_rng(0)
    start = training.random_state(covariance, 3, LinearPlan(), rng=rng)
    assert start.noise_variance == pytest.approx(np.mean(VALUES))
    drawn = np.random.default_rng(0).normal(size=(5, 3)) * np.sqrt(0.01 * np.mean(VALUES))
    found = (start.axes * start.scales) @ (start.axes * start.scales).T
    np.testing.assert_allclose(found, drawn @ drawn.T, atol=1e-12)
    given = training.random_state(covariance, 3, LinearPlan(0.3), rng=rng)
    assert given.noise_variance == 0.3


# Each step.


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("noise_variance", [None, 0.4])
@pytest.mark.parametrize("beta", [0.3, 1.0, 3.0])
def test_the_exact_updates_never_fall(noise_variance, beta, digits):
    for covariance, k in ((own.with_eigenvalues(VALUES), 3), (own.of_rows(digits / 16.0), 8)):
        plan = LinearPlan(noise_variance, beta, max_iter=60, tol=0.0)
        run = from_random("fixed_point", covariance, k, plan)
        steps = np.diff(run.objective)
        assert steps.min() > -1e-11
        assert steps[:20].max() > 1e-3


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("beta", [0.3, 1.0, 3.0])
def test_an_exact_update_is_the_maximum_over_its_block(beta):
    """W and σ² after one step are the best for the q before it, up to a rotation of W and q."""
    covariance = own.with_eigenvalues(VALUES, seed=4)
    start = training.state_of(np.random.default_rng(0).normal(size=(5, 2)), 0.9)
    before = start.model(covariance.mean, beta)
    run = solve("fixed_point", covariance, start, LinearPlan(None, beta, max_iter=1))
    assert run.outcome is Outcome.budget_spent
    first = own.objective(
        before.weight,
        before.encoder,
        np.log(before.variance),
        np.log(0.9),
        covariance.matrix,
        beta,
    )
    assert run.objective.tolist() == pytest.approx([float(first)], rel=1e-12)
    s, v, spread = covariance.matrix, before.encoder, np.diag(before.variance)
    weight = s @ v.T @ np.linalg.inv(spread + v @ s @ v.T)
    residual = np.eye(5) - weight @ v
    error = np.trace(residual @ s @ residual.T) + np.trace(weight @ spread @ weight.T)
    np.testing.assert_allclose(run.model.weight @ run.model.weight.T, weight @ weight.T, rtol=1e-10)
    assert float(run.model.noise_variance) == pytest.approx(error / 5, rel=1e-12)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", SOLVERS)
def test_a_learned_noise_respects_the_floor(name):
    covariance = own.with_eigenvalues(VALUES)
    best = optimum(eigendecompose(covariance), 2, floor=1.2)
    assert best.on_floor
    run = from_random(name, covariance, 2, LinearPlan(floor=1.2, tol=1e-13))
    assert float(run.model.noise_variance) == pytest.approx(1.44, rel=1e-3)
    assert float(run.model.noise_variance) >= 1.44 * (1 - 1e-15)
    assert objective(run, covariance) == pytest.approx(best.elbo, rel=1e-5)
    free = from_random(name, covariance, 2, LinearPlan(floor=0.5, tol=1e-13))
    assert float(free.model.noise_variance) == pytest.approx(2.95 / 3, rel=1e-4)


# So many directions that no solver is done in two steps.
WIDE = tuple(np.geomspace(3.0, 0.05, 40))


@pytest.mark.parametrize("name", SOLVERS)
def test_a_budget_that_runs_out_is_said(name):
    run = from_random(name, own.with_eigenvalues(WIDE), 2, LinearPlan(max_iter=2, tol=1e-15))
    assert run.outcome is Outcome.budget_spent
    assert len(run.objective) == 2


def test_settled_means_three_small_changes_in_a_row():
    assert not _linear._has_settled([1.0, 1.0, 1.0], 1e-9)
    assert _linear._has_settled([5.0, 1.0, 1.0, 1.0, 1.0], 1e-9)
    assert not _linear._has_settled([1.0, 1.0, 2.0, 2.0, 2.0], 1e-9)
    assert _linear._has_settled([-100.0, -100.05, -100.1, -100.15], 1e-3)
    assert not _linear._has_settled([-100.0, -100.05, -100.1, -100.25], 1e-3)
    assert _linear._has_settled([2.0] * 4, 0.0)


def test_settled_means_one_small_change_where_each_step_gains_digits():
    assert _linear._has_settled([5.0, 1.0, 1.0], 1e-9, 1)
    assert not _linear._has_settled([1.0, 1.0, 1.1], 1e-9, 1)
    assert not _linear._has_settled([1.0], 1e-9, 1)


# Interruption.


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("name", SOLVERS)
def test_an_interruption_keeps_the_last_state(name, monkeypatch):
    covariance = own.with_eigenvalues(WIDE)
    plan = LinearPlan(tol=1e-15)
    shown = []

    def show(self, completed, numbers):
        shown.append(completed)
        assert "objective" in numbers
        if completed == 2:
            raise KeyboardInterrupt

    home = _gradient if name == "gradient" else _linear
    monkeypatch.setattr(home.Bar, "show", show)
    run = from_random(name, covariance, 2, plan)
    assert run.outcome is Outcome.interrupted
    assert shown == [1, 2]
    assert len(run.objective) == 2
    value = objective(run, covariance)
    assert value >= run.objective[-1] - 1e-9
    monkeypatch.undo()
    # The state is that after two steps: going on from it is going on.
    same = from_random(name, covariance, 2, dataclasses.replace(plan, max_iter=2))
    assert value == pytest.approx(objective(same, covariance), rel=1e-12)


@pytest.mark.parametrize("name", SOLVERS)
def test_an_interruption_before_the_first_step_keeps_the_start(name, monkeypatch):
    def show(*_):
        raise KeyboardInterrupt

    covariance = own.with_eigenvalues(VALUES)
    home = _gradient if name == "gradient" else _linear
    monkeypatch.setattr(home.Bar, "show", show)
    run = from_random(name, covariance, 2, LinearPlan())
    assert run.outcome is Outcome.interrupted
    assert np.isfinite(run.model.weight).all()
    assert float(run.model.noise_variance) > 0


@pytest.mark.usefixtures("x64")
def test_the_gradient_starts_at_the_noise_of_its_start():
    """It moves log(σ² − floor²), from where the start has it."""
    model = LinearState(np.eye(3)[:, :2], np.array([2.0, 1.0]), 0.5).model(np.zeros(3), 1.0)
    for floor in (0.0, 0.3, 0.7):
        free = _gradient._free(model, floor, True)
        again = _gradient._model(free, model.mean, 1.0, floor**2, None)
        assert float(again.noise_variance) == pytest.approx(0.5, rel=1e-10)


def test_a_state_is_what_it_says():
    state = LinearState(np.eye(3)[:, :2], np.array([2.0, 0.0]), 0.5)
    model = state.model(np.zeros(3), 1.0)
    np.testing.assert_array_equal(model.weight, [[2, 0], [0, 0], [0, 0]])
    np.testing.assert_allclose(model.variance, [1 / 9, 1.0])
    assert float(model.noise_variance) == 0.5
    assert isinstance(Covariance(np.zeros(3), np.eye(3), 4).total_variance, float)
