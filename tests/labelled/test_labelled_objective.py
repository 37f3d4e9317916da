"""The objective of few labels: exact sums over classes, and the weight of a label."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy.integrate import quad
from scipy.stats import norm

from labelled.oracle import (
    LOG_PRIOR,
    C,
    D,
    draw,
    exact_model,
    log_density,
    log_joint,
    random_model,
    vae,
    with_labels,
)
from wellposed.models.labelled import FirstStage, LabelledVAE, RealLabel
from wellposed.nn import Linear, MakeConvEncoder, MakeMLP, make_with_given
from wellposed.objectives import LabelledELBO, elbo_terms, labelled_terms
from wellposed.training._epoch import batch_mean

pytestmark = pytest.mark.usefixtures("x64")
X, Y = draw(9)
ROWS = jnp.asarray(with_labels(X, Y, 4))


@eqx.filter_jit
def terms_of(model, rows, keys):
    return jax.vmap(lambda row, key: labelled_terms(model, row, key=key))(rows, keys)


def per_row(model, rows):
    return terms_of(model, rows, jax.random.split(jax.random.key(0), len(rows)))


@eqx.filter_jit
def log_q(model, row, key):
    return model.log_q(row[:-1], row[-1], key=key)


@eqx.filter_jit
def bound_of(vae, x, key):
    return elbo_terms(vae, x, key=key)


bound_of_row = eqx.filter_jit(lambda model, row, key: labelled_terms(model, row, key=key))


def test_the_sum_over_classes_is_exact():
    model = random_model()
    found = per_row(model, ROWS).elbo
    keys = jax.random.split(jax.random.key(0), len(ROWS))
    for row, key, got in zip(np.asarray(ROWS), keys, np.asarray(found), strict=True):
        x, label = jnp.asarray(row[:-1]), row[-1]
        own = jax.random.split(key)[1]
        logits = np.asarray(model.classifier(x))
        log_q = logits - np.log(np.exp(logits).sum())
        bounds = [
            float(bound_of(model.vae.at(jnp.eye(C)[c]), x, own).elbo) + LOG_PRIOR[c]
            for c in range(C)
        ]
        known = bounds if np.isnan(label) else None
        expected = np.exp(log_q) @ (np.asarray(known) - log_q) if known else bounds[int(label)]
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_the_decoder_never_gets_probabilities():
    """A bound at the mean of y is not the mean of the bounds."""
    model, x = random_model(), jnp.asarray(X[0])
    q = jax.nn.softmax(model.classifier(x))
    key = jax.random.key(0)
    mixed = bound_of(model.vae.at(q), x, key).log_likelihood
    found = bound_of_row(model, jnp.append(x, jnp.nan), key).log_likelihood
    assert abs(found - mixed) > 1e-3


def test_at_the_exact_posteriors_the_bounds_are_the_exact_log_densities():
    x, y = draw(4_000)
    rows = with_labels(x, y, 2_000)
    gap = np.asarray(per_row(exact_model(), rows).elbo)
    gap = gap - np.where(np.isnan(rows[:, -1]), log_density(x), log_joint(x)[np.arange(4_000), y])
    for part in (gap[:2_000], gap[2_000:]):
        assert abs(part.mean()) < 4 * part.std() / np.sqrt(len(part))
        assert part.std() < 2  # the draw of z alone; a wrong posterior adds nats


def test_hidden_labels_change_nothing():
    """The function sees x and NaN: no label of such a row is in the data at all."""
    known = per_row(random_model(), ROWS).elbo
    other = ROWS.at[:4, -1].set((ROWS[:4, -1] + 1) % C)
    changed = per_row(random_model(), other).elbo
    np.testing.assert_array_equal(known[4:], changed[4:])
    assert (known[:4] != changed[:4]).all()


def objective(places=(0, 1, 2, 3), n_rows=9, **options):
    return LabelledELBO.of(np.array(places), alpha=2.0, n_rows=n_rows, **options)


def total(model, data, weight):
    """J over the number of rows, as the docstring has it."""
    bounds = per_row(model, data).elbo.mean()
    keys = jax.random.split(jax.random.key(5), 4)
    each = [log_q(model, row, key) for row, key in zip(data, keys, strict=False)]
    return bounds + weight * jnp.stack(each).sum() / len(data)


@eqx.filter_jit
def beside(goal, model, data):
    return goal.beside(model, data, key=jax.random.key(1))


def test_a_step_adds_alpha_for_each_label_whatever_the_number_of_rows():
    model = random_model()
    mean_log_q = float(np.mean([log_q(model, row, jax.random.key(0)) for row in ROWS[:4]]))
    for times in (1, 3):
        data = jnp.tile(ROWS, (times, 1)).at[9:, -1].set(jnp.nan)
        added = beside(objective(n_rows=9 * times), model, data)
        np.testing.assert_allclose(9 * times * added, 2.0 * 4 * mean_log_q, rtol=1e-12)


def test_the_expected_gradient_of_a_step_is_that_of_the_sum():
    """A step draws two of four labels, and here sees all rows; the padding is never drawn."""
    model = random_model()
    data = jnp.concatenate([ROWS, jnp.full((2, D + 1), 1e3)])
    drawn = objective(n_drawn=2)
    params, fixed = eqx.partition(model, eqx.is_inexact_array)

    def step(params, key):
        model = eqx.combine(params, fixed)
        return drawn.beside(model, data, key=key)

    def exact(params):
        model = eqx.combine(params, fixed)
        return total(model, ROWS, 2.0) - per_row(model, ROWS).elbo.mean()

    keys = jax.random.split(jax.random.key(3), 2_000)
    one = jax.jit(jax.vmap(lambda key: ravel_pytree(jax.grad(step)(params, key))[0]))
    slopes = np.asarray(one(keys))
    expected = np.asarray(ravel_pytree(jax.jit(jax.grad(exact))(params))[0])
    error = slopes.std(axis=0) / np.sqrt(len(slopes))
    assert (np.abs(slopes.mean(axis=0) - expected) < 5 * error + 1e-12).all()
    assert np.abs(expected).max() > 0.05


def test_batches_of_equal_size_have_the_mean_of_the_rows():
    model, goal = random_model(), objective()
    weight = jnp.ones(len(ROWS))
    rows = jnp.arange(len(ROWS))
    mean = eqx.filter_jit(batch_mean)
    value, _ = mean(model, ROWS, rows, weight, goal, 1.0, key=jax.random.key(0))
    np.testing.assert_allclose(value, per_row(model, ROWS).elbo.mean(), rtol=1e-12)


def test_labels_of_more_weight_count_for_more():
    model, weights = random_model(), np.array([2.0, 1.0, 1.0, 0.0])
    each = [float(log_q(model, row, jax.random.key(0))) for row in ROWS[:4]]
    added = beside(objective(weights=weights), model, ROWS)
    np.testing.assert_allclose(9 * added, 2.0 * weights @ np.array(each), rtol=1e-12)


def test_the_bounds_of_labelled_rows_are_trained():
    model = random_model()
    params, fixed = eqx.partition(model, eqx.is_inexact_array)

    def bound(params, row):
        return labelled_terms(eqx.combine(params, fixed), row, key=jax.random.key(0)).elbo

    slope = jax.jit(jax.grad(bound))(params, ROWS[0])
    assert float(jnp.abs(slope.vae.decoder.layers[0].weight[2 + int(Y[0])]).sum()) > 0
    others = np.delete(np.arange(C), int(Y[0])) + 2
    np.testing.assert_array_equal(slope.vae.decoder.layers[0].weight[others], 0.0)
    np.testing.assert_array_equal(slope.classifier.layers[0].weight, 0.0)


def test_certain_and_impossible_classes_have_finite_gradients():
    """Logits of ±10⁴: probabilities are zero and one, and 0 · log 0 is zero."""
    model = random_model()
    steep = eqx.tree_at(
        lambda m: m.classifier, model, Linear(jnp.zeros((D, C)), jnp.array([1e4, 0.0, -1e4]))
    )
    params, fixed = eqx.partition(steep, eqx.is_inexact_array)

    def value(params, row):
        m = eqx.combine(params, fixed)
        bound = labelled_terms(m, row, key=jax.random.key(0)).elbo
        return bound + m.log_q(row[:-1], jnp.asarray(1.0), key=jax.random.key(0))

    both = jax.jit(jax.value_and_grad(value))
    for row in (ROWS[0], ROWS[8]):
        found, slope = both(params, row)
        assert np.isfinite(found)
        assert np.isfinite(ravel_pytree(slope)[0]).all()


def real_model() -> LabelledVAE:
    keys = jax.random.split(jax.random.key(4), 3)
    return LabelledVAE(
        vae(
            MakeMLP((7,), "tanh")(D + 1, 4, key=keys[0]),
            MakeMLP((5,), "tanh")(2 + 1, D, key=keys[1]),
            2,
        ),
        Linear(0.2 * jnp.ones((D, 2)), jnp.array([0.3, -1.0])),
        RealLabel.of_quadrature(),
    )


@pytest.mark.slow
def test_the_expectation_over_a_real_label_is_its_integral():
    model, x, key = real_model(), jnp.asarray(X[0]), jax.random.key(0)
    own = jax.random.split(key)[1]
    mean, scale = (float(m) for m in model.labels.moments(model.classifier(x)))

    def integrand(y):
        log_p = float(bound_of(model.vae.at(jnp.array([y])), x, own).elbo)
        density = norm(mean, scale)
        return density.pdf(y) * (log_p + norm.logpdf(y) - density.logpdf(y))

    expected = quad(integrand, mean - 8 * scale, mean + 8 * scale, epsabs=1e-8)[0]
    found = labelled_terms(model, jnp.append(x, jnp.nan), key=key).elbo
    np.testing.assert_allclose(found, expected, atol=2e-4)
    known = labelled_terms(model, jnp.append(x, 0.7), key=key).elbo
    exact = elbo_terms(model.vae.at(jnp.array([0.7])), x, key=own).elbo + norm.logpdf(0.7)
    np.testing.assert_allclose(known, exact, rtol=1e-10)


def test_a_second_stage_sees_a_fresh_draw_of_the_latents_that_are_kept():
    first = FirstStage(random_model(1, k=6).vae.at(jnp.eye(C)[0]), jnp.array([5, 0, 2, 3]))
    model = eqx.tree_at(lambda m: m.first, random_model(), first, is_leaf=lambda m: m is None)
    x = jnp.asarray(X[0])
    keys = jax.random.split(jax.random.key(0), 4_000)
    draws = jax.jit(jax.vmap(lambda key: model.data_of(x, key=key)))(keys)
    q = first.model.encode(x)
    np.testing.assert_allclose(draws.mean(axis=0), q.loc[first.kept], atol=0.1)
    np.testing.assert_allclose(draws.std(axis=0), q.scale[first.kept], rtol=0.06)
    values = [bound_of_row(model, ROWS[0], key).elbo for key in keys[:5]]
    assert len(set(map(float, values))) == 5


@pytest.mark.parametrize(
    "make",
    [
        MakeMLP((6, 5), "silu"),
        MakeMLP(()),
        pytest.param(MakeConvEncoder((8, 8)), marks=pytest.mark.slow),
    ],
)
def test_the_sum_of_both_parts_of_a_first_layer_is_the_layer(make):
    net = make_with_given(make, 64, 3, 5, key=jax.random.key(0))
    x, given = jnp.linspace(-1, 1, 64), jnp.array([0.5, -1.0, 2.0])
    np.testing.assert_allclose(net.of_parts(x, given), net(jnp.append(x, given)), rtol=1e-10)
