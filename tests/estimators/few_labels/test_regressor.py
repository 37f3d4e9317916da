"""SemiSupervisedRegressor: a real label with gaps."""

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.svm import SVR

import wellposed as wp
from variants import slow_beside

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
RNG = np.random.default_rng(0)
N = 240
T = RNG.normal(size=N)
X = np.stack([T, np.tanh(2 * T), RNG.normal(size=N)], axis=1) + 0.1 * RNG.normal(size=(N, 3))
TRUE = 50 + 10 * T
Y = np.where(np.arange(N) < 24, TRUE, np.nan)


def small(method="joint", **settings):
    chosen = {"hidden": (16,), "max_epochs": 60, "prior": "standard"}
    vae = wp.VAE(2, **(chosen | settings.pop("vae", {})))
    second = wp.VAE(1, hidden=(8,), max_epochs=60) if method == "stacked" else None
    options = {"second_vae": second, "progress": False, "random_state": 0, **settings}
    return wp.SemiSupervisedRegressor(method, vae=vae, **options)


@pytest.fixture(
    scope="module",
    params=slow_beside(("features", "joint", "stacked", "auxiliary"), ["joint"]),
)
def fitted(request):
    return small(request.param).fit(X, Y)


def test_it_predicts_the_rows_without_a_label(fitted):
    assert fitted.score(X[24:], TRUE[24:]) > 0.8
    assert fitted.n_labelled_ == 24
    assert fitted.transform(X).shape == (N, 2)


def test_a_file_predicts_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "few.wp")
    loaded = wp.load(tmp_path / "few.wp")
    np.testing.assert_array_equal(fitted.predict(X), loaded.predict(X))
    if fitted.method != "features":
        np.testing.assert_array_equal(fitted.sample(3, 55.0), loaded.sample(3, 55.0))


def test_draws_follow_their_label(fitted):
    if fitted.method == "features":
        with pytest.raises(wp.SettingError, match='got method="features"'):
            fitted.sample(2, 50.0)
        return
    low, high = (fitted.sample(300, y)[:, 0].mean() for y in (40.0, 60.0))
    assert low < -0.4
    assert high > 0.4
    assert fitted.sample(4, [40, 50, 60, 70]).shape == (4, 3)


@pytest.mark.slow
def test_the_density_integrates_over_y(fitted):
    if fitted.method == "features":
        with pytest.raises(wp.SettingError, match="standard deviation of y"):
            fitted.predict(X, return_std=True)
        return
    mean, std = fitted.predict(X[:4], return_std=True)
    grid = np.linspace(-6, 6, 61)
    each = np.stack([fitted.score_samples(X[:4], mean + std * t, 64) for t in grid], axis=1)
    total = logsumexp(each, axis=1) + np.log(grid[1] - grid[0]) + np.log(std)
    np.testing.assert_allclose(fitted.score_samples(X[:4], n_samples=64), total, atol=0.35)


def test_bad_settings_are_refused():
    with pytest.raises(wp.SettingError, match="must be a regressor of scikit-learn"):
        small("features", regressor="mlp").fit(X, Y)
    with pytest.raises(wp.DataError, match="two values or more"):
        small().fit(X, np.full(N, np.nan))
    assert isinstance(small("features", regressor=SVR()).fit(X, Y).regressor_, SVR)
