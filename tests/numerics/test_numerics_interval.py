"""Probabilities of intervals against quadrature and differences of log Φ in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import log_ndtr

from once import once, over
from variants import slow_beside
from wellposed.numerics import log_normal_interval

MIDDLES = (0.0, 0.1, 1.0, 3.0, 10.0, 100.0, -0.3, -5.0, -50.0)
WIDTHS = (1e-6, 1e-3, 0.1, 0.5, 0.99, 1.01, 2.0, 3.9, 4.1, 10.0, 30.0)
CASES = [(m - w / 2, m + w / 2) for m in MIDDLES for w in WIDTHS]


def by_quadrature(low: float, high: float) -> float:
    """Integrate φ relative to its value at the end nearest to zero, where it is largest."""
    a, b = (-high, -low) if low + high > 0 else (low, high)
    top = min(b, 0.0)
    start = max(a, top - 40 / max(1.0, -top))  # beyond, the integrand is below exp(-700)
    # In t = x − top, so that a tail's b − a keeps its digits.
    area, _ = quad(
        lambda t: np.exp(-t * (0.5 * t + top)), start - top, b - top, epsrel=1e-12, epsabs=0
    )
    return -0.5 * top * top - 0.5 * np.log(2 * np.pi) + np.log(area)


def ends_in(dtype: str) -> tuple[jax.Array, jax.Array]:
    """Both ends of all cases, without those that round to one number."""
    low, high = np.asarray(CASES, dtype).T
    return jnp.asarray(low[low < high]), jnp.asarray(high[low < high])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_agree_with_quadrature(x64, dtype):
    low, high = ends_in(dtype)
    ours = once(log_normal_interval, low, high)
    assert ours.dtype == dtype
    expected = [by_quadrature(float(a), float(b)) for a, b in zip(low, high, strict=True)]
    tolerance = 3e-7 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(ours, expected, rtol=tolerance, atol=tolerance)


def test_values_agree_with_differences_where_those_are_good(x64):
    low, high = (
        np.array(ends) for ends in zip((-40.0, -3.0), (-9.0, 2.0), (-1.0, 0.5), strict=True)
    )
    expected = log_ndtr(high) + np.log1p(-np.exp(log_ndtr(low) - log_ndtr(high)))
    np.testing.assert_allclose(once(log_normal_interval, low, high), expected, rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_are_the_ratio_of_density_to_probability(x64, dtype):
    """∂/∂high = φ(high)/P and ∂/∂low = −φ(low)/P, in the tails and for tiny intervals."""
    low, high = ends_in(dtype)
    slopes = over(jax.grad(log_normal_interval, (0, 1)), low, high)
    for slope, end, sign in zip(slopes, (low, high), (-1, 1), strict=True):
        value = np.array(
            [by_quadrature(float(a), float(b)) for a, b in zip(low, high, strict=True)]
        )
        log_density = -0.5 * np.asarray(end, np.float64) ** 2 - 0.5 * np.log(2 * np.pi)
        tolerance = 3e-6 if dtype == "float32" else 1e-9
        np.testing.assert_allclose(
            slope, sign * np.exp(log_density - value), rtol=tolerance, atol=tolerance
        )


@pytest.mark.parametrize(
    ("low", "high"),
    [(-1e30, 1e30), (1e10, 2e10), (1e4, 1e4 + 1e-2), (3.0, 3.0), (1e-30, 2e-30), (-1e17, -1e16)],
)
def test_values_and_gradients_are_finite_in_float32(low, high):
    ends = jnp.float32(low), jnp.float32(high)
    assert np.isfinite(once(log_normal_interval, *ends))
    assert np.isfinite(jax.jit(jax.grad(log_normal_interval, (0, 1)))(*ends)).all()


def test_infinite_ends_are_tails():
    inf = jnp.inf
    low, high = jnp.array([-inf, -inf, 0.0, 40.0]), jnp.array([inf, 0.0, inf, inf])
    expected = [0.0, np.log(0.5), np.log(0.5), log_ndtr(-40.0)]
    np.testing.assert_allclose(once(log_normal_interval, low, high), expected, rtol=1e-6)
    for slope in over(jax.grad(log_normal_interval, (0, 1)), low, high):
        assert np.isfinite(slope).all()


def test_a_line_cut_into_levels_has_probability_one(x64):
    edges = jnp.concatenate([jnp.array([-jnp.inf]), jnp.linspace(-6, 9, 40), jnp.array([jnp.inf])])
    total = jnp.exp(once(log_normal_interval, edges[:-1], edges[1:])).sum()
    assert float(total) == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize("dtype", slow_beside(["float32", "float64"], ["float32"]))
def test_no_interval_falls_into_a_hole_of_the_tails(x64, dtype):
    """Ends on a fine grid: JAX's erfcx is zero around 13 in float32, around 37.6 in float64."""
    end = jnp.linspace(8.0, 42.0, 20_001, dtype=dtype)
    for width in (0.5, 3.0, jnp.inf):
        value = once(log_normal_interval, end, end + width)
        exact_end = np.asarray(end, np.float64)
        expected = log_ndtr(-exact_end)
        if np.isfinite(width):
            expected += np.log(-np.expm1(log_ndtr(-exact_end - width) - expected))
        np.testing.assert_allclose(value, expected, rtol=3e-6 if dtype == "float32" else 1e-12)
    slope = jax.jit(jax.grad(lambda low: log_normal_interval(low, low + 3.0).sum()))(end)
    assert np.isfinite(slope).all()
