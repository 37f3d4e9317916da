"""Annealing: weights without bias in both directions, errors that cover, and a closing gap."""

import subprocess
import sys

import jax
import numpy as np
import pytest

import wellposed as wp
from linear_gaussian import rows_of, solved
from wellposed import evaluation

KEY = jax.random.key(0)
FORWARDS = {"fitted": 8, "posterior": 20, "prior": 40}


def unbiased(log_ratio: np.ndarray) -> bool:
    """Whether the mean of exp(log_ratio) is one, within four standard errors."""
    ratio = np.exp(np.asarray(log_ratio, np.float64))
    return bool(abs(ratio.mean() - 1) < 4 * ratio.std() / np.sqrt(len(ratio)))


@pytest.mark.parametrize("start", FORWARDS)
def test_weights_have_no_bias_and_errors_cover(start):
    model, density = solved(spread=2.0)
    rows = rows_of(density, 1_000).astype(np.float32)
    found = evaluation.annealed(
        model, rows, key=KEY, n_chains=32, n_steps=FORWARDS[start], start=start
    )
    off = found.value - density.logpdf(rows)
    assert unbiased(off)
    assert off.std() < 0.3
    assert (np.abs(off / found.standard_error) < 3).mean() > 0.97
    assert found.standard_error.mean() == pytest.approx(off.std(), rel=0.3)
    assert (found.effective_sample_size <= 32.01).all()


@pytest.mark.parametrize("start", FORWARDS)
def test_the_sandwich_holds_log_p_and_its_upper_side_has_no_bias_either(start):
    model, density = solved(spread=2.0)
    found = evaluation.sandwich(
        model, 1_000, key=KEY, n_chains=8, n_steps=FORWARDS[start], start=start
    )
    exact = density.logpdf(found.data)
    assert unbiased(found.lower.value - exact)
    assert unbiased(exact - found.upper.value)
    for side, sign in ((found.lower, -1), (found.upper, 1)):
        excess = sign * (side.value - exact)
        assert excess.mean() > -4 * excess.std() / np.sqrt(len(excess))
        assert abs(excess).mean() > 1e-3
    assert 0 < found.gap.value < 0.3
    assert f"a gap of {found.gap}" in str(found)


def test_more_steps_close_the_gap_and_step_sizes_accept_as_asked():
    model, _ = solved(spread=2.0)
    few, many = (
        evaluation.sandwich(model, 200, key=KEY, n_chains=8, n_steps=n, start="prior")
        for n in (5, 200)
    )
    assert few.gap.value > 10 * abs(many.gap.value)
    assert abs(many.gap.value) < 0.05
    assert many.lower.acceptance.mean() == pytest.approx(0.65, abs=0.1)


@pytest.mark.usefixtures("x64")
def test_an_exact_posterior_leaves_nothing_to_anneal():
    model, density = solved()
    rows = rows_of(density, 3)
    found = evaluation.annealed(model, rows, key=KEY, n_chains=4, n_steps=5)
    np.testing.assert_allclose(found.value, density.logpdf(rows), rtol=1e-9)
    between = evaluation.sandwich(model, 3, key=KEY, n_chains=4, n_steps=5)
    np.testing.assert_allclose(between.gaps, 0.0, atol=1e-9)
    np.testing.assert_allclose(between.lower.value, density.logpdf(between.data), rtol=1e-9)


def test_a_row_gets_its_value_whatever_it_comes_with():
    model, density = solved(spread=2.0)
    rows = rows_of(density, 40).astype(np.float32)
    found = evaluation.annealed(model, rows, key=KEY, n_chains=4, n_steps=5)
    again = evaluation.annealed(model, rows[::-1][:7], key=KEY, n_chains=4, n_steps=5)
    np.testing.assert_array_equal(again.value, found.value[::-1][:7])


def test_what_cannot_be_walked_is_refused():
    model, density = solved()
    rows = rows_of(density, 2)
    for wrong in ({"n_chains": 0}, {"n_steps": 0}, {"start": "posteriors"}):
        with pytest.raises(wp.SettingError, match=next(iter(wrong))):
            evaluation.annealed(model, rows, key=KEY, **wrong)
    with pytest.raises(wp.SettingError, match="n_data"):
        evaluation.sandwich(model, 0, key=KEY)


def test_the_kernel_is_imported_at_its_first_use():
    code = "import sys, wellposed; wellposed.evaluation; sys.exit('blackjax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
