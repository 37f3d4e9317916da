"""One HMC transition: that of blackjax, it leaves its density invariant, and NaN is no place."""

import jax
import jax.numpy as jnp
import numpy as np

from wellposed.evaluation.likelihood.hamiltonian import transition

N_CHAINS, N_STEPS, STEP = 2_000, 3, 0.7
KEYS = jax.random.split(jax.random.key(0), N_CHAINS)


def log_density(z):
    """Two normals with a correlation of 0.8, up to a constant."""
    return -(z[0] ** 2 - 1.6 * z[0] * z[1] + z[1] ** 2) / 0.72


def both(z, key):
    from blackjax.mcmc import hmc

    value, slope = jax.value_and_grad(log_density)(z)
    ours = transition(log_density, z, value, slope, jnp.asarray(STEP), N_STEPS, key=key)
    state = hmc.HMCState(z, value, slope)
    theirs, info = hmc.build_kernel()(key, state, log_density, STEP, jnp.ones(2), N_STEPS)
    return ours, theirs.position, info.acceptance_rate


def test_a_transition_is_that_of_blackjax_and_leaves_the_density_invariant():
    start = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], N_CHAINS)
    start = start.astype(np.float32)
    ours, position, acceptance = jax.jit(jax.vmap(both))(start, KEYS)
    moved = (np.asarray(ours.position) != start).any(axis=1)
    assert 0.3 < moved.mean() < 0.95  # some are accepted, some are not
    np.testing.assert_allclose(ours.position, position, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours.acceptance, acceptance, rtol=1e-4, atol=1e-6)
    covariance = np.cov(np.asarray(ours.position).T)
    np.testing.assert_allclose(covariance, [[1, 0.8], [0.8, 1]], atol=4 * np.sqrt(2 / N_CHAINS))


def test_a_trajectory_that_ends_in_nan_is_never_accepted():
    def half_line(z):
        return jnp.log(z).sum()

    z = jnp.asarray([0.01])
    found = jax.jit(
        jax.vmap(
            lambda key: transition(half_line, z, half_line(z), 1 / z, jnp.asarray(5.0), 1, key=key)
        )
    )(KEYS[:200])
    stayed = np.asarray(found.acceptance) == 0
    assert stayed.any()
    assert (np.asarray(found.position)[stayed] == np.float32(0.01)).all()
