"""PPCA, FactorAnalysis, MixturePPCA and LinearVAE with missing="ignorable"."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal
from sklearn.base import clone

import wellposed as wp

RNG = np.random.default_rng(0)
WHOLE = RNG.normal(size=(240, 2)) @ RNG.normal(size=(2, 5)) + RNG.normal(size=(240, 5)) * 0.8 + 3.0
GAPS = np.where(RNG.random(WHOLE.shape) < 0.25, np.nan, WHOLE)
GAPS[7] = np.nan
MAKERS = {
    "ppca": lambda **s: wp.PPCA(2, random_state=0, **s),
    "fa": lambda **s: wp.FactorAnalysis(2, random_state=0, **s),
    "mixture": lambda **s: wp.MixturePPCA(1, n_mixture=2, random_state=0, progress=False, **s),
    "linear vae": lambda **s: wp.LinearVAE(2, random_state=0, progress=False, **s),
}
makers = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def covariances(model):
    """Weight, mean and covariance of each component, in model units."""
    m = model.model_
    if isinstance(model, wp.MixturePPCA):
        parts = zip(np.exp(m.log_weights), m.mean, m.weight, m.noise_variance, strict=True)
        return [(w, mu, W @ W.T + s * np.eye(len(mu))) for w, mu, W, s in parts]
    W, noise = np.asarray(m.weight), np.asarray(m.noise_variance)
    return [(1.0, np.asarray(m.mean), W @ W.T + np.diag(np.broadcast_to(noise, len(W))))]


@makers
def test_scores_are_the_marginals_of_the_observed_entries(make):
    model = make(missing="ignorable").fit(GAPS)
    scores = model.score_samples(GAPS)
    for row, score in list(zip(GAPS, scores, strict=True))[:60]:
        o = ~np.isnan(row)
        if not o.any():
            assert score == pytest.approx(0.0, abs=1e-12)
            continue
        density = sum(
            w * multivariate_normal(mu[o], c[np.ix_(o, o)]).pdf(row[o])
            for w, mu, c in covariances(model)
        )
        assert score == pytest.approx(np.log(density), rel=1e-9, abs=1e-9)
    if hasattr(model, "log_likelihood_"):
        assert scores.mean() == pytest.approx(model.log_likelihood_, rel=1e-9)
    else:
        assert model.elbo(GAPS).mean() == pytest.approx(model.elbo_, rel=1e-9)
        assert (model.elbo(GAPS) <= scores + 1e-12).all()


@makers
def test_nothing_missing_is_the_fit_without_the_setting(make):
    plain, with_gaps = make().fit(WHOLE), make(missing="ignorable").fit(WHOLE)
    np.testing.assert_array_equal(plain.score_samples(WHOLE), with_gaps.score_samples(WHOLE))
    np.testing.assert_array_equal(plain.transform(WHOLE), with_gaps.transform(WHOLE))


@makers
@pytest.mark.parametrize("transform", ["identity", "standardize"])
def test_a_row_without_entries_moves_the_fit_little(make, transform):
    """It takes the solver for gaps, whose maximum is that of the complete rows."""
    plain = make(transform=transform, resolution=0.01).fit(WHOLE)
    stacked = np.vstack([WHOLE, np.full((1, 5), np.nan)])
    model = make(transform=transform, resolution=0.01, missing="ignorable").fit(stacked)
    if isinstance(model, wp.MixturePPCA):  # whose ends are several
        assert model.score(WHOLE) > plain.score(WHOLE) - 0.01
        return
    np.testing.assert_allclose(model.score_samples(WHOLE), plain.score_samples(WHOLE), atol=5e-3)
    assert model.score(WHOLE) == pytest.approx(plain.score(WHOLE), abs=1e-5)


@makers
def test_all_methods_take_gaps(make, tmp_path):
    model = make(missing="ignorable").fit(GAPS)
    latents = model.transform(GAPS)
    assert np.isfinite(latents).all()
    whole = model.reconstruct(GAPS)
    assert np.isfinite(whole).all()
    hidden = np.isnan(GAPS) & ~np.isnan(WHOLE)
    error = np.sqrt(np.mean((whole - WHOLE)[hidden] ** 2))
    assert error < np.sqrt(np.mean((np.nanmean(GAPS, axis=0) - WHOLE)[hidden] ** 2))
    if hasattr(model, "collapse"):
        assert np.isfinite(model.collapse(GAPS).rates).all()
    model.save(tmp_path / "model.wp")
    again = wp.load(tmp_path / "model.wp")
    assert again.missing == "ignorable"
    np.testing.assert_array_equal(again.score_samples(GAPS), model.score_samples(GAPS))


@makers
def test_units_cost_the_logarithm_of_observed_entries(make):
    plain = make(missing="ignorable").fit(GAPS)
    model = make(missing="ignorable", transform="standardize").fit(GAPS)
    scale = np.asarray(model.transform_.scale)
    np.testing.assert_allclose(scale, np.nanstd(GAPS, axis=0), rtol=1e-9)
    np.testing.assert_allclose(model.transform_.mean, np.nanmean(GAPS, axis=0), rtol=1e-9)
    if isinstance(model, wp.FactorAnalysis):  # whose likelihood does not depend on units
        np.testing.assert_allclose(model.score_samples(GAPS), plain.score_samples(GAPS), atol=2e-3)


def test_a_logarithm_costs_its_slope_at_the_observed_entries():
    rows = np.exp(GAPS / 3)
    settings = {"resolution": 0.0, "missing": "ignorable"}
    model = wp.FactorAnalysis(2, transform="log", **settings).fit(rows)
    logs = wp.FactorAnalysis(2, **settings).fit(np.log(rows))
    slope = -np.nansum(np.log(rows), axis=1)
    score = logs.score_samples(np.log(rows)) + slope
    np.testing.assert_allclose(model.score_samples(rows), score, atol=1e-3)


@makers
def test_gaps_are_refused_by_default_with_the_remedy(make):
    with pytest.raises(wp.DataError, match='missing="ignorable"'):
        make().fit(GAPS)
    with pytest.raises(wp.SettingError, match="missing must be None or one of ignorable"):
        make(missing="random").fit(GAPS)


@makers
def test_bad_gaps_are_refused(make):
    rows = GAPS.copy()
    rows[:, 3] = np.nan
    frame = pd.DataFrame(rows, columns=list("abcde"))
    with pytest.raises(wp.DataError, match="column 'd'"):
        make(missing="ignorable").fit(frame)
    rows[:, 3] = WHOLE[:, 3]
    rows[0, 0] = np.inf
    with pytest.raises(wp.DataError, match="inf"):
        make(missing="ignorable").fit(rows)


@makers
def test_one_missing_value_is_fitted(make):
    rows = WHOLE.copy()
    rows[5, 2] = np.nan
    model = make(missing="ignorable").fit(rows)
    assert abs(model.score(rows) - make().fit(WHOLE).score(WHOLE)) < 0.1


@makers
def test_a_frame_with_nullable_columns_is_an_array_with_nan(make):
    frame = pd.DataFrame(GAPS, columns=list("abcde")).astype("Float64")
    frame = frame.mask(np.isnan(GAPS), pd.NA)
    estimator = make(missing="ignorable")
    expected = clone(estimator).fit(GAPS).score_samples(GAPS)
    np.testing.assert_array_equal(estimator.fit(frame).score_samples(frame), expected)


def test_files_without_the_setting_refuse_gaps(tmp_path):
    from wellposed import serialise

    path = tmp_path / "old.wp"
    wp.PPCA(2).fit(WHOLE).save(path)
    tensors, header = serialise.read(path)
    header["settings"].pop("missing")
    serialise.write(path, tensors, header)
    model = wp.load(path)
    assert model.missing is None


def test_the_linear_vae_refuses_other_objectives_with_gaps():
    with pytest.raises(wp.SettingError, match="beta must be 1"):
        wp.LinearVAE(2, beta=2.0, missing="ignorable").fit(GAPS)
    with pytest.raises(wp.SettingError, match='start "random"'):
        wp.LinearVAE(2, start=[0, 1], missing="ignorable").fit(GAPS)


def test_the_size_of_a_mixture_is_chosen_with_gaps():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(400, 3)) + 8.0 * rng.integers(0, 2, (400, 1))
    rows[rng.random(rows.shape) < 0.2] = np.nan
    model = wp.MixturePPCA(1, missing="ignorable", random_state=0, progress=False).fit(rows)
    assert len(model.weights_) >= 2
    assert model.score(rows) > wp.PPCA(1, missing="ignorable").fit(rows).score(rows) + 0.1
