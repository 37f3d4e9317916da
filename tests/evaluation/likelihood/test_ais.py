"""Annealing: weights without bias in both directions, errors that cover, and a closing gap."""

import jax
import numpy as np
import pytest

import wellposed as wp
from linear_gaussian import exact_model, rows_of, with_mixture
from variants import slow_beside
from wellposed import evaluation

KEY = jax.random.key(0)
STEPS = {"fitted": 2, "posterior": 10, "prior": 20}


def unbiased(log_ratio: np.ndarray) -> bool:
    """Whether the mean of exp(log_ratio) is one, within four standard errors."""
    ratio = np.exp(np.asarray(log_ratio, np.float64))
    return bool(abs(ratio.mean() - 1) < 4 * ratio.std() / np.sqrt(len(ratio)))


def walked(n_data: int, start: str, n_steps: int):
    model, density = exact_model(spread=2.0)
    found = evaluation.sandwich(model, n_data, key=KEY, n_chains=16, n_steps=n_steps, start=start)
    return found, density.logpdf(found.y)


@pytest.mark.parametrize("start", slow_beside(STEPS, ["fitted"]))
@pytest.mark.slow
def test_both_sides_have_weights_without_bias_and_hold_log_p_between_them(start):
    """E w = p(x) forwards and E 1/w = 1/p(x) backwards; errors cover."""
    found, exact = walked(1_000, start, STEPS[start])
    assert unbiased(found.lower.value - exact)
    assert unbiased(exact - found.upper.value)
    below, above = exact - found.lower.value, found.upper.value - exact
    for excess in (below, above):
        assert excess.mean() > -4 * excess.std() / np.sqrt(len(excess))
        assert 0.02 < excess.std() < 1
    assert found.lower.standard_error.mean() == pytest.approx(below.std(), rel=0.4)
    assert (np.abs(below) < 3 * found.lower.standard_error).mean() > 0.95
    assert (found.lower.effective_sample_size <= 16.01).all()
    assert found.gap.value == pytest.approx((below + above).mean(), abs=1e-5)
    # The chains that come down share the z that made x: their scatter tells too little.
    assert np.isnan(found.upper.standard_error).all()
    assert f"a gap of {found.gap}" in str(found)


@pytest.mark.slow
def test_more_steps_close_the_gap_and_step_sizes_accept_as_asked():
    few, many = (walked(200, "prior", n)[0] for n in (STEPS["prior"], 200))
    assert few.gap.value > 5 * abs(many.gap.value)
    assert abs(many.gap.value) < 0.05
    assert many.lower.acceptance.mean() == pytest.approx(0.65, abs=0.1)


@pytest.mark.usefixtures("x64")
def test_an_exact_posterior_leaves_nothing_to_anneal():
    model, density = exact_model()
    found = evaluation.sandwich(model, 3, key=KEY, n_chains=4, n_steps=5, start="posterior")
    np.testing.assert_allclose(found.gaps, 0.0, atol=1e-9)
    np.testing.assert_allclose(found.lower.value, density.logpdf(found.y), rtol=1e-9)


def test_what_cannot_be_walked_is_refused():
    model, density = exact_model()
    rows = rows_of(density, 2)
    for wrong in ({"n_chains": 0}, {"n_steps": 0}, {"start": "posteriors"}):
        with pytest.raises(wp.SettingError, match=next(iter(wrong))):
            evaluation.ais(model, rows, key=KEY, **wrong)
    with pytest.raises(wp.SettingError, match="n_data"):
        evaluation.sandwich(model, 0, key=KEY)


def test_a_mixture_prior_is_the_prior_of_the_path_and_a_row_gets_its_value_in_any_company():
    linear, _ = exact_model(spread=1.5)
    model = with_mixture(linear)
    rows = evaluation.samples(model, 100, how="ancestral", alpha=1.0, key=KEY)
    exact = evaluation.exact_log_likelihood(model, rows, key=KEY)
    found = evaluation.ais(model, rows, key=KEY, n_chains=8, n_steps=10)
    assert unbiased(found.value - exact)
    assert np.abs(found.value - exact).mean() < 0.2
    assert np.median(np.abs((found.value - exact) / found.standard_error)) < 2
    again = evaluation.ais(model, rows[::-1][:7], key=KEY, n_chains=8, n_steps=10)
    np.testing.assert_array_equal(again.value, found.value[::-1][:7])
