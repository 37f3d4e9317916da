r"""One transition of Hamiltonian Monte Carlo, which leaves a density invariant.

A momentum p is drawn from N(0, I). The leapfrog steps of size ε

.. math:: p \leftarrow p + \tfrac{ε}{2} \nabla\log f(z), \quad z \leftarrow z + ε p, \quad
   p \leftarrow p + \tfrac{ε}{2} \nabla\log f(z)

follow H(z, p) = −log f(z) + ½‖p‖², preserve volume and are reversible. Their end is accepted with
probability min(1, exp(H_start − H_end)), else the chain stays.

References: Neal (2011), MCMC using Hamiltonian dynamics, §5.2–5.3.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from wellposed._typing import Latent, PRNGKey, Scalar


class Transition(eqx.Module):
    """Result of one transition of one chain."""

    position: Latent
    acceptance: Scalar  # probability with which the end of the trajectory was accepted


class Phase(eqx.Module):
    """A chain with its momentum, and log f and its gradient where it stands."""

    position: Latent
    momentum: Latent
    value: Scalar
    slope: Latent

    @property
    def energy(self) -> Scalar:
        """H(z, p)."""
        return -self.value + 0.5 * jnp.dot(self.momentum, self.momentum)


def transition(
    log_density: Callable[[Latent], Scalar],
    position: Latent,
    value: Scalar,
    slope: Latent,
    step_size: Scalar,
    n_steps: int,
    *,
    key: PRNGKey,
) -> Transition:
    """Move a chain by one trajectory of ``n_steps`` leapfrog steps.

    Parameters
    ----------
    log_density : log f, up to a constant
    position : of the chain
    value, slope : log f and its gradient there, which the caller has already
    step_size : ε
    n_steps : of the trajectory
    key : for the momentum and the acceptance
    """
    momentum_key, acceptance_key = jax.random.split(key)
    momentum = jax.random.normal(momentum_key, position.shape, position.dtype)
    start = Phase(position, momentum, value, slope)
    end = trajectory(log_density, start, step_size, n_steps)
    gain = start.energy - end.energy
    # A trajectory that leaves the numbers of its type ends in NaN, and is never accepted.
    gain = jnp.where(jnp.isnan(gain), -jnp.inf, gain)
    acceptance = jnp.minimum(jnp.exp(gain), 1.0)
    accepted = jax.random.bernoulli(acceptance_key, acceptance)
    return Transition(jnp.where(accepted, end.position, position), acceptance)


def trajectory(
    log_density: Callable[[Latent], Scalar], start: Phase, step_size: Scalar, n_steps: int
) -> Phase:
    """Follow H by ``n_steps`` leapfrog steps.

    From the end with the opposite momentum, the same steps lead back to the start.
    """
    value_and_slope = jax.value_and_grad(log_density)

    def leapfrog(_: Any, here: Phase) -> Phase:
        half_way = here.momentum + step_size * 0.5 * here.slope
        position = here.position + step_size * half_way
        value, slope = value_and_slope(position)
        return Phase(position, half_way + step_size * 0.5 * slope, value, slope)

    return jax.lax.fori_loop(0, n_steps, leapfrog, start)
