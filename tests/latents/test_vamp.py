"""The prior of pseudo-inputs: the mixture of their posteriors."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

import wellposed as wp
from linear_gaussian import exact_model, rows_of
from once import over
from wellposed.latents import GaussianMixture, VampPrior
from wellposed.objectives import ELBO, IWAE, SquaredError

KEY = jax.random.key(0)


def vamp_model(m: int = 4):
    model, density = exact_model(d=5, k=2, spread=1.3)
    inputs = jnp.asarray(rows_of(density, m, seed=7))
    return dataclasses.replace(model, prior=VampPrior(inputs, 2)), density


def test_its_density_is_the_mean_of_the_posteriors(x64):
    model, _ = vamp_model()
    prior = model.with_fixed_prior().prior
    z = jax.random.normal(KEY, (30, 2))
    q = over(model.encode, model.prior.pseudo_inputs)  # identity transform, no reach
    each = norm.logpdf(np.asarray(z)[:, None], q.loc[None], q.scale[None]).sum(-1)
    np.testing.assert_allclose(
        over(prior.log_prob, z), logsumexp(each, axis=1) - np.log(4), rtol=1e-9
    )


@pytest.mark.parametrize(
    "objective",
    [ELBO(), *(pytest.param(o, marks=pytest.mark.slow) for o in (IWAE(3), SquaredError(1.0)))],
    ids=str,
)
def test_an_objective_is_that_of_the_mixture_at_the_encoder(objective, x64):
    model, density = vamp_model()
    x = jnp.asarray(rows_of(density, 2))[0]
    own = objective(model, x, key=KEY)
    fixed = objective(model.with_fixed_prior(), x, key=KEY)
    assert float(own.value) == float(fixed.value)
    assert float(own.terms.kl) == float(fixed.terms.kl)


def test_the_gradient_reaches_pseudo_inputs_and_the_encoder_through_them(x64):
    model, density = vamp_model()
    x = jnp.asarray(rows_of(density, 3))[0]

    def value(model):
        return ELBO()(model, x, key=KEY).value

    slope = eqx.filter_jit(eqx.filter_grad(value))(model)
    assert (np.abs(slope.prior.pseudo_inputs).max(axis=1) > 0).all()
    fixed = eqx.filter_jit(eqx.filter_grad(value))(model.with_fixed_prior())
    through = np.asarray(slope.encoder.weight) - np.asarray(fixed.encoder.weight)
    assert np.abs(through).max() > 1e-3
    # Against differences: one entry of u.
    step = 1e-5
    for sign in (1, -1):
        moved = model.prior.pseudo_inputs.at[1, 2].add(sign * step)
        side = value(eqx.tree_at(lambda m: m.prior.pseudo_inputs, model, moved))
        difference = side if sign == 1 else difference - side
    assert float(slope.prior.pseudo_inputs[1, 2]) == pytest.approx(
        float(difference) / (2 * step), rel=1e-4
    )


def test_a_fixed_prior_stays():
    model, _ = vamp_model()
    fixed = model.with_fixed_prior()
    assert isinstance(fixed.prior, GaussianMixture)
    assert fixed.with_fixed_prior() is fixed
    plain, _ = exact_model()
    assert plain.with_fixed_prior() is plain


@pytest.mark.parametrize(
    "use",
    [
        lambda p: p.log_prob(jnp.zeros(2)),
        lambda p: p.sample(key=KEY),
        lambda p: p.moments(),
    ],
)
def test_without_an_encoder_it_has_no_density(use):
    with pytest.raises(wp.SettingError, match="with_fixed_prior"):
        use(vamp_model()[0].prior)
