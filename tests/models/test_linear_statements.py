"""What is proved of the linear VAE, as tests.

Lemmas 1 and 2 and theorem 3 of Lucas et al. (2019); the stationary points of Tipping & Bishop
(1999); the thresholds of Wang & Ziyin (2022). Oracles are in ``linear_oracles``: other formulas
than the library's, derivatives by automatic differentiation, maxima by brute force.
"""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal, norm

import linear_oracles as own
import wellposed as wp
from wellposed import models
from wellposed.models import Covariance, PPCAModel, eigendecompose, optimum, stationary_point

pytestmark = pytest.mark.usefixtures("x64")

SPECTRA = {
    4: [5.0, 2.6, 1.1, 0.3],
    5: [6.0, 3.5, 1.9, 0.8, 0.25],
}
SIZES = [(4, 2), (4, 3), (5, 2), (5, 3)]


def parts(flat, d, k):
    """W, V, log D, log σ² of a flat array."""
    w, v, log_spread, log_variance = jnp.split(flat, [d * k, 2 * d * k, 2 * d * k + k])
    return w.reshape(d, k), v.reshape(k, d), log_spread, log_variance[0]


@functools.cache
def bound(d, k):
    """The objective of a flat array, one function for each size."""
    return lambda flat, s, beta: own.objective(*parts(flat, d, k), s, beta)


@functools.cache
def likelihood(d, k):
    """The pPCA likelihood of a flat array of W and log σ², one function for each size."""
    return lambda flat, s: own.log_likelihood(flat[:-1].reshape(d, k), jnp.exp(flat[-1]), s)


def flat(point, beta=1.0):
    """A stationary point with its best q, as :func:`parts` takes it."""
    weight, variance = point.model.weight, point.noise_variance
    encoder, spread = own.best_encoder(weight, variance, beta)
    return np.concatenate([weight.ravel(), encoder.ravel(), np.log(spread), [np.log(variance)]])


def points(d, k, noise_variance=None, beta=1.0):
    """Every stationary point of a small problem, with its active set."""
    spectrum = own.spectrum_of(SPECTRA[d], seed=d)
    for active in own.active_sets(d, k):
        variance = noise_variance
        if variance is None:
            dead = [v for j, v in enumerate(SPECTRA[d]) if j not in active]
            variance = sum(dead) / (d - beta * len(active))
        if all(SPECTRA[d][j] > beta * variance for j in active):
            yield (
                active,
                stationary_point(spectrum, active, k, noise_variance=noise_variance, beta=beta),
            )


def s_of(d):
    return jnp.asarray(own.with_eigenvalues(SPECTRA[d], seed=d).matrix)


def random_model(rng, d, k):
    return models.LinearVAEModel(
        mean=rng.normal(size=d),
        weight=rng.normal(size=(d, k)),
        encoder=rng.normal(size=(k, d)) / d,
        variance=np.exp(rng.normal(size=k)),
        noise_variance=np.exp(rng.normal()),
    )


# The ELBO itself.


def test_the_elbo_of_a_covariance_is_the_mean_over_rows(digits):
    rows = digits[:300, 10:40].astype(float)
    model = random_model(np.random.default_rng(0), 30, 4)
    s = own.of_rows(rows)
    model = models.LinearVAEModel(
        s.mean, model.weight, model.encoder, model.variance, model.noise_variance
    )
    one_by_one = np.array([float(model.elbo_of(x)) for x in rows])
    assert float(model.elbo(s.matrix)) == pytest.approx(one_by_one.mean(), rel=1e-12)
    written_out = own.objective(
        model.weight, model.encoder, np.log(model.variance), np.log(model.noise_variance), s.matrix
    )
    assert float(model.elbo(s.matrix)) == pytest.approx(float(written_out), rel=1e-12)


@pytest.mark.parametrize("beta", [0.25, 1.0, 4.0])
def test_beta_weighs_the_rate(beta):
    rng = np.random.default_rng(1)
    model, s = random_model(rng, 5, 3), own.with_eigenvalues(SPECTRA[5]).matrix
    parted = model.expected_log_likelihood(s) - beta * model.rates(s).sum()
    assert float(model.elbo(s, beta=beta)) == pytest.approx(float(parted), rel=1e-13)
    written_out = own.objective(
        model.weight, model.encoder, np.log(model.variance), np.log(model.noise_variance), s, beta
    )
    assert float(model.elbo(s, beta=beta)) == pytest.approx(float(written_out), rel=1e-12)


