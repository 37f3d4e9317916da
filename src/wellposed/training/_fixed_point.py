"""The linear VAE's exact updates, one block of parameters after the other."""

import numpy as np

from wellposed.models import Covariance, LinearVAEModel
from wellposed.numerics import LOG_2PI

from ._linear import LinearPlan, LinearRun, LinearState, iterate, state_of


def fixed_point(
    covariance: Covariance,
    start: LinearState,
    plan: LinearPlan,
    *,
    progress: bool | str = "auto",
) -> LinearRun:
    r"""Raise the ELBO by exact maximisation over q, over W, over σ² and over rotations of W.

    .. math:: V = M^{-1}W^T, \; D_i = \tau / M_{ii} \quad (M = W^TW + \tau I, \; \tau = \beta\sigma^2),
       \qquad W = SV^T(D + VSV^T)^{-1}, \qquad
       \sigma^2 = \tfrac1d \left[\operatorname{tr} S - \operatorname{tr}(WVS)\right]

    then W is turned to its principal axes, at which diagonal q loses nothing. Every step is a
    maximisation, so that the objective never falls; a column that is zero stays zero, so that a
    start at a stationary point stays there. The span of W is multiplied by S in each step: it
    turns to the principal directions as a power iteration does, slowly where eigenvalues are
    close.

    Source: the stationary conditions of the linear VAE's ELBO, Lucas et al. (2019), appendix.
    """
    s, total, d = covariance.matrix, covariance.total_variance, len(covariance.mean)

    def step(state: LinearState) -> tuple[LinearState, float]:
        variance = state.noise_variance
        threshold = plan.beta * variance
        explained = state.scales**2 + threshold
        shrink, spread = state.scales / explained, threshold / explained
        mapped = s @ (state.axes * shrink)  # SVᵀ
        seen = (state.axes * shrink).T @ mapped  # VSVᵀ
        value = _objective(state, np.diag(seen), shrink, spread, total, plan.beta)
        weight = np.linalg.solve(np.diag(spread) + seen, mapped.T).T
        if plan.noise_variance is None:
            variance = max((total - np.sum(weight * mapped)) / d, plan.floor**2)
        return state_of(weight, float(variance)), value + covariance.log_det

    def finish(state: LinearState) -> LinearVAEModel:
        return state.model(covariance.mean, plan.beta)

    return iterate(step, start, plan, finish, progress)


def _objective(
    state: LinearState,
    seen: np.ndarray,
    shrink: np.ndarray,
    spread: np.ndarray,
    total: float,
    beta: float,
) -> float:
    """Mean over data of E_q log p − β KL, where the columns of W are orthogonal.

    ``seen`` is the variance over data of each latent's posterior mean.
    """
    d, scales = len(state.axes), state.scales
    live = scales > 0
    explained = np.divide(seen, shrink, out=np.zeros_like(seen), where=live)
    error = total - 2 * np.sum(scales * explained) + np.sum(scales**2 * (seen + spread))
    rate = 0.5 * np.sum(spread - np.log(spread) + seen - 1)
    variance = state.noise_variance
    return float(-0.5 * (d * (LOG_2PI + np.log(variance)) + error / variance) - beta * rate)
