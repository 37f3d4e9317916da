"""Exact updates of the linear VAE, one block of parameters after another."""

import numpy as np

from wellposed.models import Covariance, LinearVAEModel
from wellposed.numerics import LOG_2PI

from .plan import LinearPlan, LinearRun, LinearState, iterate, state_of


def fixed_point(
    covariance: Covariance,
    start: LinearState,
    plan: LinearPlan,
    *,
    progress: bool | str = "auto",
) -> LinearRun[LinearVAEModel]:
    r"""Raise the ELBO by exact maximisation over q, over W, over σ² and over rotations of W.

    .. math:: V = M^{-1}W^T, \; D_i = \tau / M_{ii} \quad
       (M = W^TW + \tau I, \; \tau = \beta\sigma^2), \qquad W = SV^T(D + VSV^T)^{-1}, \qquad
       \sigma^2 = \tfrac1d \left[\operatorname{tr} S - \operatorname{tr}(WVS)\right]

    then W is rotated to its principal axes, where a diagonal q is exact. Every step is a
    maximisation, so the objective never falls; a column that is zero stays zero, so a start at a
    stationary point stays there. Each step multiplies the span of W by S: it converges to the
    principal directions as a power iteration does, slowly where eigenvalues are close.

    Parameters
    ----------
    covariance : Covariance
        Mean of shape (d,) and covariance S of shape (d, d) of the data.
    start : LinearState
        W and σ² before the first step.
    plan : LinearPlan
    progress : "auto" (on a terminal), True or False; a progress bar

    References: the stationary conditions of the linear VAE's ELBO, Lucas et al. (2019), appendix.

    Examples
    --------
    >>> from wellposed.models import Covariance
    >>> from wellposed.training import LinearPlan
    >>> from wellposed.training.linear import random_state
    >>> covariance = Covariance(X.mean(axis=0), np.cov(X.T, bias=True), len(X))
    >>> rng = np.random.default_rng(0)
    >>> start = random_state(covariance, 2, LinearPlan(), rng=rng)
    >>> fixed_point(covariance, start, LinearPlan()).outcome.value
    'converged'
    """
    root, d = covariance.factor, len(covariance.mean)

    def step(state: LinearState) -> tuple[LinearState, float]:
        variance = state.noise_variance
        threshold = plan.beta * variance
        explained = state.scales**2 + threshold
        shrink, spread = state.scales / explained, threshold / explained
        codes = root @ (state.axes * shrink)  # FVᵀ, with FᵀF = S
        seen = codes.T @ codes  # VSVᵀ
        value = _objective(state, root, codes, spread, plan.beta)
        weight = np.linalg.solve(np.diag(spread) + seen, codes.T @ root).T
        if plan.noise_variance is None:
            variance = max(_squared_error(weight, root, codes, spread) / d, plan.floor**2)
        return state_of(weight, float(variance)), value + covariance.log_det

    def finish(state: LinearState) -> LinearVAEModel:
        return state.model(covariance.mean, plan.beta)

    return iterate(step, start, plan, finish, progress)


def _squared_error(
    weight: np.ndarray, root: np.ndarray, codes: np.ndarray, spread: np.ndarray
) -> float:
    """Mean of E_q ‖x − Wz − μ‖², as a sum of squares: a difference of squares would cancel."""
    residual = root - codes @ weight.T
    return float(np.sum(residual**2) + np.sum(weight**2 * spread))


def _objective(
    state: LinearState, root: np.ndarray, codes: np.ndarray, spread: np.ndarray, beta: float
) -> float:
    """Mean over data of E_q log p − β KL."""
    d, seen = len(state.axes), np.sum(codes**2, axis=0)
    error = _squared_error(state.axes * state.scales, root, codes, spread)
    rate = 0.5 * np.sum(spread - np.log(spread) + seen - 1)
    variance = state.noise_variance
    return float(-0.5 * (d * (LOG_2PI + np.log(variance)) + error / variance) - beta * rate)
