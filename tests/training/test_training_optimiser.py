"""The step against Adam as published, the rates against the schedules that they state."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from test_training_fit import arrays, model_for

from wellposed.models import trainable
from wellposed.training import Plan
from wellposed.training._epoch import initial_state
from wellposed.training._optimiser import Moments, Rates, adam, squared_norm, update

RATE = 0.05


def gradients(params, steps):
    """Arrays like the parameters', of another scale each step."""
    rng = np.random.default_rng(0)
    return [
        jax.tree.map(lambda a, s=s: jnp.asarray(rng.normal(size=a.shape, scale=s), a.dtype), params)
        for s in np.linspace(0.1, 3.0, steps)
    ]


def stepped(params, plan, given):
    state, rates = initial_state(params), Rates.of(plan, 1)
    params, memory = state.params, state.memory
    for number, gradient in enumerate(given):
        norm = jnp.sqrt(squared_norm(gradient))
        step = jnp.asarray(float(number))
        params, memory = update(params, gradient, memory, rates, step, norm)
    return params


def published(p, given, *, decay, clip, pace):
    """Kingma & Ba (2015), algorithm 1, uphill; Loshchilov & Hutter (2019) for the decay."""
    p = np.asarray(p, np.float64)
    m, v = np.zeros_like(p), np.zeros_like(p)
    for t, (g, norm) in enumerate(given, start=1):
        g = np.asarray(g, np.float64) * min(1.0, clip / norm)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
        p = p + pace * RATE * (m_hat / (np.sqrt(v_hat) + 1e-8) - decay * p)
    return p


@pytest.mark.parametrize("clip", [float("inf"), 2.0])
@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_a_step_is_adams_and_decay_leaves_the_noise_alone(decay, clip):
    model = model_for(noise="feature")
    params = eqx.filter(model, trainable(model))
    given = gradients(params, 4)
    plan = Plan(learning_rate=RATE, weight_decay=decay, clip_norm=clip, decay=False)
    found = stepped(params, plan, given)
    norms = [np.sqrt(sum((a.astype(np.float64) ** 2).sum() for a in arrays(g))) for g in given]
    for role, pace, share in (("encoder", 1.0, 1.0), ("decoder", 1.0, 1.0), ("noise", None, 0.0)):
        leaves = [arrays(getattr(tree, role)) for tree in (params, found, *given)]
        for start, end, *each in zip(*leaves, strict=True):
            expected = published(
                start,
                zip(each, norms, strict=True),
                decay=decay * share,
                clip=clip,
                pace=pace or Plan().noise_pace,
            )
            np.testing.assert_allclose(end, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_the_direction_has_the_bits_of_optax(dtype):
    """Of a tree with an empty place, as leaves that the optimiser does not own are."""
    rng = np.random.default_rng(0)
    weights = {"w": jnp.zeros((3, 5), dtype), "none": None, "b": jnp.zeros(7, dtype)}
    theirs = optax.scale_by_adam()
    state, moments = theirs.init(weights), Moments.of(weights)
    for scale in (1e-12, 1.0, 3e4, 0.1):
        slope = jax.tree.map(
            lambda a, s=scale: jnp.asarray(rng.normal(0, s, a.shape), dtype), weights
        )
        expected, state = jax.jit(theirs.update)(slope, state)
        found, moments = jax.jit(adam)(slope, moments)
        for one, two in zip(arrays((found, moments)), arrays((expected, state)), strict=True):
            assert one.dtype == two.dtype
            np.testing.assert_array_equal(one, two)


def test_the_number_of_steps_stays_at_the_largest_integer():
    most = jnp.asarray(np.iinfo(np.int32).max)
    gradient = jnp.ones(3)
    moments = Moments(most, gradient, gradient)
    found, after = adam(gradient, moments)
    assert after.count == most
    np.testing.assert_allclose(found, 1.0, rtol=1e-6)


def test_the_kl_reaches_its_full_weight_at_the_end_of_the_warm_up():
    rates = Rates.of(Plan(max_epochs=10, kl_warmup=4), steps_per_epoch=25)
    weights = np.array([float(rates.annealing(jnp.asarray(float(s)))) for s in range(250)])
    np.testing.assert_allclose(weights[:100], np.arange(1, 101) / 100, rtol=1e-6)
    np.testing.assert_array_equal(weights[99:], 1.0)
    assert float(Rates.of(Plan(), 25).annealing(jnp.zeros(()))) == 1.0


def test_the_rate_falls_along_a_half_cosine_or_not_at_all():
    rates = Rates.of(Plan(max_epochs=10, learning_rate=0.2), steps_per_epoch=20)
    found = [float(rates.at(jnp.asarray(s))) for s in (0.0, 50.0, 100.0, 200.0)]
    np.testing.assert_allclose(found, 0.2 * np.array([1, 0.5 + 0.5**1.5, 0.5, 0]), atol=1e-7)
    level = Rates.of(Plan(learning_rate=0.2, decay=False), steps_per_epoch=20)
    assert float(level.at(jnp.asarray(1e6))) == pytest.approx(0.2)
