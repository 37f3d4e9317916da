"""The example of the discussion, against quadrature."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from wellposed import experiments
from wellposed._errors import SettingError

PRECISIONS = np.array([0.05, 0.5, 0.6, 3.0, 400.0])


def elbo_by_quadrature(precision: float, scale: float, slope: float) -> float:
    """E_q[log p(0 | z) + log p(z) − log q(z)] with decoder mean μ(z) = slope·z."""
    q, noise = norm(0, scale), math.sqrt(0.5 / precision)

    def integrand(z: float) -> float:
        joint = norm.logpdf(0.0, slope * z, noise) + norm.logpdf(z)
        return q.pdf(z) * (joint - q.logpdf(z))

    return quad(integrand, -12 * scale, 12 * scale, epsabs=1e-12, limit=200)[0]


def test_the_closed_form_is_the_integral():
    scales = np.array([0.02, 0.4, 1.7])
    found = experiments.one_dimension(PRECISIONS, scales=scales)
    expected = [[elbo_by_quadrature(p, s, 1.0) for s in scales] for p in PRECISIONS]
    np.testing.assert_allclose(found.elbo, expected, rtol=1e-8)


def test_the_best_scale_is_where_a_search_finds_it():
    found = experiments.one_dimension(PRECISIONS)
    for precision, best, value in zip(PRECISIONS, found.best_scale, found.best_elbo, strict=True):
        search = minimize_scalar(
            lambda s, p=precision: -elbo_by_quadrature(p, s, 1.0),
            bounds=(best / 3, 3 * best),
            method="bounded",
            options={"xatol": 1e-6},
        )
        assert search.x == pytest.approx(best, rel=1e-3)
        assert -search.fun == pytest.approx(value, rel=1e-7)


def test_the_best_value_is_the_evidence_and_bounded():
    found = experiments.one_dimension(PRECISIONS)
    evidence = norm.logpdf(0.0, 0.0, np.sqrt(1 + 0.5 / PRECISIONS))
    np.testing.assert_allclose(found.best_elbo, evidence, rtol=1e-12)
    assert found.limit == pytest.approx(-0.9189385, abs=1e-7)
    assert (experiments.one_dimension(10.0 ** np.arange(-6, 15)).best_elbo <= found.limit).all()


def test_the_published_formula_is_undefined_or_worse():
    found = experiments.one_dimension(PRECISIONS)
    assert np.isnan(found.published_scale[:2]).all()
    assert (found.elbo_at_published_scale[2:] < found.best_elbo[2:]).all()
    assert found.published_scale[2] == pytest.approx((2 * 0.6 - 1) ** -0.5)


def test_a_constant_mean_has_no_bound():
    found = experiments.one_dimension(PRECISIONS)
    expected = [elbo_by_quadrature(p, 1.0, 0.0) for p in PRECISIONS]
    np.testing.assert_allclose(found.constant_mean, expected, rtol=1e-9, atol=1e-9)
    assert experiments.one_dimension(np.array([1e100])).constant_mean[0] > 100


def test_precisions_and_scales_must_be_positive():
    with pytest.raises(SettingError, match="precisions"):
        experiments.one_dimension(np.array([0.0]))
    with pytest.raises(SettingError, match="scales"):
        experiments.one_dimension(scales=np.array([-1.0]))
    with pytest.raises(SettingError, match=r"precisions must be a finite number > 0.*got inf"):
        experiments.one_dimension(np.inf)


def test_one_precision_is_a_row_of_one():
    found = experiments.one_dimension(3.0, scales=0.4)
    assert found.elbo.shape == (1, 1)
    assert found.elbo[0, 0] == experiments.one_dimension([3.0], scales=[0.4]).elbo[0, 0]