def test_the_elbo_of_a_row_is_an_expectation():
    """Gauss-Hermite quadrature, exact for the quadratic log density, and densities of scipy's."""
    rng = np.random.default_rng(2)
    model, x = random_model(rng, 4, 2), rng.normal(size=4)
    nodes, weights = np.polynomial.hermite_e.hermegauss(4)
    weights = weights / weights.sum()
    loc, scale = model.encoder @ (x - model.mean), np.sqrt(model.variance)
    total = 0.0
    for (a, b), (u, v) in zip(
        itertools.product(nodes, nodes), itertools.product(weights, weights), strict=True
    ):
        z = loc + scale * np.array([a, b])
        log_p = norm(model.weight @ z + model.mean, np.sqrt(model.noise_variance)).logpdf(x).sum()
        log_ratio = norm(loc, scale).logpdf(z).sum() - norm.logpdf(z).sum()
        total += u * v * (log_p - log_ratio)
    assert float(model.elbo_of(x)) == pytest.approx(total, rel=1e-12)


def test_the_elbo_is_what_sampling_estimates():
    rng = np.random.default_rng(3)
    model, s = random_model(rng, 4, 2), own.with_eigenvalues(SPECTRA[4])
    rows = rng.multivariate_normal(np.zeros(4), s.matrix, size=4_000)
    rows = (rows - rows.mean(0)) + model.mean
    loc = (rows - model.mean) @ model.encoder.T
    z = loc + np.sqrt(model.variance) * rng.normal(size=loc.shape)
    scale = np.sqrt(model.noise_variance)
    drawn = norm.logpdf(rows, z @ model.weight.T + model.mean, scale).sum(1)
    drawn += (norm.logpdf(z) - norm.logpdf(z, loc, np.sqrt(model.variance))).sum(1)
    exact = float(model.elbo(own.of_rows(rows).matrix))
    assert drawn.mean() == pytest.approx(exact, abs=4 * drawn.std() / np.sqrt(len(rows)))


def test_float32_is_the_twin_of_float64():
    rng = np.random.default_rng(4)
    model, s = random_model(rng, 6, 3), own.with_eigenvalues([5, 4, 3, 2, 1, 0.5]).matrix
    narrow = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), model)
    found = narrow.elbo(jnp.asarray(s, jnp.float32))
    assert found.dtype == jnp.float32
    assert float(found) == pytest.approx(float(model.elbo(s)), rel=1e-5)
    x = rng.normal(size=6)
    of_row = narrow.elbo_of(jnp.asarray(x, jnp.float32))
    assert of_row.dtype == jnp.float32
    assert float(of_row) == pytest.approx(float(model.elbo_of(x)), rel=1e-5)


@pytest.mark.parametrize("beta", [0.3, 1.0, 2.5])
def test_the_best_encoder_leaves_no_slope_and_every_step_is_down(beta):
    rng = np.random.default_rng(5)
    s = own.with_eigenvalues(SPECTRA[5]).matrix
    model = models.with_best_encoder(random_model(rng, 5, 3), beta=beta)
    log_spread, log_variance = jnp.log(model.variance), jnp.log(model.noise_variance)

    def of_q(encoder, log_spread):
        return own.objective(model.weight, encoder, log_spread, log_variance, s, beta)

    slopes = jax.jit(jax.grad(of_q, argnums=(0, 1)))(jnp.asarray(model.encoder), log_spread)
    assert max(np.abs(slope).max() for slope in slopes) < 1e-11
    best = float(of_q(model.encoder, log_spread))
    for _ in range(20):
        near = of_q(
            model.encoder + 0.1 * rng.normal(size=(3, 5)), log_spread + 0.1 * rng.normal(size=3)
        )
        assert float(near) < best


# Log likelihood and the gap.


@pytest.mark.parametrize("k", [1, 3, 5])
def test_the_density_of_rows_is_that_of_the_marginal_normal(k):
    rng = np.random.default_rng(k)
    weight, mean, rows = rng.normal(size=(5, k)), rng.normal(size=5), rng.normal(size=(40, 5))
    model = PPCAModel(mean, weight, 0.37)
    exact = multivariate_normal(mean, weight @ weight.T + 0.37 * np.eye(5)).logpdf(rows)
    np.testing.assert_allclose(model.log_density(rows), exact, rtol=1e-12)
    m = weight.T @ weight + 0.37 * np.eye(k)
    posterior = np.linalg.solve(m, weight.T @ (rows - mean).T).T
    np.testing.assert_allclose(model.posterior_means(rows), posterior, rtol=1e-10)
    np.testing.assert_allclose(model.posterior_covariance, 0.37 * np.linalg.inv(m), rtol=1e-10)
    np.testing.assert_allclose(model.decode(posterior), posterior @ weight.T + mean, rtol=1e-13)


