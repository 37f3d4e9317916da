"""One HMC transition: leapfrog by its matrix, the density left invariant, blackjax's, and NaN."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from wellposed.evaluation.likelihood.hamiltonian import Phase, trajectory, transition

N_CHAINS, N_STEPS, STEP = 2_000, 3, 0.7
KEYS = jax.random.split(jax.random.key(0), N_CHAINS)


def log_density(z):
    """Two normals with a correlation of 0.8, up to a constant."""
    return -(z[0] ** 2 - 1.6 * z[0] * z[1] + z[1] ** 2) / 0.72


def quartic(z):
    """A density that is no normal one, up to a constant."""
    return -(z**4).sum() / 4 - z[0] * z[1] / 2


def follow(density, z, p, step, n_steps):
    value, slope = jax.value_and_grad(density)(z)
    return trajectory(density, Phase(z, jnp.asarray(p), value, slope), jnp.asarray(step), n_steps)


@pytest.mark.usefixtures("x64")
def test_leapfrog_of_a_normal_density_is_the_power_of_its_matrix():
    """For variance s² a step maps (z, p) linearly, with a = 1 − ε²/2s² on the diagonal."""
    scale, step, n_steps = np.array([0.4, 1.0, 3.0]), 0.6, 7
    z, p = np.random.default_rng(0).normal(size=(2, 3))
    end = follow(lambda z: -0.5 * ((z / scale) ** 2).sum(), jnp.asarray(z), p, step, n_steps)
    for i, w in enumerate(1 / scale**2):
        a = 1 - step**2 * w / 2
        power = np.linalg.matrix_power([[a, step], [-step * w * (1 + a) / 2, a]], n_steps)
        np.testing.assert_allclose([end.position[i], end.momentum[i]], power @ [z[i], p[i]], 1e-12)
    energy = 0.5 * ((np.asarray(end.position) / scale) ** 2 + np.asarray(end.momentum) ** 2).sum()
    np.testing.assert_allclose(end.energy, energy, rtol=1e-12)


@pytest.mark.usefixtures("x64")
def test_leapfrog_is_reversible_and_preserves_volume():
    z, p = jnp.asarray(np.random.default_rng(1).normal(size=(2, 2)))
    end = follow(quartic, z, p, 0.2, 9)
    assert np.abs(end.position - z).max() > 0.3
    back = follow(quartic, end.position, -end.momentum, 0.2, 9)
    np.testing.assert_allclose([back.position, -back.momentum], [z, p], rtol=1e-12)

    def flat(state):
        end = follow(quartic, state[:2], state[2:], 0.2, 9)
        return jnp.concatenate([end.position, end.momentum])

    jacobian = jax.jacfwd(flat)(jnp.concatenate([z, p]))
    np.testing.assert_allclose(np.linalg.det(jacobian), 1.0, rtol=1e-12)


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
