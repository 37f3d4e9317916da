"""Refined proposals: exact where the posterior is Gaussian, and within their error elsewhere."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, multivariate_t

import wellposed as wp
from linear_gaussian import bent_model, exact_model, in_two_layers, rows_of, with_mixture
from once import over
from variants import slow_beside
from wellposed import evaluation, noise
from wellposed.evaluation.likelihood import importance, local_posterior, mode_search, refined
from wellposed.evaluation.likelihood.student_mixture import (
    DEGREES,
    from_covariance,
    from_precisions,
    join,
)
from wellposed.latents import GaussianMixture

KEY = jax.random.key(0)


def drawn(model, n: int) -> np.ndarray:
    return np.asarray(evaluation.samples(model, n, how="ancestral", alpha=1.0, key=KEY))


def by_quadrature(model, rows: np.ndarray) -> np.ndarray:
    """log p(x) by the trapezoid rule on a grid of latents, k ≤ 2."""
    k = model.prior.k
    axis = np.linspace(-7, 7, 4001 if k == 1 else 401)
    z = np.stack(np.meshgrid(*[axis] * k, indexing="ij"), -1).reshape(-1, k)
    density = jax.jit(
        lambda y: jax.vmap(lambda one: model.decode(one).log_prob(y) + model.prior.log_prob(one))(
            jnp.asarray(z)
        )
    )
    return np.array([logsumexp(density(y)) for y in rows]) + k * np.log(axis[1] - axis[0])


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("spread", slow_beside([0.2, 3.0], [3.0]))
def test_a_linear_decoder_has_constant_weights(spread):
    model, density = exact_model(d=7, k=3, spread=spread)
    rows = rows_of(density, 20)
    found = evaluation.log_likelihood(in_two_layers(model), rows, n_samples=64, key=KEY)
    np.testing.assert_allclose(found.value, density.logpdf(rows), atol=1e-8)
    np.testing.assert_allclose(found.effective_sample_size, 64, rtol=1e-8)


@pytest.mark.slow
@pytest.mark.usefixtures("x64")
def test_a_linear_decoder_under_a_mixture_prior_has_constant_weights():
    linear, _ = exact_model(d=6, k=2)
    model = with_mixture(linear)
    rows = drawn(model, 20)
    weight, bias = np.asarray(linear.decoder.weight).T, np.asarray(linear.decoder.bias)
    log_weights, means, roots = (np.asarray(leaf) for leaf in model.prior.parameters())
    covariances = weight @ roots @ np.swapaxes(roots, 1, 2) @ weight.T + 0.3 * np.eye(6)
    each = [
        multivariate_normal(bias + weight @ mean, covariance).logpdf(rows)
        for mean, covariance in zip(means, covariances, strict=True)
    ]
    exact = logsumexp(np.stack(each, 1) + log_weights - logsumexp(log_weights), axis=1)
    found = evaluation.log_likelihood(model, rows, n_samples=64, key=KEY)
    np.testing.assert_allclose(found.value, exact, atol=1e-8)


class Uniformish(eqx.Module):
    """A prior of another family: independent logistics of variance one."""

    k: int = eqx.field(static=True)
    scale: float = eqx.field(static=True, default=0.5513)

    def log_prob(self, z):
        e = z / self.scale
        return -(e + 2 * jax.nn.softplus(-e) + jnp.log(self.scale)).sum()

    def sample(self, *, key):
        return self.scale * jax.random.logistic(key, (self.k,))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("k", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("prior", slow_beside(["standard", "mixture", "logistic"], ["mixture"]))
def test_a_bent_decoder_agrees_with_quadrature(k, prior):
    model = bent_model(k)
    if prior == "mixture":
        model = with_mixture(model)
    if prior == "logistic":
        model = eqx.tree_at(lambda m: m.prior, model, Uniformish(k))
    rows = drawn(model, 30)
    found = evaluation.log_likelihood(model, rows, n_samples=1_000, key=KEY)
    error = (found.value - by_quadrature(model, rows)) / found.standard_error
    assert np.abs(error).max() < 4.5
    assert np.sqrt((error**2).mean()) == pytest.approx(1.0, abs=0.4)
    assert np.median(found.effective_sample_size) > 500


@pytest.mark.usefixtures("x64")
def test_the_mean_weight_is_unbiased_whatever_the_number_of_draws():
    model = bent_model(2)
    row = drawn(model, 1)[0]
    parts = local_posterior.parts_of(model.prior)

    @jax.jit
    def estimates(keys):
        return jax.vmap(
            lambda key: (
                importance._from_refined(
                    (model, parts), row, key=key, n_samples=16, n_pilot=64, block=16
                ).value
            )
        )(keys)

    ratio = np.exp(estimates(jax.random.split(KEY, 2_000)) - by_quadrature(model, row[None])[0])
    error = ratio.std() / np.sqrt(len(ratio))
    assert error < 0.03
    assert abs(ratio.mean() - 1) < 4 * error


@pytest.mark.slow
def test_the_value_of_a_row_does_not_depend_on_the_others():
    model = bent_model(2)
    rows = drawn(model, 70).astype(np.float32)
    whole = evaluation.log_likelihood(model, rows, n_samples=50, key=KEY).value
    for order in (np.arange(70)[::-1], np.array([3]), np.arange(40, 70)):
        part = evaluation.log_likelihood(model, rows[order], n_samples=50, key=KEY).value
        np.testing.assert_array_equal(part, whole[order])


@pytest.mark.parametrize("proposal", importance.PROPOSALS)
def test_no_bit_of_a_row_depends_on_its_place_in_a_chunk(proposal):
    """Also under a mixture prior of more components than a proposal keeps."""
    model = bent_model(5, d=6)
    m = 11
    roots = 0.7 * jnp.tile(jnp.eye(5, dtype=jnp.float32), (m, 1, 1))
    prior = GaussianMixture(jnp.zeros(m), jax.random.normal(KEY, (m, 5), jnp.float32), roots)
    model = eqx.tree_at(lambda one: one.prior, model, prior)
    rows = drawn(model, 65).astype(np.float32)  # one more than a chunk of refined proposals
    options = {"n_samples": 30, "key": KEY, "proposal": proposal}
    whole = evaluation.log_likelihood(model, rows, **options)
    for order in (
        np.roll(np.arange(65), 1),
        np.array([64]),
        np.arange(63, 65),
        np.arange(64)[::-1],
    ):
        part = evaluation.log_likelihood(model, rows[order], **options)
        for one, all_of in zip(jax.tree.leaves(part), jax.tree.leaves(whole), strict=True):
            np.testing.assert_array_equal(one, all_of[order])


@pytest.mark.usefixtures("x64")
@pytest.mark.slow
def test_components_left_out_do_not_bias_a_linear_decoder():
    """A proposal keeps eight components of a mixture; the closed form has all."""
    linear, _ = exact_model(d=4, k=2)
    rng, m = np.random.default_rng(0), 25
    roots = jnp.asarray(0.4 * np.tile(np.eye(2), (m, 1, 1)))
    prior = GaussianMixture(jnp.zeros(m), jnp.asarray(rng.normal(size=(m, 2))), roots)
    model = eqx.tree_at(lambda one: (one.prior, one.noise), linear, (prior, noise.Gaussian(4.0)))
    rows = drawn(model, 40)
    exact = evaluation.exact_log_likelihood(model, rows, key=KEY)
    found = evaluation.log_likelihood(model, rows, n_samples=4_000, key=KEY)
    error = (found.value - exact) / found.standard_error
    assert np.abs(error).max() < 4.5
    assert np.sqrt((error**2).mean()) == pytest.approx(1.0, abs=0.4)


def test_noise_without_a_curvature_of_its_own_is_refined_too():
    """The Hessian of |x − μ| is zero almost everywhere: the pilot draws find the width."""
    model = eqx.tree_at(lambda m: m.noise, bent_model(2), noise.Laplace(0.05))
    rows = drawn(model, 40).astype(np.float32)
    found, encoder = (
        evaluation.log_likelihood(model, rows, n_samples=500, key=KEY, proposal=proposal)
        for proposal in ("refined", "encoder")
    )
    assert np.median(found.effective_sample_size) > 150
    assert np.median(found.effective_sample_size) > 3 * np.median(encoder.effective_sample_size)


def test_the_search_never_ends_below_its_start():
    def valley(z):
        return -10 * (z[1] - z[0] ** 2) ** 2 - (1 - z[0]) ** 2 - (z[2:] ** 2).sum() / 200

    starts = 2 * jax.random.normal(KEY, (50, 4))
    ends = over(lambda z: mode_search.find_mode(valley, z, jnp.ones(4)), starts)
    before, after = over(valley, starts), over(valley, ends)
    assert (after >= before).all()
    assert np.median(after) > -0.5
    undefined = mode_search.find_mode(lambda z: jnp.log(z.sum()), -jnp.ones(2), jnp.ones(2))
    np.testing.assert_array_equal(undefined, -jnp.ones(2))


@pytest.mark.usefixtures("x64")
def test_the_density_of_a_proposal_is_that_of_its_draws():
    rng = np.random.default_rng(0)
    roots = np.tril(rng.normal(size=(2, 3, 3))) + 2 * np.eye(3)
    means = rng.normal(size=(2, 3))
    two = from_precisions(jnp.log(jnp.array([0.3, 0.7])), jnp.asarray(means), jnp.asarray(roots))
    one = from_covariance(jnp.asarray(means[0]), jnp.asarray(roots[0]))
    mixture = join([two, one], [np.log(0.6), np.log(0.4)])
    z = rng.normal(size=(50, 3))
    shapes = [*np.linalg.inv(roots @ np.swapaxes(roots, 1, 2)), roots[0] @ roots[0].T]
    each = [
        multivariate_t(mean, shape, df=DEGREES).logpdf(z)
        for mean, shape in zip([*means, means[0]], shapes, strict=True)
    ]
    exact = logsumexp(np.stack(each, 1), axis=1, b=[0.18, 0.42, 0.4])
    np.testing.assert_allclose(mixture.log_prob(z), exact, rtol=1e-10)
    draws = mixture.sample(200_000, key=KEY)
    inside = np.exp(multivariate_normal(np.zeros(3), np.eye(3)).logpdf(draws))
    weights = inside / np.exp(mixture.log_prob(draws))
    assert weights.mean() == pytest.approx(1.0, abs=5 * weights.std() / np.sqrt(200_000))


def test_few_effective_draws_temper_the_weights():
    log_w = 40.0 * jax.random.normal(KEY, (256,))
    tempered = refined._temper(log_w, 20.0)
    size = jnp.exp(2 * jax.nn.logsumexp(tempered) - jax.nn.logsumexp(2 * tempered))
    assert 20 <= size < 22
    even = 0.1 * log_w / 40
    np.testing.assert_array_equal(refined._temper(even, 20.0), even)


def test_unknown_proposals_are_refused():
    model, density = exact_model()
    with pytest.raises(wp.SettingError, match="refined"):
        evaluation.log_likelihood(
            model, rows_of(density, 2), n_samples=4, key=KEY, proposal="encodr"
        )