def test_the_density_keeps_its_digits_at_little_noise_and_over_many_rows():
    """σ² = 1e-9 against λ = 1: log p through |x|² would have lost half of them."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    weight = basis[:, :2] * [2.0, 1.0]
    rows = rng.normal(size=(9_000, 2)) @ weight.T + 3e-5 * rng.normal(size=(9_000, 4))
    along, across = rows @ basis[:, :2], rows @ basis[:, 2:]
    exact = norm.logpdf(along, 0, np.sqrt(np.array([4.0, 1.0]) + 1e-9)).sum(1)
    exact += norm.logpdf(across, 0, np.sqrt(1e-9)).sum(1)
    found = PPCAModel(np.zeros(4), weight, 1e-9).log_density(rows)
    np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_gap_is_log_p_less_the_elbo_for_any_weights_and_noise(seed):
    rng = np.random.default_rng(seed)
    s = own.with_eigenvalues(SPECTRA[5], seed).matrix
    model = models.with_best_encoder(random_model(rng, 5, 3))
    exact = float(own.log_likelihood(model.weight, model.noise_variance, s))
    gap = float(models.inference_gap(model))
    assert exact - float(model.elbo(s)) == pytest.approx(gap, rel=1e-9, abs=1e-12)
    assert gap == pytest.approx(own.hadamard_gap(model.weight, model.noise_variance), rel=1e-10)
    assert gap > 0


@pytest.mark.parametrize("beta", [0.3, 3.0])
def test_the_objective_of_any_beta_is_that_of_a_noise_times_beta(beta):
    """β·KL at σ² is, up to the constant, β times the ELBO at βσ²: the gap is β times as wide."""
    rng = np.random.default_rng(6)
    s = own.with_eigenvalues(SPECTRA[5]).matrix
    model = models.with_best_encoder(random_model(rng, 5, 3), beta=beta)
    threshold, d = beta * float(model.noise_variance), 5
    bound = float(own.log_likelihood(model.weight, threshold, s))
    gap = own.hadamard_gap(model.weight, threshold)
    constant = d * (own.LOG_2PI + np.log(threshold))
    expected = beta * (bound - gap + 0.5 * constant)
    expected -= 0.5 * d * (own.LOG_2PI + np.log(model.noise_variance))
    assert float(model.elbo(s, beta=beta)) == pytest.approx(expected, rel=1e-11)


# Lemma 1: the global maximum of the ELBO is that of the likelihood.


@pytest.mark.parametrize(("d", "k"), SIZES)
def test_lemma_1_no_elbo_exceeds_the_maximum_of_the_likelihood(d, k):
    s, best = s_of(d), optimum(own.spectrum_of(SPECTRA[d], d), k)
    rng = np.random.default_rng(0)
    reach = best.model.weight
    value, likely = jax.jit(own.objective), jax.jit(own.log_likelihood)
    for scale in np.geomspace(1e-3, 3, 300):
        weight = reach + scale * rng.normal(size=(d, k))
        variance = best.noise_variance * np.exp(scale * rng.normal())
        encoder, spread = own.best_encoder(weight, variance)
        encoder = encoder + scale * rng.normal(size=(k, d))
        log_spread = np.log(spread) + scale * rng.normal(size=k)
        found = value(weight, encoder, log_spread, np.log(variance), s)
        assert float(found) < best.log_likelihood
        assert float(likely(weight, variance, s)) < best.log_likelihood
    assert best.elbo == pytest.approx(best.log_likelihood, rel=1e-13)
    at_best = own.log_likelihood(best.model.weight, best.noise_variance, s)
    assert best.log_likelihood == pytest.approx(float(at_best), rel=1e-13)


@pytest.mark.parametrize(("d", "k"), SIZES)
def test_lemma_1_climbing_either_from_anywhere_ends_at_the_optimum(d, k):
    """Each with a general optimiser of its own; columns of W agree too, lemma 2."""
    s, best = s_of(d), optimum(own.spectrum_of(SPECTRA[d], d), k)
    likely = jax.jit(jax.value_and_grad(lambda p: -likelihood(d, k)(p, s)))
    bounded = jax.jit(jax.value_and_grad(lambda p: -bound(d, k)(p, s, 1.0)))
    rng = np.random.default_rng(d * k)
    for _ in range(3):
        tops = []
        for function, size in ((likely, d * k + 1), (bounded, 2 * d * k + k + 1)):
            found = minimize(
                function,
                0.3 * rng.normal(size=size),
                jac=True,
                method="BFGS",
                options={"gtol": 1e-8, "maxiter": 5_000},
            )
            assert -found.fun == pytest.approx(best.log_likelihood, rel=1e-10)
            tops.append(found.x)
        weight = tops[0][:-1].reshape(d, k)
        outer = best.model.weight @ best.model.weight.T
        np.testing.assert_allclose(weight @ weight.T, outer, atol=1e-5)
        weight, _, _, log_variance = parts(tops[1], d, k)
        assert np.exp(log_variance) == pytest.approx(best.noise_variance, rel=1e-6)
        overlap = np.abs(weight.T @ best.model.weight) / (best.model.weight**2).sum(0)
        order = overlap.argmax(axis=0)
        np.testing.assert_allclose(overlap[order], np.eye(k), atol=1e-4)


def test_lemma_1_on_the_digits(digits):
    s = own.of_rows(digits)
    values = np.linalg.eigvalsh(s.matrix)[::-1]
    best = optimum(eigendecompose(s), 10)
    assert best.noise_variance == pytest.approx(values[10:].mean(), rel=1e-12)
    np.testing.assert_array_equal(best.model.mean, s.mean)
    exact = own.log_likelihood(best.model.weight, best.noise_variance, s.matrix)
    assert best.log_likelihood == pytest.approx(float(exact), rel=1e-12)
    profiled = own.profile(jnp.asarray(best.model.weight), best.noise_variance, s.matrix)
    assert best.elbo == pytest.approx(float(profiled), rel=1e-12)
    rows = multivariate_normal(
        s.mean, best.model.weight @ best.model.weight.T + best.noise_variance * np.eye(64)
    ).logpdf(digits)
    assert best.log_likelihood == pytest.approx(rows.mean(), rel=1e-11)


# Lemma 2: the columns are the principal axes.


@pytest.mark.parametrize("seed", range(4))
def test_lemma_2_a_rotation_costs_the_gap_though_log_p_stays(seed):
    d, k = 5, 3
    s, best = s_of(d), optimum(own.spectrum_of(SPECTRA[d], d), k)
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(k, k)))[0]
    turned = best.model.weight @ turn
    value = float(own.log_likelihood(turned, best.noise_variance, s))
    assert value == pytest.approx(best.log_likelihood, rel=1e-12)
    lost = best.elbo - float(own.profile(jnp.asarray(turned), best.noise_variance, s))
    assert lost == pytest.approx(own.hadamard_gap(turned, best.noise_variance), rel=1e-9)
    assert lost > 1e-3
    signed = np.eye(k)[rng.permutation(k)] * rng.choice([-1, 1], size=k)
    kept = own.profile(jnp.asarray(best.model.weight @ signed), best.noise_variance, s)
    assert float(kept) == pytest.approx(best.elbo, rel=1e-13)


def test_lemma_2_the_columns_are_scaled_principal_components(digits):
    s = own.of_rows(digits)
    values, vectors = np.linalg.eigh(s.matrix)
    best = optimum(eigendecompose(s), 5)
    for i in range(5):
        column = best.model.weight[:, i]
        assert (column**2).sum() == pytest.approx(values[-1 - i] - best.noise_variance, rel=1e-11)
        cosine = vectors[:, -1 - i] @ column / np.linalg.norm(column)
        assert abs(cosine) == pytest.approx(1.0, abs=1e-10)


# Theorem 3: the ELBO has no local maxima that pPCA has not.


def n_rotations(k, a):
    """Dimension of the orbit of W, of rank a, under rotations of its k columns."""
    return k * (k - 1) // 2 - (k - a) * (k - a - 1) // 2


def check_surroundings(point, d, k, *, learned, beta=1.0):
    """Compare a point's statement of its surroundings with the Hessian over W, V, D and σ²."""
    at = jnp.asarray(flat(point, beta))
    kept = len(at) if learned else len(at) - 1
    slope, bend = own.surroundings(bound(d, k), at, s_of(d), beta)
    assert np.abs(slope[:kept]).max() < 1e-9
    values = np.linalg.eigvalsh(bend[:kept, :kept])
    assert np.abs(values).min() > 1e-6  # diagonal q leaves the model no freedom to turn
    assert point.is_maximum == bool(values.max() < 0)


