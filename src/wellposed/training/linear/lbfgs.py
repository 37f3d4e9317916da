"""Training of the linear VAE by the exact gradient of its ELBO."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.optimize
from jax.flatten_util import ravel_pytree

from wellposed._bar import Bar
from wellposed._compiled import compiled
from wellposed.models import Covariance, LinearVAEModel, with_best_encoder

from .._outcome import Outcome
from .plan import LinearPlan, LinearRun, LinearState

_OPTIONS = {"maxcor": 20, "gtol": 1e-9}


def gradient(
    covariance: Covariance, start: LinearState, plan: LinearPlan, *, progress: bool | str = "auto"
) -> LinearRun[LinearVAEModel]:
    """Climb the ELBO in W and, where it is learned, log(σ² − floor²), by L-BFGS.

    The gradient is exact: the covariance replaces the data, and closed forms replace sampling. For
    each W the encoder is at its optimum, where the gradient in V and D vanishes. A start at a
    stationary point stays there.

    Parameters
    ----------
    covariance, start, plan, progress : as :func:`fixed_point` takes them

    Examples
    --------
    >>> from wellposed.training.linear import LinearPlan, random_state
    >>> S = Covariance(X.mean(axis=0), np.cov(X.T, bias=True), len(X))
    >>> start = random_state(S, 2, LinearPlan(), rng=np.random.default_rng(0))
    >>> gradient(S, start, LinearPlan()).model.weight.shape
    (4, 2)
    """
    mean = covariance.mean
    learned = plan.noise_variance is None
    objective, outcome = [], Outcome.budget_spent
    n = plan.max_iter
    with jax.enable_x64(True), Bar(n, progress, "iteration") as bar:
        free = _free(start.model(mean, plan.beta), plan.floor, learned)
        flat, unravel = ravel_pytree(free)
        matrix = jnp.asarray(covariance.matrix)
        beta, lowest = jnp.asarray(plan.beta), jnp.asarray(plan.floor**2)
        given = None if learned else jnp.asarray(plan.noise_variance)
        reached: Any = np.asarray(flat)

        def value(point: np.ndarray) -> tuple[float, np.ndarray]:
            elbo, slope = _value_and_slope(
                unravel(jnp.asarray(point)), mean, matrix, beta, lowest, given
            )
            return -float(elbo), -np.asarray(ravel_pytree(slope)[0])

        def after(intermediate_result: scipy.optimize.OptimizeResult) -> None:
            nonlocal reached
            reached = intermediate_result.x
            objective.append(covariance.log_det - intermediate_result.fun)
            bar.show(len(objective), f"objective {objective[-1]:.4f} nats")

        try:
            result = scipy.optimize.minimize(
                value,
                reached,
                jac=True,
                method="L-BFGS-B",
                callback=after,
                options={**_OPTIONS, "maxiter": n, "maxfun": 2 * n, "ftol": plan.tol},
            )
            reached = result.x
            outcome = Outcome.converged if result.success else Outcome.budget_spent
        except KeyboardInterrupt:
            outcome = Outcome.interrupted
        best = _model(unravel(reached), mean, beta, lowest, given)
    return LinearRun(jax.tree.map(np.asarray, best), np.array(objective), outcome)


def _free(model: LinearVAEModel, floor: float, learned: bool) -> dict[str, Any]:
    """Return the parameters, each unbounded."""
    if not learned:
        return {"weight": model.weight}
    above = np.maximum(model.noise_variance - floor**2, 1e-12 * model.noise_variance)
    return {"weight": model.weight, "log_above": np.log(above)}


def _model(free: dict[str, Any], mean: Any, beta: Any, lowest: Any, given: Any) -> LinearVAEModel:
    """Return the model with its optimal encoder, a constant under differentiation."""
    weight = free["weight"]
    variance = given if given is not None else lowest + jnp.exp(free["log_above"])
    k = weight.shape[1]
    blank = LinearVAEModel(mean, weight, weight.T, jnp.ones(k), variance)
    held = jax.lax.stop_gradient(with_best_encoder(blank, beta=beta))
    return LinearVAEModel(mean, weight, held.encoder, held.variance, variance)


@compiled
def _value_and_slope(
    free: dict[str, Any], mean: Any, matrix: Any, beta: Any, lowest: Any, given: Any
) -> Any:
    def objective(parameters: dict[str, Any]) -> Any:
        return _model(parameters, mean, beta, lowest, given).elbo(matrix, beta=beta)

    return jax.value_and_grad(objective)(free)
