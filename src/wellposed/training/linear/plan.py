"""Solving the linear VAE by iteration, each step of a cost that does not depend on n."""

import dataclasses
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from wellposed._bar import Bar
from wellposed.models import Covariance, LinearVAEModel

from .._outcome import Outcome

State = TypeVar("State")

_ROUNDING = 1e-14
_IN_A_ROW = 3


@dataclasses.dataclass(frozen=True)
class LinearPlan:
    """What is given and when to stop.

    ``noise_variance`` is σ², or None to learn it, then with σ ≥ ``floor``. Iterations stop when
    the objective has changed by less than ``tol`` of itself in three in a row (in one, where they
    are accelerated).
    """

    noise_variance: float | None = None
    beta: float = 1.0
    floor: float = 0.0
    max_iter: int = 10_000
    tol: float = 1e-9


@dataclasses.dataclass(frozen=True)
class LinearRun:
    """The model reached, the objective after each iteration in mean nats, and how it ended."""

    model: LinearVAEModel
    objective: np.ndarray
    outcome: Outcome


@dataclasses.dataclass(frozen=True)
class LinearState:
    """W = U diag(s) with orthonormal columns U, and σ²."""

    axes: np.ndarray  # (d, k), U
    scales: np.ndarray  # (k,), s; zero for a collapsed latent
    noise_variance: float

    def model(self, mean: np.ndarray, beta: float) -> LinearVAEModel:
        """The model at this point, with the q that is best for it."""
        explained = self.scales**2 + beta * self.noise_variance
        return LinearVAEModel(
            mean=mean,
            weight=self.axes * self.scales,
            encoder=(self.axes * (self.scales / explained)).T,
            variance=beta * self.noise_variance / explained,
            noise_variance=np.float64(self.noise_variance),
        )


def state_of(weight: np.ndarray, noise_variance: float) -> LinearState:
    """Turn W to its principal axes; a scale lost in rounding is zero, and stays so."""
    axes, scales, _ = np.linalg.svd(weight, full_matrices=False)
    lost = scales <= _ROUNDING * scales.max(initial=0.0)
    return LinearState(axes, np.where(lost, 0.0, scales), noise_variance)


def random_state(
    covariance: Covariance, n_components: int, plan: LinearPlan, *, rng: np.random.Generator
) -> LinearState:
    """Start with small random weights, and all variance in the noise where that is learned."""
    d = len(covariance.mean)
    variance = covariance.total_variance / d
    weight = rng.normal(size=(d, n_components)) * np.sqrt(0.01 * variance)
    return state_of(weight, variance if plan.noise_variance is None else plan.noise_variance)


def iterate(
    step: Callable[[State], tuple[State, float]],
    start: State,
    plan: LinearPlan,
    finish: Callable[[State], LinearVAEModel],
    progress: bool | str,
    *,
    in_a_row: int = _IN_A_ROW,
) -> LinearRun:
    """Repeat ``step`` until the objective settles; an interruption keeps the last state.

    ``step`` returns the next state and the objective at the one that it was given. The objective
    has settled when ``in_a_row`` changes are small: one will do where each step gains digits.
    """
    state, objective, outcome = start, [], Outcome.budget_spent
    bar = Bar(plan.max_iter, progress, "iteration")
    try:
        for _ in range(plan.max_iter):
            reached, value = step(state)
            objective.append(value)
            if _settled(objective, plan.tol, in_a_row):
                outcome = Outcome.converged
                break
            state = reached
            bar.show(len(objective), f"objective {value:.4f} nats")
    except KeyboardInterrupt:
        outcome = Outcome.interrupted
    finally:
        bar.close()
    return LinearRun(finish(state), np.array(objective), outcome)


def _settled(objective: list[float], tol: float, in_a_row: int = _IN_A_ROW) -> bool:
    last = np.array(objective[-in_a_row - 1 :])
    return len(last) > in_a_row and bool(np.all(np.abs(np.diff(last)) <= tol * np.abs(last[-1])))
