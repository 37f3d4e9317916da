"""VAE and VAEImputer of entries that are missing for their own value."""

import jax
import numpy as np
import pytest

import wellposed as wp
from wellposed import evaluation
from wellposed.noise import SelfMasking

RNG = np.random.default_rng(0)
N = 600
WHOLE = RNG.normal(size=(N, 1)) * [1.0, 1.0, 1.0, 1.0] + 0.5 * RNG.normal(size=(N, 4))
WHOLE = 10.0 + 2.0 * WHOLE
# High values of the first column are missing with the probability sigmoid(3u), u in its spread.
LOST = RNG.random(N) < 1 / (1 + np.exp(-3 * (WHOLE[:, 0] - 10.0) / 2.2))
GAPS = WHOLE.copy()
GAPS[LOST, 0] = np.nan
SMALL = {"hidden": (16,), "max_epochs": 60, "patience": None, "noise": "feature"}
SMALL |= {"progress": False, "random_state": 0, "prior": "standard"}
pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")


@pytest.fixture(scope="module")
def fitted():
    return wp.VAE(1, missing="self-masking-high", **SMALL).fit(GAPS)


@pytest.mark.slow
def test_the_mean_of_a_column_is_nearer_than_with_ignorable_gaps(fitted):
    """Means of p(x), against the mean of the column before values were lost."""
    ignorable = wp.VAE(1, missing="ignorable", **SMALL).fit(GAPS)
    own, other = (vae.sample(4_000, how="mean")[:, 0].mean() for vae in (fitted, ignorable))
    truth = WHOLE[:, 0].mean()
    assert abs(own - truth) < 0.5 * abs(other - truth)


def test_an_imputer_keeps_the_setting_of_its_vae():
    vae = wp.VAE(1, missing="self-masking-high", **SMALL | {"max_epochs": 2})
    imputer = wp.VAEImputer(vae, n_models=1, random_state=0).fit(GAPS)
    assert imputer.vaes_[0].missing == "self-masking-high"


def test_the_slope_has_its_sign_and_only_columns_with_gaps_a_mechanism(fitted):
    noise = fitted.model_.noise
    assert isinstance(noise, SelfMasking)
    assert noise.masked.tolist() == [True, False, False, False]
    assert float(noise.slopes()[0]) > 1.0


def test_it_survives_a_file(fitted, tmp_path):
    fitted.save(tmp_path / "masked.wp")
    again = wp.load(tmp_path / "masked.wp")
    np.testing.assert_array_equal(again.elbo(GAPS[:30]), fitted.elbo(GAPS[:30]))
    assert again.missing == "self-masking-high"


def test_levels_are_refused():
    with pytest.raises(wp.SettingError, match="real line"):
        wp.VAE(1, missing="self-masking", **SMALL | {"noise": "bernoulli"}).fit(GAPS > 10)


def test_chains_of_gaps_that_are_not_ignorable_are_refused(fitted):
    key = jax.random.key(0)
    with pytest.raises(wp.SettingError, match='Use the sampler "importance"'):
        evaluation.impute(fitted.model_, fitted.rows(GAPS[:3]), key=key, method="metropolis")
