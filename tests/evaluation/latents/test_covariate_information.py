"""A lower bound of the information of latents on a covariate, beside the true one."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import wellposed as wp
from wellposed.evaluation import covariate_information


def two_normals(gap):
    """I(z; c) of z ~ N(±gap/2, 1) for two equally frequent levels c, nats, by quadrature."""

    def integrand(z):
        own, other = norm.pdf(z, gap / 2), norm.pdf(z, -gap / 2)
        return own * np.log(2 * own / (own + other))

    return quad(integrand, -12, 12)[0]


@pytest.mark.parametrize("gap", [pytest.param(1.0, marks=pytest.mark.slow), 3.0])
def test_of_two_normals_the_bound_is_tight(gap):
    rng = np.random.default_rng(0)
    level = rng.integers(2, size=1500)
    z = rng.normal(size=(1500, 2))
    z[:, 0] += gap * (level - 0.5)
    found = covariate_information(z, {"batch": LEVELS[level]}, random_state=0)["batch"]
    value, error = found.information.value, found.information.standard_error
    assert abs(value - two_normals(gap)) < 3 * error + 0.02
    assert value < two_normals(gap) + 3 * error
    assert found.is_dependent
    assert abs(found.accuracy.value - norm.cdf(gap / 2)) < 4 * found.accuracy.standard_error
    assert abs(found.null.value) < 0.03


LEVELS = np.array(["first", "second"])


def test_dependence_beyond_the_mean_and_of_numbers():
    rng = np.random.default_rng(1)
    level, age = rng.integers(2, size=1000), rng.normal(size=1000)
    z = rng.normal(size=(1000, 1)) * np.where(level, 3.0, 0.5)[:, None]
    found = covariate_information(z, {"scale": level, "age": age}, random_state=0)
    assert found["scale"].is_dependent
    assert not found["age"].is_dependent
    again = covariate_information(age[:, None], {"age": age}, random_state=0)["age"]
    assert again.share.value > 0.7
    assert again.entropy == pytest.approx(np.log(8), rel=1e-3)


def test_bad_input():
    z, level = np.zeros((60, 1)), np.arange(60) % 2
    for latents, values, words in (
        (z[:20], level[:20], "50 rows or more"),
        (z, level[:10], "one value for each"),
        (z, np.arange(60) // 59, "two levels"),
    ):
        with pytest.raises(wp.DataError, match=words):
            covariate_information(latents, {"batch": values}, random_state=0)
    with pytest.raises(wp.SettingError):
        covariate_information(z, {"batch": level}, random_state=0, n_folds=1)
