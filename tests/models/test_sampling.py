"""Draws against the exact density of a linear-Gaussian model."""

import jax
import numpy as np
import pytest

from linear_gaussian import exact_model
from wellposed import evaluation, models

N = 40_000


def draws(model, how, **arguments):
    arguments = {"alpha": 1.0, "key": jax.random.key(0), **arguments}
    return evaluation.samples(model, N, how=how, **arguments).astype(np.float64)


def close(found, expected):
    """Covariances within five standard errors of an estimate from N draws."""
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    return np.abs(np.cov(found.T) - expected).max() < 5 * np.sqrt(2 / N) * scale.max()


def test_ancestral_draws_are_from_the_marginal_and_means_lack_the_noise():
    variance = 0.3
    model, density = exact_model(variance=variance)
    assert close(draws(model, "ancestral"), density.cov)
    without = density.cov - variance * np.eye(5)
    assert close(draws(model, "mean"), without)
    assert not close(draws(model, "mean"), density.cov)
    np.testing.assert_allclose(draws(model, "ancestral").mean(0), density.mean, atol=0.06)


@pytest.mark.parametrize("alpha", [-1.0, 0.5])
def test_coupled_draws_are_the_means_moved_by_alpha_sigma(alpha):
    model, _ = exact_model(variance=0.3)
    moved = draws(model, "coupled", alpha=alpha) - draws(model, "mean")
    np.testing.assert_allclose(moved, alpha * np.sqrt(0.3), rtol=1e-4, atol=1e-5)


def test_no_draw_repeats_across_chunks():
    model, _ = exact_model()
    found = evaluation.samples(model, 600, how="ancestral", alpha=1.0, key=jax.random.key(0))
    assert len(np.unique(found[:, 0])) == 600
    assert set(models.SAMPLERS) == {"ancestral", "mean", "coupled"}
