"""The mixture of probabilistic PCAs of rows with gaps."""

import numpy as np
import pytest
import scipy.optimize

import wellposed as wp
from wellposed import models, training
from wellposed.models import gaps


def clusters(n=240, share=0.3, seed=0):
    rng = np.random.default_rng(seed)
    of = rng.integers(0, 2, n)
    loadings, centres = rng.normal(size=(2, 1, 4)), np.array([[0.0] * 4, [6.0, -5.0, 5.0, 4.0]])
    z = rng.normal(size=(n, 1, 1))
    rows = centres[of] + (z @ loadings[of])[:, 0] + rng.normal(size=(n, 4)) * 0.7
    gappy = np.where(rng.random(rows.shape) < share, np.nan, rows)
    return gappy, rows, np.eye(2)[of]


GAPPY, COMPLETE, SHARES = clusters()
START = training.mixture_of(COMPLETE, SHARES, 1, 0.0)


def test_the_likelihood_never_falls_and_is_stationary():
    fit = gaps.mixture(GAPPY, START, tol=1e-13)
    assert fit.converged
    assert (np.diff(fit.objective) > -1e-11).all()
    assert fit.objective[-1] == pytest.approx(fit.model.log_density(GAPPY).mean(), rel=1e-12)

    def value(p):
        model = models.MixturePPCAModel(
            p[:2] - np.logaddexp.reduce(p[:2]),
            p[2:10].reshape(2, 4),
            p[10:18].reshape(2, 4, 1),
            np.exp(p[18:]),
        )
        return model.log_density(GAPPY).mean()

    model = fit.model
    parts = (model.log_weights, model.mean, model.weight, np.log(model.noise_variance))
    slope = scipy.optimize.approx_fprime(np.concatenate([p.ravel() for p in parts]), value, 1e-6)
    np.testing.assert_allclose(slope, 0.0, atol=1e-5)


def test_complete_rows_have_the_maximum_of_the_closed_form():
    plan = training.LinearPlan(None, 1.0, 0.0, 1_000, 1e-14)
    expected = training.mixture_em(COMPLETE, START, plan, progress=False)
    fit = gaps.mixture(COMPLETE, START, tol=1e-13)
    assert fit.objective[-1] == pytest.approx(expected.objective[-1], abs=1e-8)
    np.testing.assert_allclose(fit.model.weight, expected.model.weight, atol=1e-4)
    np.testing.assert_allclose(fit.model.noise_variance, expected.model.noise_variance, rtol=1e-4)


def test_one_component_is_probabilistic_pca():
    start = training.mixture_of(COMPLETE, np.ones((len(COMPLETE), 1)), 2, 0.0)
    fit = gaps.mixture(GAPPY, start, tol=1e-12)
    ppca = gaps.factor_analysis(GAPPY, 2, one_variance=True)
    assert fit.objective[-1] == pytest.approx(ppca.log_likelihood, abs=1e-8)


def test_a_component_without_rows_is_removed():
    far = models.MixturePPCAModel(
        np.log([0.4, 0.4, 0.2]),
        np.vstack([START.mean, np.full(4, 1e3)]),
        np.concatenate([START.weight, START.weight[:1]]),
        np.append(START.noise_variance, 1.0),
    )
    fit = gaps.mixture(GAPPY, far, fewest=3.0)
    assert len(fit.model.log_weights) == 2
    expected = gaps.mixture(GAPPY, START).objective[-1]
    assert fit.objective[-1] == pytest.approx(expected, abs=1e-6)


def test_noise_without_a_floor_that_vanishes_is_refused():
    rows = np.vstack([GAPPY, np.tile([50.0, 50.0, 50.0, 50.0], (8, 1))])
    start = models.MixturePPCAModel(
        np.log([0.5, 0.5]),
        np.array([[0.0] * 4, [50.0] * 4]),
        np.stack([START.weight[0]] * 2),
        np.ones(2),
    )
    with pytest.raises(wp.UnboundedLikelihoodError, match="1 of 2 components"):
        gaps.mixture(rows, start)
    floored = gaps.mixture(rows, start, floor=0.01).model
    assert floored.noise_variance.min() == pytest.approx(1e-4)
