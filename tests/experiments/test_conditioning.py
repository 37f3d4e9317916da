"""Curvature at collapsed latents: formulas against automatic differentiation, and the claim."""

import io

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from wellposed import datasets, evaluation, experiments, models
from wellposed._errors import DataError, SettingError

D, K = 4, 2
ROWS = np.random.default_rng(3).normal(size=(50, D)) @ np.diag([2.0, 1.2, 0.7, 0.3])
SPECTRUM = evaluation.spectrum(ROWS, evaluation.IDENTITY)
COVARIANCE = np.cov(ROWS.T, bias=True)
CASES = [(active, beta) for active in ((), (0,), (1,)) for beta in (1.0, 0.6)]
GRID = (1.1, 0.5, 0.02)  # below the second eigenvalue over β, above and below the last


def best_model(active, variance, beta):
    """The linear VAE at the stationary point; a collapsed latent comes last."""
    point = models.stationary_point(SPECTRUM, active, K, noise_variance=variance, beta=beta)
    return models.with_best_encoder(
        models.LinearVAEModel(
            mean=jnp.asarray(point.model.mean),
            weight=jnp.asarray(point.model.weight),
            encoder=jnp.zeros((K, D)),
            variance=jnp.ones(K),
            noise_variance=jnp.asarray(variance),
        ),
        beta=beta,
    )


def joint_hessian(model, beta):
    """Gradient and Hessian in (W, V, D), coordinates sorted by latent: shape (K, 2D+1) each way."""
    latents = [model.weight.T, model.encoder, model.variance[:, None]]
    flat, unravel = ravel_pytree(jnp.concatenate(latents, axis=1))

    def value(x):
        rows = unravel(x)
        parts = (rows[:, :D].T, rows[:, D : 2 * D], rows[:, -1])
        moved = eqx.tree_at(lambda m: (m.weight, m.encoder, m.variance), model, parts)
        return moved.elbo(jnp.asarray(COVARIANCE), beta=beta)

    return np.asarray(jax.jit(jax.grad(value))(flat)), np.asarray(jax.jit(jax.hessian(value))(flat))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("active", "beta"), CASES)
def test_the_joint_spectrum_is_that_of_automatic_differentiation(active, beta):
    found = experiments.conditioning(ROWS, K, active=active, noise_variances=GRID, beta=beta)
    start = len(active) * (2 * D + 1)
    for variance, expected in zip(GRID, found.joint.values, strict=True):
        gradient, hessian = joint_hessian(best_model(active, variance, beta), beta)
        np.testing.assert_allclose(gradient, 0, atol=1e-10)
        np.testing.assert_allclose(hessian[start:, :start], 0, atol=1e-10)
        spectrum = np.linalg.eigvalsh(hessian[start:, start:])
        expected = np.sort(np.tile(expected, found.n_collapsed))
        np.testing.assert_allclose(spectrum, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("active", "beta"), CASES)
def test_the_profile_is_that_of_automatic_differentiation(active, beta):
    found = experiments.conditioning(ROWS, K, active=active, noise_variances=GRID, beta=beta)
    start = len(active) * D
    for variance, expected in zip(GRID, found.profile.values, strict=True):
        model = best_model(active, variance, beta)

        def value(flat, model=model):
            moved = eqx.tree_at(lambda m: m.weight, model, flat.reshape(K, D).T)
            best = models.with_best_encoder(moved, beta=beta)
            return best.elbo(jnp.asarray(COVARIANCE), beta=beta)

        hessian = np.asarray(jax.jit(jax.hessian(value))(model.weight.T.ravel()))
        np.testing.assert_allclose(hessian[start:, :start], 0, atol=1e-9)
        spectrum = np.linalg.eigvalsh(hessian[start:, start:])
        expected = np.sort(np.tile(expected, found.n_collapsed))
        np.testing.assert_allclose(spectrum, expected, rtol=1e-9, atol=1e-9)


def test_both_count_the_eigenvalues_above_the_threshold(digits):
    found = experiments.conditioning(digits, 10, beta=2.0)
    threshold = 2.0 * found.noise_variances[:, None]
    above = (found.eigenvalues > threshold).sum(axis=1)
    clear = (np.abs(found.eigenvalues / threshold - 1.0) > 1e-9).all(axis=1)
    assert above[0] == 0
    assert above[-1] > 50
    assert clear.sum() >= len(clear) - 2  # the grid has an eigenvalue over β itself
    np.testing.assert_array_equal(found.joint.n_ascent[clear], above[clear])
    np.testing.assert_array_equal(found.profile.n_ascent[clear], above[clear])


def test_unused_directions_curve_as_the_stationary_point_says():
    found = experiments.conditioning(ROWS, K, active=(1,), noise_variances=[0.3], beta=0.8)
    point = models.stationary_point(SPECTRUM, (1,), K, noise_variance=0.3, beta=0.8)
    unused = [0, 2, 3]
    expected = point.curvature[unused]
    np.testing.assert_allclose(found.profile.values[0, unused], expected, rtol=1e-12)


