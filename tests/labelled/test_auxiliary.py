"""The objective with an auxiliary variable a: expectations over a, z and y, and their gradients."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy.special import log_softmax, logsumexp
from scipy.stats import norm

from labelled.oracle import (
    LOG_PRIOR,
    VARIANCE,
    C,
    D,
    auxiliary_model,
    draw,
    exact_model,
    idle_auxiliary_model,
    log_joint,
    with_labels,
)
from wellposed.estimators.few_labels import measures
from wellposed.objectives import LabelledELBO, labelled_terms

pytestmark = pytest.mark.usefixtures("x64")
X, Y = draw(9)
ROWS = jnp.asarray(with_labels(X, Y, 4))
KNOWN, UNKNOWN = ROWS[0], ROWS[8]
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(30)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def elbo(model, row, key):
    return labelled_terms(model, row, key=key).elbo


@eqx.filter_jit
def at_keys(model, row, keys):
    return jax.vmap(lambda key: elbo(model, row, key))(keys)


def bounds(model, row, n):
    return np.asarray(at_keys(model, row, jax.random.split(jax.random.key(0), n)))


@eqx.filter_jit
def mapped(network, rows):
    return jax.vmap(network)(rows)


def at_rows(network, *columns):
    """Outputs of a network at rows of numbers, which may be arrays of equal length."""
    wide = np.broadcast_arrays(*(np.asarray(c, float) for c in columns))
    return np.asarray(mapped(network, np.stack(wide, axis=1)))


def normal(raw) -> Any:
    """A Gaussian with its mean and raw scale, by the equation."""
    return norm(raw[:, 0], np.logaddexp(0, raw[:, 1] + np.log(np.e - 1)))


def integrands(model, x):
    """At nodes of a: log q(y | x, a), and E_q(z | x, y, a) of the logarithm of all but q(y | x, a).

    Both of shape (nodes, C), from the equations of the model.
    """
    encoder, n = model.vae.encoder, len(NODES)
    of_a = normal(at_rows(encoder.first, *x[:, None]))
    a = of_a.mean() + of_a.std() * NODES
    log_q = log_softmax(at_rows(model.classifier, *x[:, None], a), axis=1)
    inner = np.empty((n, C))
    for c, y in enumerate(np.eye(C)):
        of_z = normal(at_rows(encoder.second, *x[:, None], *y[:, None], a))
        z = of_z.mean()[:, None] + of_z.std()[:, None] * NODES
        flat, again = z.ravel(), np.repeat(a, n)
        mean = at_rows(model.vae.decoder, flat, *y[:, None])
        value = norm.logpdf(x, mean, np.sqrt(VARIANCE)).sum(axis=1)
        value += normal(at_rows(model.auxiliary, *x[:, None], *y[:, None], flat)).logpdf(again)
        value += norm.logpdf(flat) + LOG_PRIOR[c] - of_a.logpdf(again)
        value -= norm.logpdf(flat, np.repeat(of_z.mean(), n), np.repeat(of_z.std(), n))
        inner[:, c] = value.reshape(n, n) @ WEIGHTS
    return log_q, inner


@pytest.mark.parametrize("row", [KNOWN, UNKNOWN], ids=["known", "unknown"])
def test_the_bound_is_its_integral_over_a_and_z_and_its_sum_over_y(row):
    model = auxiliary_model()
    log_q, inner = integrands(model, np.asarray(row[:-1]))
    sums = (np.exp(log_q) * (inner - log_q)).sum(axis=1)
    exact = WEIGHTS @ (sums if np.isnan(row[-1]) else inner[:, int(row[-1])])
    found = bounds(model, row, 30_000)
    error = found.std() / np.sqrt(len(found))
    assert abs(found.mean() - exact) < 4 * error
    assert error < 0.04


def test_a_moves_the_classes_and_the_latents():
    """So that the integrals of the test before this one are over what depends on a."""
    log_q, inner = integrands(auxiliary_model(), X[0])
    middle = np.abs(NODES) < 2
    assert np.ptp(log_q[middle], axis=0).max() > 0.3
    assert np.ptp(inner[middle], axis=0).max() > 0.3


def test_without_use_of_a_the_bound_is_that_of_the_model_without_it():
    one, other = idle_auxiliary_model(), exact_model()
    for row in (KNOWN, UNKNOWN):
        np.testing.assert_allclose(bounds(one, row, 20), bounds(other, row, 20), rtol=1e-10)
    label = jnp.asarray(1.0)
    log_q = eqx.filter_jit(lambda m: m.log_q(KNOWN[:-1], label, key=jax.random.key(3)))
    found, exact = log_q(one), log_q(other)
    np.testing.assert_allclose(found, exact, rtol=1e-12)


def posteriors(model):
    return model.vae.encoder, model.classifier, model.auxiliary


@eqx.filter_jit
def slopes_of_posteriors(model, row, keys):
    def value(networks, key):
        return elbo(eqx.tree_at(posteriors, model, networks), row, key)

    return jax.vmap(lambda key: ravel_pytree(jax.grad(value)(posteriors(model), key))[0])(keys)


@pytest.mark.parametrize("row", [KNOWN, UNKNOWN], ids=["known", "unknown"])
def test_at_the_exact_posteriors_no_expected_gradient_of_their_networks_is_left(row):
    keys = jax.random.split(jax.random.key(4), 4_000)
    slopes = np.asarray(slopes_of_posteriors(idle_auxiliary_model(), row, keys))
    error = slopes.std(axis=0) / np.sqrt(len(slopes))
    assert (np.abs(slopes.mean(axis=0)) < 5 * error + 1e-9).all()
    assert slopes.std(axis=0).max() > 0.1


def test_of_a_row_with_a_label_all_networks_are_trained_but_the_classifier():
    model = auxiliary_model()
    slope = eqx.filter_jit(eqx.filter_grad(elbo))(model, KNOWN, jax.random.key(0))
    for network in (slope.vae.encoder.first, slope.vae.encoder.second, slope.auxiliary):
        assert float(jnp.abs(network.layers[0].weight).max()) > 1e-4
    np.testing.assert_array_equal(slope.classifier.layers[0].weight, 0.0)
    others = np.delete(np.arange(C), int(Y[0]))
    np.testing.assert_array_equal(slope.auxiliary.layers[0].weight[D + others], 0.0)


def test_a_step_has_the_expected_log_probability_of_each_label():
    """E over q(a | x) of log q(y | x, a), by quadrature."""
    model, goal = auxiliary_model(), LabelledELBO.of(np.arange(4), alpha=2.0, n_rows=9)
    exact = [WEIGHTS @ integrands(model, x)[0][:, y] for x, y in zip(X[:4], Y, strict=False)]
    keys = jax.random.split(jax.random.key(1), 4_000)
    found = np.asarray(jax.jit(jax.vmap(lambda key: goal.beside(model, ROWS, key=key)))(keys))
    error = found.std() / np.sqrt(len(found))
    assert abs(found.mean() - 2.0 * np.sum(exact) / 9) < 4 * error
    assert found.std() > 1e-3


def test_the_density_is_that_of_the_model_without_a():
    """p(a | x, y, z) integrates to one, and the networks of a are no part of p(x, y)."""
    model = auxiliary_model(decoder=exact_model().vae.decoder)
    found = measures.log_joint(
        model, X, np.arange(C, dtype=float), n_samples=8, key=jax.random.key(0)
    )
    np.testing.assert_allclose(found, log_joint(X), rtol=1e-9)


def test_the_bound_is_below_the_density():
    model = auxiliary_model(decoder=exact_model().vae.decoder)
    for row, each in zip((KNOWN, UNKNOWN), log_joint(X)[[0, 8]], strict=True):
        top = logsumexp(each) if np.isnan(row[-1]) else each[int(row[-1])]
        assert bounds(model, row, 500).mean() < top