@pytest.mark.parametrize(("d", "k"), SIZES)
def test_theorem_3_every_stationary_point_by_full_hessians(d, k):
    for noise_variance in (0.2, 0.5, 1.5, 4.0, 7.0, None):
        learned, maxima = noise_variance is None, []
        for active, point in points(d, k, noise_variance):
            check_surroundings(point, d, k, learned=learned)
            weight, variance = point.model.weight, point.noise_variance
            at = jnp.append(weight.ravel(), np.log(variance))
            kept = len(at) if learned else len(at) - 1
            slope, bend = own.surroundings(likelihood(d, k), at, s_of(d))
            assert np.abs(slope[:kept]).max() < 1e-9
            values = np.linalg.eigvalsh(bend[:kept, :kept])
            still = np.abs(values) < 1e-7
            assert still.sum() == n_rotations(k, len(active))
            assert point.is_maximum == bool(values[~still].max(initial=-1.0) < 0)
            unused = [v for j, v in enumerate(SPECTRA[d]) if j not in active]
            if len(active) < k:
                assert point.is_maximum == all(v <= variance for v in unused)
            else:
                assert point.is_maximum == (active == tuple(range(k)))
            if point.is_maximum:
                maxima.append(point.log_likelihood)
        best = optimum(own.spectrum_of(SPECTRA[d], d), k, noise_variance=noise_variance)
        assert maxima == pytest.approx([best.log_likelihood], rel=1e-12)


