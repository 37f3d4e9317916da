"""What users of other imputers complain of, for both imputers; kinds are in their own files."""

import warnings

import numpy as np
import pandas as pd
import pytest

import wellposed as wp
from wellposed import datasets

RNG = np.random.default_rng(0)
FACTOR = RNG.normal(size=(80, 1))
WHOLE = 5.0 + FACTOR @ np.array([[1.0, -1.0, 2.0]]) + 0.3 * RNG.normal(size=(80, 3))
GAPS = datasets.hide_completely_at_random(WHOLE, 0.2, 1)
VAE = wp.VAE(1, hidden=(8,), max_epochs=2, prior="standard", progress=False)
MAKE = {
    "gaussian": lambda: wp.GaussianImputer(ridge=1.0, random_state=0),
    "vae": lambda: wp.VAEImputer(VAE, n_models=1, n_samples=16, random_state=0),
}
both = pytest.mark.parametrize("kind", MAKE)
quiet = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")


@quiet
@both
def test_new_rows_have_gaps_that_no_row_of_the_fit_had(kind):
    """fancyimpute 26, miceforest 83: rows of the fit with gaps in the last column alone."""
    rows = WHOLE.copy()
    rows[::4, 2] = np.nan
    imputer = MAKE[kind]().fit(rows)
    new = np.array([[np.nan, 4.0, 6.0], [np.nan] * 3, [5.0, np.nan, np.nan]])
    filled = imputer.transform(new)
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[~np.isnan(new)], new[~np.isnan(new)])
    # A row without an observed entry has the means of the columns, nearly.
    assert (np.abs(filled[1] - WHOLE.mean(axis=0)) < WHOLE.std(axis=0)).all()


@quiet
@both
def test_draws_differ_where_an_entry_is_missing_and_only_there(kind):
    """scikit-learn PR 13025, 16638: multiple imputation."""
    draws = MAKE[kind]().fit(GAPS).transform(GAPS, n_draws=6)
    missing = np.isnan(GAPS)
    assert (draws.std(axis=0)[missing] > 0).all()
    assert not np.ptp(draws, axis=0)[~missing].any()


@quiet
@both
def test_a_column_without_entries_and_exactly_one_gap(kind):
    """scikit-learn 24770, 29375; hyperimpute 36."""
    rows = np.column_stack([WHOLE, np.full(len(WHOLE), np.nan)])
    rows[3, 1] = np.nan
    filled = MAKE[kind]().fit(rows).transform(rows)
    assert filled.shape == WHOLE.shape
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(
        np.delete(filled.ravel(), 3 * 3 + 1), np.delete(WHOLE.ravel(), 3 * 3 + 1)
    )
    kept = MAKE[kind]().set_params(keep_empty_features=True).fit(rows).transform(rows)
    assert kept.shape == rows.shape
    assert not kept[:, 3].any()


SCALE = np.array([1024.0, 1.0, 1 / 64])


def test_fills_of_a_gaussian_are_in_the_units_of_the_data():
    """PyPOTS 34."""
    fill = MAKE["gaussian"]().fit(GAPS).transform(GAPS)
    scaled = MAKE["gaussian"]().fit(GAPS * SCALE).transform(GAPS * SCALE)
    np.testing.assert_allclose(scaled, fill * SCALE, rtol=1e-6)


@quiet
def test_fills_of_a_vae_are_in_the_units_of_the_data():
    """By powers of two, so that the models are the same; draws of z differ by the rows' content."""
    one, other = MAKE["vae"]().fit(GAPS), MAKE["vae"]().fit(GAPS * SCALE)
    codes, scaled_codes = one.vaes_[0].transform(GAPS), other.vaes_[0].transform(GAPS * SCALE)
    np.testing.assert_allclose(scaled_codes, codes, rtol=1e-5, atol=1e-6)
    apart = other.transform(GAPS * SCALE) / SCALE - one.transform(GAPS)
    assert (np.abs(apart).max(axis=0) < 0.3 * WHOLE.std(axis=0)).all()


@pytest.mark.parametrize("seed", range(3))
def test_there_is_no_warning_of_iterations_that_converge(seed):
    """scikit-learn 14338: collinear and constant columns, and half of the entries missing."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(150, 3)) @ rng.normal(size=(3, 6))
    rows = np.column_stack([rows, rows[:, 0] + rows[:, 1], np.full(150, 3.0)])
    gappy = datasets.hide_completely_at_random(rows, 0.5, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wp.GaussianImputer(random_state=0).fit(gappy)
        wp.GaussianImputer(n_components=2, random_state=0).fit(gappy)


class SeenError(Exception):
    """Rows that a fit would have seen."""


@pytest.mark.parametrize(("kind", "mixed"), [("gaussian", False), ("vae", False), ("vae", True)])
def test_a_fit_that_is_judged_does_not_see_the_cells_it_is_judged_on(kind, mixed, monkeypatch):
    """heterogeneous_vaes 1: other values of the hidden cells leave the rows of the fit as they are.

    A mask that is a function of the target would show it: here it depends on the seed alone.
    """

    def stop(self, rows, seed):
        raise SeenError(rows)

    frame = pd.DataFrame(WHOLE, columns=list("abc"))
    if mixed:
        frame["d"] = np.where(FACTOR[:, 0] > 0, "high", "low")
    monkeypatch.setattr(type(MAKE[kind]()), "_fit_rows", stop)

    def rows_of_the_fit(data):
        with pytest.raises(SeenError) as caught:
            MAKE[kind]().holdout_score(data, share=0.3, random_state=4)
        return caught.value.args[0]

    rows = rows_of_the_fit(frame)
    hidden = np.isnan(rows)
    assert hidden.mean() == pytest.approx(0.3, abs=0.01)
    other = frame.copy()
    for j, name in enumerate(frame):
        cells = hidden[:, j]
        other.loc[cells, name] = "high" if name == "d" else other.loc[cells, name] + 7.0
    np.testing.assert_array_equal(rows_of_the_fit(other), rows)


@quiet
@pytest.mark.slow
def test_a_row_of_gaps_alone_in_a_frame_of_kinds_and_a_level_that_is_new():
    frame = pd.DataFrame(WHOLE, columns=list("abc"))
    frame["level"] = np.where(FACTOR[:, 0] > 0, "high", "low")
    frame.loc[::5, "level"] = None
    imputer = MAKE["vae"]().fit(frame)
    new = frame.head(3).copy()
    new.iloc[0] = None
    new.loc[1, "level"] = "unknown"
    filled = imputer.transform(new)
    assert not filled.isna().any(axis=None)
    assert set(filled["level"]) <= {"high", "low"}
    assert filled["a"].dtype == np.float64


@pytest.mark.slow
def test_a_vae_that_stops_by_patience_does_not_warn():
    """scikit-learn 14338, of the settings by default but for the number of models."""
    rows = datasets.hide_completely_at_random(
        np.tile(WHOLE, (3, 1)) + RNG.normal(size=(240, 3)), 0.2, 1
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", wp.TrainingWarning)
        wp.VAEImputer(n_models=1, random_state=0).fit(rows)