def check_claim(found):
    """In which sense the conditioning improves as σ² falls, and in which it does not."""
    assert (np.diff(found.noise_variances) < 0).all()
    leads = found.profile.n_ascent > 0
    for curvatures in (found.joint, found.profile):
        assert (np.diff(curvatures.n_ascent) >= 0).all()
        assert (np.diff(curvatures.steepest_ascent[leads]) > 0).all()
        assert (np.diff(curvatures.ascent_share) >= -1e-12).all()
        assert curvatures.condition[-1] > 10 * curvatures.condition[0]
    leading = found.leading_condition[np.isfinite(found.leading_condition)]
    assert (np.diff(leading) < 0).all()
    limit = found.eigenvalues[0] / found.eigenvalues[found.n_components - 1]
    assert leading[-1] == pytest.approx(limit, rel=0.01)


def test_the_claim_on_digits(digits):
    check_claim(experiments.conditioning(digits, 10))
    far = experiments.conditioning(digits, 10, noise_variances=[1e9])
    assert far.profile.condition[0] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.slow
def test_the_claim_on_mnist(shared_data):
    images = datasets.read(shared_data("mnist/train-images-idx3-ubyte.gz")).values / 255
    check_claim(experiments.conditioning(images, 50))
    ladder = (3, 1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
    found = experiments.conditioning(images, 50, noise_variances=ladder)
    assert found.joint.n_ascent.tolist() == [3, 12, 35, 69, 136, 251, 404, 487]


def test_units_change_the_joint_condition_alone():
    one = experiments.conditioning(ROWS, K, noise_variances=GRID)
    hundred = experiments.conditioning(100 * ROWS, K, noise_variances=np.multiply(GRID, 1e4))
    np.testing.assert_array_equal(one.joint.n_ascent, hundred.joint.n_ascent)
    np.testing.assert_allclose(one.profile.condition, hundred.profile.condition, rtol=1e-8)
    assert (hundred.joint.condition > 100 * one.joint.condition).all()


def test_flat_directions_leave_the_condition_finite():
    rows = np.pad(ROWS, ((0, 0), (0, 1)))  # a feature that never varies
    meets = float(SPECTRUM.eigenvalues[1])
    found = experiments.conditioning(rows, K, noise_variances=[0.5, meets])
    assert (found.joint.values[0] == 0).sum() == 1
    assert (found.profile.values[1] == 0).sum() == 1
    assert np.isfinite([found.joint.condition, found.profile.condition]).all()
    assert found.joint.condition.max() < 1e6


def test_without_a_way_up_there_is_no_ascent():
    found = experiments.conditioning(ROWS, K, noise_variances=[100.0])
    assert np.isnan(found.joint.steepest_ascent[0])
    assert found.joint.ascent_share[0] == 0
    assert found.leading_condition[0] == np.inf
    expected = (SPECTRUM.eigenvalues[0] / 100 - 1) / 100
    assert found.profile.gentlest_descent[0] == pytest.approx(expected)
    assert found.joint.gentlest_descent[0] == found.joint.values.max() < 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"active": (0, 1)}, "n_components > 2"),
        ({"noise_variances": [1.0, 0.0]}, "noise_variances must be a finite number > 0"),
        ({"noise_variances": [[1.0]]}, "noise_variances must be a finite number > 0"),
        ({"beta": 0}, "beta must be a finite number > 0.*got 0"),
        ({"beta": float("nan")}, "beta must be a finite number > 0"),
        ({"n_components": "a"}, "n_components must be a whole number.*got 'a'"),
        ({"active": ("a",)}, "active must be a whole number"),
        ({"active": (-1,)}, "active must be a whole number"),
        ({"active": (0,), "noise_variances": [50.0]}, "eigenvalue above"),
        ({"active": (9,)}, "counted from 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        experiments.conditioning(ROWS, **{"n_components": K} | settings)


def test_single_numbers_are_rows_of_one():
    found = experiments.conditioning(ROWS, K, active=0, noise_variances=0.5)
    expected = experiments.conditioning(ROWS, K, active=(0,), noise_variances=[0.5])
    np.testing.assert_array_equal(found.joint.values, expected.joint.values)


def test_data_must_be_a_finite_table():
    with pytest.raises(DataError, match="finite table"):
        experiments.conditioning(np.full((3, 2), np.nan), 1)
    for rows in ([["a", "b"]], [[1.0, 2.0], [3.0]], None):
        with pytest.raises(DataError, match="finite table"):
            experiments.conditioning(rows, 1)


@pytest.mark.parametrize("active", [(), (0,)])
def test_the_figure_shows_the_record(active):
    found = experiments.conditioning(ROWS, K, active=active)
    figure = experiments.conditioning_figure(found)
    left, right = figure.axes
    np.testing.assert_array_equal(left.lines[0].get_ydata(), found.profile.n_ascent)
    np.testing.assert_array_equal(right.lines[0].get_ydata(), found.joint.condition)
    assert left.get_xlim()[0] > left.get_xlim()[1]
    figure.savefig(io.BytesIO(), format="png", dpi=40)  # a layout that collapses would warn