@pytest.mark.parametrize("beta", [0.4, 2.0])
@pytest.mark.parametrize("noise_variance", [0.6, 1.5, None])
def test_theorem_3_holds_for_any_weight_of_the_rate(beta, noise_variance):
    d, k = 5, 2
    maxima = []
    for _, point in points(d, k, noise_variance, beta):
        check_surroundings(point, d, k, learned=noise_variance is None, beta=beta)
        if point.is_maximum:
            maxima.append(point.active)
    best = optimum(own.spectrum_of(SPECTRA[d], d), k, noise_variance=noise_variance, beta=beta)
    assert best.active in maxima


@pytest.mark.parametrize("beta", [0.4, 1.0, 2.0])
@pytest.mark.parametrize("noise_variance", [0.5, 1.5])
def test_curvature_at_a_zero_column_is_the_hessians_quotient(beta, noise_variance):
    d, k = 5, 3
    vectors = own.spectrum_of(SPECTRA[d], d).eigenvectors
    compared = 0
    for active, point in points(d, k, noise_variance, beta):
        if len(active) == k:
            continue
        unused = [j for j in range(d) if j not in active]
        columns = np.full(d, k - 1)
        bend = own.bends(point.model.weight, columns, vectors.T, noise_variance, s_of(d), beta)
        expected = (np.array(SPECTRA[d]) / (beta * noise_variance) - 1) / noise_variance
        np.testing.assert_allclose(bend[1][np.array(unused)], expected[unused], rtol=1e-9)
        np.testing.assert_allclose(point.curvature[unused], expected[unused], rtol=1e-9)
        if beta == 1.0:
            # Of the likelihood too, which is flat towards the active directions.
            np.testing.assert_allclose(bend[0], point.curvature, rtol=1e-9, atol=1e-10)
        compared += len(unused)
    assert compared > 8


def test_of_the_bound_turning_a_zero_column_to_an_active_direction_costs_the_gap():
    point = stationary_point(own.spectrum_of(SPECTRA[5], 5), [0, 1], 3, noise_variance=0.5)
    u = own.spectrum_of(SPECTRA[5], 5).eigenvectors[:, 0]
    turned = point.model.weight.copy()
    turned[:, -1] = 1e-3 * u
    lost = point.elbo - float(own.profile(turned, 0.5, s_of(5)))
    assert lost == pytest.approx(own.hadamard_gap(turned, 0.5), rel=1e-4)
    assert lost > 1e-7


@pytest.mark.parametrize("k", [1, 2, 3])
def test_full_sets_that_are_not_principal_are_saddles_by_a_swap(k):
    """Swapping direction i for a larger unused j bends upwards by (λ_j/λ_i − 1)/σ²."""
    d, variance = 5, 0.2
    vectors = own.spectrum_of(SPECTRA[d], d).eigenvectors
    for active, point in points(d, k, variance):
        if len(active) < k:
            continue
        swaps = [(c, j) for c in range(k) for j in range(d) if j not in active]
        columns, others = np.array(swaps).T
        bend = own.bends(point.model.weight, columns, vectors.T[others], variance, s_of(d))
        found = np.array(SPECTRA[d])
        expected = (found[others] / found[np.array(active)[columns]] - 1) / variance
        np.testing.assert_allclose(bend[0], expected, rtol=1e-9)
        np.testing.assert_allclose(bend[1], expected, rtol=1e-9)
        assert point.is_maximum == bool((expected < 0).all())


@pytest.mark.parametrize("beta", [0.4, 1.0, 2.0])
def test_gain_is_what_taking_up_a_direction_adds(beta):
    d, k, variance = 5, 3, 0.3
    s, spectrum = s_of(d), own.spectrum_of(SPECTRA[d], d)

    @functools.cache
    def value(active):
        point = stationary_point(spectrum, active, k, noise_variance=variance, beta=beta)
        return float(own.profile(point.model.weight, variance, s, beta))

    for active, point in points(d, k, variance, beta):
        alive = [j for j in range(d) if SPECTRA[d][j] > beta * variance]
        for j in alive:
            without = tuple(i for i in active if i != j)
            if len(without) == k:
                continue
            assert point.gain[j] == pytest.approx(
                value(tuple(sorted((*without, j)))) - value(without), rel=1e-8
            )
    if beta == 1.0:
        ratio = np.maximum(np.array(SPECTRA[d]) / variance, 1.0)  # none where it does not pay
        np.testing.assert_allclose(point.gain, 0.5 * (ratio - 1 - np.log(ratio)), rtol=1e-10)


