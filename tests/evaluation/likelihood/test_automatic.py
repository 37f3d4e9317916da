"""The method that computes log p(x): the exact, the cheap or the reliable one."""

import warnings

import jax
import numpy as np
import pytest

import wellposed as wp
from linear_gaussian import bent_model, exact_model, in_two_layers, rows_of
from wellposed import evaluation
from wellposed.evaluation.likelihood import automatic

KEY = jax.random.key(0)


def test_where_there_is_a_closed_form_auto_takes_it():
    model, density = exact_model(spread=0.2)
    rows = rows_of(density, 10)
    found = evaluation.estimate_log_likelihood(model, rows, key=KEY)
    np.testing.assert_allclose(found.value, density.logpdf(rows), rtol=1e-5)
    assert np.isinf(found.effective_sample_size).all()


def test_good_weights_are_left_as_they_are():
    model, density = exact_model(spread=1.1)
    model = in_two_layers(model)
    rows = rows_of(density, 50).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = evaluation.estimate_log_likelihood(model, rows, key=KEY, n_samples=1_000)
    plain = evaluation.log_likelihood(model, rows, key=KEY, n_samples=1_000)
    np.testing.assert_array_equal(found.value, plain.value)


@pytest.mark.slow
def test_rows_whose_weights_are_not_believed_are_annealed_and_the_warning_says_so(monkeypatch):
    model = bent_model(2)
    rows = evaluation.samples(model, 60, how="ancestral", alpha=1.0, key=KEY)
    plain = evaluation.log_likelihood(model, rows, key=KEY, n_samples=200)
    monkeypatch.setattr(automatic, "EFFECTIVE_DRAWS", np.median(plain.effective_sample_size))
    doubtful = (plain.pareto_k > 0.7) | (plain.effective_sample_size < automatic.EFFECTIVE_DRAWS)
    assert 0.3 < doubtful.mean() < 1
    with pytest.warns(wp.LikelihoodWarning, match=f"{doubtful.sum()} of 60 rows"):
        found = evaluation.estimate_log_likelihood(model, rows, key=KEY, n_samples=200)
    np.testing.assert_array_equal(found.value[~doubtful], plain.value[~doubtful])
    assert np.isnan(found.pareto_k[doubtful]).all()
    annealed = evaluation.estimate_log_likelihood(model, rows, key=KEY, method="ais")
    np.testing.assert_array_equal(annealed.value[doubtful], found.value[doubtful])


def test_the_encoders_proposals_have_a_method_of_their_own():
    model, density = exact_model(spread=1.5)
    rows = rows_of(density, 10).astype(np.float32)
    given = {"key": KEY, "n_samples": 30}
    found = evaluation.estimate_log_likelihood(model, rows, method="encoder", **given)
    plain = evaluation.log_likelihood(model, rows, proposal="encoder", **given)
    np.testing.assert_array_equal(found.value, plain.value)
    assert (plain.standard_error > 0).all()


def test_unknown_methods_are_refused():
    model, density = exact_model()
    with pytest.raises(wp.SettingError, match="importance"):
        evaluation.estimate_log_likelihood(model, rows_of(density, 2), key=KEY, method="impotrance")
