"""Settings, state and result of the iterative solvers of the linear VAE."""

import dataclasses
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from wellposed._bar import Bar
from wellposed.models import Covariance, LinearVAEModel

from .._outcome import Outcome

State = TypeVar("State")
Model = TypeVar("Model")

_ROUNDING = 1e-14
_IN_A_ROW = 3


@dataclasses.dataclass(frozen=True)
class LinearPlan:
    """Settings of the solvers of the linear VAE.

    Parameters
    ----------
    noise_variance : float or None, default None
        σ², in squared data units; None learns it.
    beta : float, default 1
        Weight of the KL.
    floor : float, default 0
        Smallest σ that is learned, in data units.
    max_iter : int, default 10,000
    tol : float, default 1e-9
        Iterations stop when the objective changes by less than ``tol`` of itself in three in a
        row (in one, for :func:`subspace_iteration`).

    Examples
    --------
    >>> LinearPlan(noise_variance=0.5).max_iter
    10000
    """

    noise_variance: float | None = None
    beta: float = 1.0
    floor: float = 0.0
    max_iter: int = 10_000
    tol: float = 1e-9


@dataclasses.dataclass(frozen=True)
class LinearRun(Generic[Model]):
    """Result of an iterative solver of an exact model.

    Parameters
    ----------
    model : LinearVAEModel or MixturePPCAModel
    objective : array of shape (iterations,)
        The objective after each iteration, nats a datum.
    outcome : Outcome

    Examples
    --------
    >>> from wellposed.models import Covariance
    >>> from wellposed.training import LinearPlan
    >>> from wellposed.training import fixed_point
    >>> from wellposed.training.linear import random_state
    >>> covariance = Covariance(X.mean(axis=0), np.cov(X.T, bias=True), len(X))
    >>> rng = np.random.default_rng(0)
    >>> start = random_state(covariance, 2, LinearPlan(), rng=rng)
    >>> run = fixed_point(covariance, start, LinearPlan())
    >>> isinstance(run, LinearRun), len(run.objective) > 1
    (True, True)
    """

    model: Model
    objective: np.ndarray
    outcome: Outcome


@dataclasses.dataclass(frozen=True)
class LinearState:
    """W = U diag(s) with orthonormal columns U, and σ².

    Parameters
    ----------
    axes : array of shape (d, k)
        U.
    scales : array of shape (k,)
        s, in data units; zero for a collapsed latent.
    noise_variance : float
        σ², in squared data units.

    Examples
    --------
    >>> LinearState(np.eye(3)[:, :2], np.array([2.0, 1.0]), noise_variance=0.5).axes.shape
    (3, 2)
    """

    axes: np.ndarray
    scales: np.ndarray
    noise_variance: float

    def model(self, mean: np.ndarray, beta: float) -> LinearVAEModel:
        """Return the model at this state, with its optimal q."""
        explained = self.scales**2 + beta * self.noise_variance
        return LinearVAEModel(
            mean=mean,
            weight=self.axes * self.scales,
            encoder=(self.axes * (self.scales / explained)).T,
            variance=beta * self.noise_variance / explained,
            noise_variance=np.float64(self.noise_variance),
        )


def state_of(weight: np.ndarray, noise_variance: float) -> LinearState:
    """Return W, of shape (d, k), by its principal axes; a scale below rounding becomes zero.

    Parameters
    ----------
    weight : array of shape (d, k)
    noise_variance : σ², above zero

    Examples
    --------
    >>> state_of(np.array([[0.0, 3.0], [0.0, 4.0]]), 1.0).scales
    array([5., 0.])
    """
    axes, scales, _ = np.linalg.svd(weight, full_matrices=False)
    lost = scales <= _ROUNDING * scales.max(initial=0.0)
    return LinearState(axes, np.where(lost, 0.0, scales), noise_variance)


def random_state(
    covariance: Covariance, n_components: int, plan: LinearPlan, *, rng: np.random.Generator
) -> LinearState:
    """Return a start with small random weights; a learned σ² starts at the mean variance.

    Parameters
    ----------
    covariance : Covariance
        Covariance of the data.
    n_components : int
        k, the number of latents.
    plan : LinearPlan
        A given ``noise_variance`` is not changed.
    rng : numpy.random.Generator
    """
    d = len(covariance.mean)
    variance = covariance.total_variance / d
    weight = rng.normal(size=(d, n_components)) * np.sqrt(0.01 * variance)
    return state_of(weight, variance if plan.noise_variance is None else plan.noise_variance)


def iterate(
    step: Callable[[State], tuple[State, float]],
    start: State,
    plan: LinearPlan,
    finish: Callable[[State], Model],
    progress: bool | str,
    *,
    in_a_row: int = _IN_A_ROW,
) -> LinearRun[Model]:
    """Repeat ``step`` until the objective settles; an interruption keeps the last state.

    ``step`` returns the next state, and the objective at its argument. The objective has settled
    when ``in_a_row`` changes are small; one is enough where convergence is fast.
    """
    state, objective, outcome = start, [], Outcome.budget_spent
    try:
        with Bar(plan.max_iter, progress, "iteration") as bar:
            for _ in range(plan.max_iter):
                reached, value = step(state)
                objective.append(value)
                if _has_settled(objective, plan.tol, in_a_row):
                    outcome = Outcome.converged
                    break
                state = reached
                bar.show(len(objective), f"objective {value:.4f} nats")
    except KeyboardInterrupt:
        outcome = Outcome.interrupted
    return LinearRun(finish(state), np.array(objective), outcome)


def _has_settled(objective: list[float], tol: float, in_a_row: int = _IN_A_ROW) -> bool:
    last = np.array(objective[-in_a_row - 1 :])
    return len(last) > in_a_row and bool(np.all(np.abs(np.diff(last)) <= tol * np.abs(last[-1])))