def test_the_digits_hold_the_theorem_too(digits):
    """A few of the 2^64 points, by slopes and by quotients along every eigenvector."""
    s = own.of_rows(digits)
    spectrum = eigendecompose(s)
    columns = np.full(64, 2)
    slopes = jax.jit(
        lambda w: (
            jax.grad(own.log_likelihood)(w, 20.0, s.matrix),
            jax.grad(own.profile)(w, 20.0, s.matrix),
        )
    )
    for active in [(), (0,), (0, 1, 2), (1, 4, 9), (5,)]:
        point = stationary_point(spectrum, active, 3, noise_variance=20.0)
        assert max(np.abs(slope).max() for slope in slopes(point.model.weight)) < 1e-9
        assert point.is_maximum == (active == (0, 1, 2))
        if len(active) < 3:
            bend = own.bends(point.model.weight, columns, spectrum.eigenvectors.T, 20.0, s.matrix)
            np.testing.assert_allclose(bend[0], point.curvature, rtol=1e-8, atol=1e-9)


# Rates, collapse, and β.


@pytest.mark.parametrize("beta", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("noise_variance", [0.1, 0.4, 1.0, 2.5])
def test_rates_survivors_and_least_loss_of_a_given_noise(digits, beta, noise_variance):
    for s, k in ((own.with_eigenvalues(SPECTRA[5]), 4), (own.of_rows(digits / 4.0), 25)):
        values = np.linalg.eigvalsh(s.matrix)[::-1]
        best = optimum(eigendecompose(s), k, noise_variance=noise_variance, beta=beta)
        alive = min(k, int((values > beta * noise_variance).sum()))
        assert best.active == tuple(range(alive))
        expected = np.zeros(k)
        expected[:alive] = 0.5 * np.log(values[:alive] / (beta * noise_variance))
        np.testing.assert_allclose(best.rates, expected, rtol=1e-10)
        assert (best.model.weight[:, alive:] == 0).all()
        encoder, spread = own.best_encoder(best.model.weight, noise_variance, beta)
        spread_of_means = np.diag(encoder @ s.matrix @ encoder.T)
        np.testing.assert_allclose(spread_of_means + spread, 1.0, rtol=1e-10)
        rates = 0.5 * (spread + spread_of_means - 1 - np.log(spread))
        np.testing.assert_allclose(best.rates, rates, atol=1e-10)
        d = len(values)
        reached = best.elbo - (beta - 1) * best.rates.sum()
        published = own.least_loss(values, d, k, noise_variance, beta)
        assert reached == pytest.approx(published, rel=1e-11)
        written = own.objective(
            best.model.weight, encoder, np.log(spread), np.log(noise_variance), s.matrix, beta
        )
        assert reached == pytest.approx(float(written), rel=1e-11)
        elbo = own.objective(
            best.model.weight, encoder, np.log(spread), np.log(noise_variance), s.matrix
        )
        assert best.elbo == pytest.approx(float(elbo), rel=1e-11)
        log_p = own.log_likelihood(best.model.weight, noise_variance, s.matrix)
        assert best.log_likelihood == pytest.approx(float(log_p), rel=1e-11)
        assert best.elbo <= best.log_likelihood + 1e-12
        assert best.is_maximum


def spectra():
    rng = np.random.default_rng(0)
    for d in (3, 5, 8):
        for _ in range(4):
            yield np.sort(np.exp(2 * rng.normal(size=d)))[::-1]
    yield np.array([4.0, 1, 1, 1, 1])
    yield np.array([3.0, 3, 3, 0.1, 0.1, 0.1])
    yield np.array([9.0, 4, 1e-2, 1e-3])


@pytest.mark.parametrize("beta", [0.05, 0.3, 0.9, 1.0, 1.1, 2.0, 3.5, 10.0, 100.0])
def test_a_learned_noise_of_any_beta_is_the_best_by_brute_force(beta):
    """β·k may exceed d, so that not all latents can be active at any noise variance."""
    for values in spectra():
        d = len(values)
        for k in range(1, d):
            best = optimum(own.spectrum_of(values), k, beta=beta)
            _, value = own.best_variance(values, d, k, beta)
            reached = best.elbo - (beta - 1) * best.rates.sum()
            assert reached == pytest.approx(value, rel=1e-9, abs=1e-9)
            a = len(best.active)
            exact = values[a:].sum() / (d - beta * a)
            assert best.noise_variance == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("beta", [0.2, 1.0, 5.0])
def test_a_learned_noise_on_the_digits_is_the_best_by_brute_force(digits, beta):
    s = own.of_rows(digits)
    values = np.maximum(np.linalg.eigvalsh(s.matrix)[::-1], 0)
    for k in (1, 10, 40):
        best = optimum(eigendecompose(s), k, beta=beta)
        variance, value = own.best_variance(values, 64, k, beta)
        assert best.noise_variance == pytest.approx(variance, rel=1e-5)
        assert best.elbo - (beta - 1) * best.rates.sum() == pytest.approx(value, rel=1e-10)


def test_ties_at_the_threshold_change_nothing():
    """Equal eigenvalues: σ² equals them, the others have collapsed, whatever the rounding."""
    best = optimum(own.spectrum_of([4.0, 1, 1, 1]), 2)
    assert best.noise_variance == pytest.approx(1.0, rel=1e-12)
    assert best.log_likelihood == pytest.approx(own.least_loss([4.0, 1, 1, 1], 4, 2, 1.0))
    assert best.rates[0] == pytest.approx(np.log(2))
    assert best.rates[1] == pytest.approx(0.0, abs=1e-12)
    isotropic = optimum(own.spectrum_of([2.0, 2, 2]), 2)
    assert isotropic.noise_variance == pytest.approx(2.0, rel=1e-12)
    assert isotropic.rates == pytest.approx([0, 0], abs=1e-12)


# Edges.


def test_a_floor_holds_only_where_the_noise_would_fall_below_it():
    spectrum = own.spectrum_of([4.0, 2.0, 0.5])
    free = optimum(spectrum, 1, floor=0.1)
    assert not free.on_floor
    assert free.noise_variance == pytest.approx(1.25)
    held = optimum(spectrum, 1, floor=1.2)
    assert held.on_floor
    assert held.noise_variance == pytest.approx(1.44, rel=1e-15)
    assert held.log_likelihood == pytest.approx(own.least_loss([4, 2, 0.5], 3, 1, 1.44))
    dead = optimum(spectrum, 1, floor=3.0)
    assert dead.active == ()
    assert dead.is_maximum
    assert dead.noise_variance == pytest.approx(9.0)
    assert stationary_point(spectrum, [0], 1, floor=1.2).on_floor
    assert not stationary_point(spectrum, [0], 1, floor=1.1).on_floor


@pytest.mark.parametrize("beta", [0.3, 1.0, 2.0, 3.5])
def test_the_best_noise_above_a_floor_is_that_of_brute_force(beta):
    for values in spectra():
        d = len(values)
        spectrum = own.spectrum_of(values)
        for floor in np.sqrt(values[[0, -2]] * 0.7):
            for k in range(1, d):
                best = optimum(spectrum, k, beta=beta, floor=floor)
                variance, value = own.best_variance(values, d, k, beta, floor)
                reached = best.elbo - (beta - 1) * best.rates.sum()
                assert reached == pytest.approx(value, rel=1e-7, abs=1e-9)
                assert best.on_floor == (best.noise_variance == floor**2)
                assert best.noise_variance >= floor**2
                near = best.noise_variance == pytest.approx(variance, rel=1e-3)
                assert near or best.noise_variance > floor**2


def test_a_direction_at_the_threshold_leads_nowhere():
    """λ = βσ² to the last bit: the latent has collapsed, and the point is a maximum."""
    spectrum = eigendecompose(Covariance(np.zeros(3), np.diag([4.0, 2.0, 1.0]), n_rows=9))
    for variance, beta in ((2.0, 1.0), (1.0, 2.0), (4.0, 0.5)):
        best = optimum(spectrum, 2, noise_variance=variance, beta=beta)
        assert best.active == (0,)
        assert best.is_maximum
        assert best.gain[1] == best.curvature[1] == 0


def test_given_noise_ignores_the_floor():
    assert optimum(own.spectrum_of([4.0, 2.0, 0.5]), 1, noise_variance=0.01).noise_variance == 0.01


@pytest.mark.parametrize("k", [2, 3])
def test_without_variance_left_the_likelihood_has_no_maximum(k):
    rows = np.random.default_rng(0).normal(size=(30, 2)) @ np.ones((2, 5)) * [1, 2, 3, 4, 5]
    rows += np.random.default_rng(1).normal(size=(30, 1)) * [1, 0, 0, 0, 1]
    spectrum = eigendecompose(own.of_rows(rows))
    assert spectrum.rank == 2
    with pytest.raises(wp.UnboundedLikelihoodError, match=r"rank 2, .*`resolution`"):
        optimum(spectrum, k)
    held = optimum(spectrum, k, floor=1e-3)
    assert held.on_floor
    assert held.noise_variance == pytest.approx(1e-6)
    assert optimum(spectrum, 1).noise_variance == pytest.approx(
        spectrum.eigenvalues[1] / 4, rel=1e-9
    )


def test_a_stationary_point_without_variance_left_is_refused():
    spectrum = eigendecompose(Covariance(np.zeros(3), np.diag([2.0, 1.0, 0.0]), n_rows=5))
    with pytest.raises(wp.UnboundedLikelihoodError, match="left over"):
        stationary_point(spectrum, [0, 1], 2)
    assert stationary_point(spectrum, [0, 1], 2, floor=0.1).on_floor


@pytest.mark.parametrize(
    ("active", "settings", "words"),
    [
        ([0, 0], {}, "each once"),
        (0, {}, "sequence of whole numbers"),
        ([0.0], {}, "sequence of whole numbers"),
        ([True], {}, "sequence of whole numbers"),
        ([0, 1, 2], {}, "at most 2 directions"),
        ([3], {}, "counted from 0 to 2"),
        ([-1], {}, "counted from 0 to 2"),
        ([2], {"noise_variance": 1.0}, r"direction 2 has 0\.5"),
        ([0], {"noise_variance": 2.0, "beta": 2.0}, "above βσ² = 4"),
        ([0, 1], {"beta": 2.0}, r"β·\|A\| < d"),
    ],
)
def test_points_that_do_not_exist(active, settings, words):
    with pytest.raises(wp.SettingError, match=words):
        stationary_point(own.spectrum_of([4.0, 2.0, 0.5]), active, 2, **settings)


def test_a_spectrum_of_the_first_directions_keeps_the_rest_as_noise():
    """What the known eigenvalues leave of the total variance is the noise's."""
    whole = own.spectrum_of([5.0, 3.0, 1.0, 0.6, 0.4])
    first = models.Spectrum(
        whole.mean,
        whole.variances,
        whole.eigenvalues[:2],
        whole.eigenvectors[:, :2],
        whole.n_rows,
        complete=False,
    )
    for k in (1, 2):
        part, full = optimum(first, k), optimum(whole, k)
        assert part.noise_variance == pytest.approx(full.noise_variance, rel=1e-12)
        assert part.log_likelihood == pytest.approx(full.log_likelihood, rel=1e-12)
    with pytest.raises(wp.SettingError, match="the solver found 2"):
        stationary_point(first, [1], 2)
    assert first.left_over(2) == pytest.approx(2.0, rel=1e-12)
    assert whole.left_over(2) == pytest.approx(2.0, rel=1e-12)


def test_small_variance_left_over_keeps_its_digits():
    """1e-14 of the total: the total less the large eigenvalues would be rounding."""
    s = Covariance(np.zeros(4), np.diag([3.0, 1e-9, 7e-13, 3e-13]), n_rows=9)
    best = optimum(eigendecompose(s), 2)
    assert best.noise_variance == pytest.approx(5e-13, rel=1e-9, abs=0)


def test_the_jacobian_is_added_to_densities_alone():
    s = own.with_eigenvalues(SPECTRA[4])
    shifted = Covariance(s.mean, s.matrix, s.n_rows, log_det=7.5)
    plain, moved = optimum(eigendecompose(s), 2), optimum(eigendecompose(shifted), 2)
    assert moved.log_likelihood - plain.log_likelihood == pytest.approx(7.5, rel=1e-12)
    assert moved.elbo - plain.elbo == pytest.approx(7.5, rel=1e-12)
    assert moved.noise_variance == plain.noise_variance


def test_a_covariance_of_nothing_is_refused():
    with pytest.raises(wp.DataError, match="all 3 are constant over 5 rows"):
        eigendecompose(Covariance(np.zeros(3), np.zeros((3, 3)), n_rows=5))


def test_which_features_vary_is_told_from_the_rounding_of_their_mean():
    mean = np.array([1e6, 1e6, 1.0, 0.0, 0.0])
    variances = np.array([1e-2, 1e-20, 1e-28, 1e-300, 0.0])
    s = Covariance(mean, np.diag(variances), n_rows=9)
    assert s.varies.tolist() == [True, False, False, True, False]
    assert eigendecompose(s).varies.tolist() == [True, False, False, True, False]
    assert s.total_variance == pytest.approx(1e-2)


def test_the_rank_counts_eigenvalues_above_rounding():
    s = own.with_eigenvalues([3.0, 1.0, 1e-5, 0, 0])
    found = eigendecompose(s)
    assert found.rank == 3
    assert (found.eigenvalues >= 0).all()
    turned = found.eigenvectors * found.eigenvalues @ found.eigenvectors.T
    np.testing.assert_allclose(turned, s.matrix, atol=1e-14)
