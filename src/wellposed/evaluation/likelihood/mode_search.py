"""A maximum of log p(y, z) in z, by a quasi-Newton method on k latents."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._typing import Latent, Scalar

_MOST_STEPS = 40
_SETTLED = 1e-2  # nats that the next step is expected to gain: the proposal needs no more digits
_SUFFICIENT = 1e-4  # share of the expected gain that a step must reach (Armijo)
_SHORTER = 0.3  # factor of the step after one that is refused
_LONGEST = 5.0  # of a step, in units of the prior
_MOST_REFUSED = 8  # steps in a row
_TINY = 1e-30  # least length of a step to divide by


def find_mode(f: Callable[[Latent], Scalar], start: Latent, scale: Latent) -> Latent:
    """Maximise f from ``start`` by BFGS, with one value and gradient a step.

    The first metric is diag ``scale``², the encoder's variances. A step that gains too little is
    refused and shortened, but its gradient still changes the metric. Where f or its gradient is not
    finite at the start, the start is returned.

    Parameters
    ----------
    f : function of z of shape (k,), nats
    start : array of shape (k,)
    scale : array of shape (k,), standard deviations of about the size of the posterior's

    Returns
    -------
    z of shape (k,), with f(z) ≥ f(start)

    References: Nocedal & Wright (2006), algorithm 6.1.
    """
    slope = jax.value_and_grad(f)

    def unfinished(state: Any) -> Any:
        *_, refused, n, gain = state
        return (n < _MOST_STEPS) & (refused < _MOST_REFUSED) & (gain > _SETTLED)

    def step(state: Any) -> Any:
        # The first step has the length zero: it evaluates f at the start.
        z, value, gradient, metric, size, refused, n, _ = state
        ascent = size * (metric @ gradient)
        ascent = ascent * jnp.minimum(1.0, _LONGEST / jnp.maximum(jnp.linalg.norm(ascent), _TINY))
        new, new_gradient = slope(z + ascent)
        finite = jnp.isfinite(new) & jnp.isfinite(new_gradient).all()
        better = finite & (new >= value + _SUFFICIENT * (ascent @ gradient))
        metric, curved = _update(metric, ascent, gradient - new_gradient)
        z, value, gradient = jax.tree.map(
            lambda a, b: jnp.where(better, a, b),
            (z + ascent, new, new_gradient),
            (z, value, gradient),
        )
        size = jnp.where(better | curved, 1.0, _SHORTER * size)
        refused = jnp.where(better, 0, refused + 1)
        return z, value, gradient, metric, size, refused, n + 1, _gain(metric, gradient)

    zero, worst = jnp.zeros((), int), jnp.full((), -jnp.inf)
    state = start, worst, jnp.zeros_like(start), jnp.diag(scale**2), jnp.ones(()), zero, zero
    state = *state, jnp.full((), jnp.inf)
    return jax.lax.while_loop(unfinished, step, state)[0]


def _gain(metric: Float[Array, "k k"], gradient: Latent) -> Scalar:
    """Return what the quadratic model of f expects to gain; NaN, which ends the search, if none."""
    return 0.5 * (gradient @ metric @ gradient)


def _update(
    metric: Float[Array, "k k"], step: Latent, fall: Latent
) -> tuple[Float[Array, "k k"], Array]:
    """Return the inverse Hessian after one BFGS update, and whether f was concave on the step."""
    inner = step @ fall
    curved = jnp.isfinite(inner) & (inner > 1e-6 * jnp.linalg.norm(step) * jnp.linalg.norm(fall))
    rho = 1 / jnp.where(curved, inner, 1.0)
    across = metric @ jnp.where(curved, fall, 0.0)
    new = metric - rho * (jnp.outer(step, across) + jnp.outer(across, step))
    new = new + (rho**2 * (fall @ across) + rho) * jnp.outer(step, step)
    return jnp.where(curved, new, metric), curved
