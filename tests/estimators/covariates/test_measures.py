"""Measures of a conditional model use the covariates of the rows."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import wellposed as wp
from wellposed import evaluation

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
SHIFT = np.array([0.0, 6.0])


def frame(n, seed):
    """Two batches of three columns that are far apart, and one latent."""
    rng = np.random.default_rng(seed)
    batch = rng.integers(2, size=n)
    x = rng.normal(size=(n, 1)) @ [[1.0, 0.5, -1.0]] + 0.3 * rng.normal(size=(n, 3))
    columns = dict(zip("uvw", (x + SHIFT[batch][:, None]).T, strict=True))
    return pd.DataFrame({**columns, "batch": np.where(batch, "b", "a")})


TRAIN, HELD = frame(300, 0), frame(200, 1)
LINEAR = {
    "hidden": (), "noise": "feature", "prior": "standard", "max_epochs": 1, "random_state": 0,
    "learning_rate": 1e-30, "validation_fraction": 0.0, "patience": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def vae():
    return wp.VAE(1, covariates=["batch"], **LINEAR).fit(TRAIN)


@pytest.mark.slow
def test_the_rivals_are_fitted_after_regression(vae):
    found = vae.compare(HELD, TRAIN)
    linear = next(rival for rival in found.rivals if rival.kind == "linear")
    # The start is that model: without the regression it would be worse by 2 nats and more.
    assert abs((found.log_p - linear.log_p).mean()) < 0.1
    assert "after regression" in linear.detail


def test_calibration_and_draws_are_at_the_covariates_of_the_rows(vae):
    held = vae.calibration(frame(1000, 2), given="prior").coverage
    assert_allclose(held.coverage, held.levels, atol=4 * held.standard_error.max())
    assert held.standard_error.max() < 0.03
    split = vae.variance_split(HELD)
    assert abs(split.prior.share.value - 1) < 0.15
    terms, hidden = vae.elbo(HELD), HELD.assign(batch=np.where(HELD["batch"] == "a", "b", "a"))
    assert terms.mean() > vae.elbo(hidden).mean() + 5


def test_z_tells_nothing_of_the_batch_and_without_covariates_all(vae):
    own = vae.covariate_information(HELD)["batch"]
    assert not own.is_dependent
    plain = wp.VAE(1, **LINEAR).fit(TRAIN.drop(columns="batch"))
    z = plain.transform(HELD.drop(columns="batch"))
    other = evaluation.covariate_information(z, {"batch": HELD["batch"]}, random_state=0)
    assert other["batch"].share.value > 0.5
    means = vae.covariate_information(HELD, "means", n_permutations=1)["batch"]
    assert not means.is_dependent


def test_the_forecast_is_of_the_residuals(vae):
    forecast = vae.forecast(HELD)
    assert forecast.n_active == 1
    assert "after regression on the covariates" in str(forecast)
    with pytest.raises(wp.SettingError, match="Fit first"):
        wp.VAE(1, covariates=["batch"], noise="shared").forecast(TRAIN)


def test_the_diagnosis_asks_whether_z_is_free_of_the_covariates(vae):
    diagnosis = wp.diagnose(vae, HELD, TRAIN)
    found = {finding.question: finding for finding in diagnosis.findings}
    assert found["z independent of the covariates?"].verdict in ("sound", "open")
    assert not diagnosis.faults


def test_draws_need_covariates_and_rows_have_them(vae):
    model, rows = vae.model_, vae.rows(HELD)
    draw = {"how": "mean", "alpha": 1.0, "key": vae.key("sample")}
    with pytest.raises(wp.SettingError, match="2 covariates for each of the 3 draws"):
        evaluation.samples(model, 3, **draw)
    drawn = evaluation.samples(model, 300, covariates=rows[:1, 3:], **draw)
    expected = TRAIN[TRAIN["batch"] == HELD["batch"][0]][["u", "v", "w"]].mean()
    assert_allclose(drawn.mean(axis=0), expected, atol=0.4)
    with pytest.raises(wp.SettingError, match="followed by its 2 covariates"):
        evaluation.latent_means(model, rows[:, :2], key=vae.key("score"))
    bounds = evaluation.sandwich(
        model, 20, key=vae.key("score"), n_chains=4, n_steps=20, covariates=rows[:1, 3:]
    )
    assert abs(bounds.gaps.mean()) < 0.5


@pytest.mark.slow
def test_a_report_is_made(vae):
    assert "z independent of the covariates?" in vae.report(HELD[:60], TRAIN[:60]).html


@pytest.mark.slow
def test_a_grid_shares_the_covariates(tmp_path):
    short = {**LINEAR, "noise": "shared"}
    grid = wp.fit_grid(
        wp.VAE(1, covariates=["batch"], **short), {"n_components": [1, 2]}, TRAIN,
        X_test=HELD, folder=tmp_path, progress=False,
    )  # fmt: skip
    table = grid.table
    assert grid.complete
    own = wp.VAE(1, covariates=["batch"], **short).fit(TRAIN)
    assert_allclose(table["elbo"][0], own.elbo(HELD).mean(), atol=0.1)
    with pytest.raises(wp.SettingError, match="covariates"):
        wp.fit_grid(wp.VAE(1, **short), {"covariates": [["batch"]]}, TRAIN)
