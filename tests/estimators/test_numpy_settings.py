"""NumPy's numbers serve as settings: they come from np.arange and scipy.stats."""

import numpy as np
import pytest
import scipy.stats
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

import wellposed as wp
from textbook import textbook_vae
from variants import slow_beside
from wellposed._errors import SettingError

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")  # short trainings
SMALL = {"hidden": (8,), "max_epochs": 2, "random_state": 0, "progress": False}
DRAWS = np.random.default_rng(0)
ROWS = DRAWS.normal(size=(60, 2)) @ DRAWS.normal(size=(2, 4)) + 0.1 * DRAWS.normal(size=(60, 4))

PLAIN = {
    "n_components": 2,
    "hidden": (8,),
    "image_shape": (2, 2),
    "beta": 0.5,
    "n_importance": 4,
    "batch_size": 16,
    "learning_rate": 1e-3,
    "weight_decay": 1e-4,
    "max_epochs": 2,
    "kl_warmup": 1,
    "encoder_steps": 1,
    "validation_fraction": 0.25,
    "patience": 1,
    "clip_norm": 2.0,
    "noise": 0.5,
    "resolution": 0.01,
    "progress": False,
    "allow_unbounded": True,
    "random_state": 3,
}


# Of each kind of value, and of settings that are static in a program and that are not.
OFTEN = ["n_components", "hidden", "image_shape", "beta", "noise", "resolution", "progress"]
OFTEN += ["patience", "validation_fraction", "random_state"]


def as_numpy(value):
    if isinstance(value, tuple):
        return tuple(np.int64(item) for item in value)
    return {bool: np.bool_, int: np.int64, float: np.float64}[type(value)](value)


@pytest.mark.parametrize("name", slow_beside(PLAIN, OFTEN))
def test_a_numpy_setting_is_the_plain_one(name, tmp_path):
    plain, given = (
        textbook_vae(**{"n_components": 2, **SMALL, name: value}).fit(ROWS)
        for value in (PLAIN[name], as_numpy(PLAIN[name]))
    )
    np.testing.assert_array_equal(
        given.score_samples(ROWS[:5], 8), plain.score_samples(ROWS[:5], 8)
    )
    given.save(tmp_path / "model.wp")
    again = wp.load(tmp_path / "model.wp")
    assert again.get_params()[name] == plain.get_params()[name]
    clone(given)


def test_arrays_serve_where_sequences_do():
    vae = textbook_vae(2, **{**SMALL, "hidden": np.array([8])}, image_shape=np.array([2, 2])).fit(
        ROWS
    )
    assert vae.image_shape_ == (2, 2)


@pytest.mark.parametrize("model", [wp.PPCA(), wp.LinearVAE(random_state=0)], ids=["PPCA", "linear"])
def test_the_exact_models_take_them(model, tmp_path):
    fitted = clone(model).set_params(n_components=np.int64(2), noise=np.float64(0.5)).fit(ROWS)
    plain = clone(model).set_params(n_components=2, noise=0.5).fit(ROWS)
    np.testing.assert_array_equal(fitted.score_samples(ROWS), plain.score_samples(ROWS))
    fitted.save(tmp_path / "model.wp")
    assert wp.load(tmp_path / "model.wp").n_components == 2


@pytest.mark.parametrize("kind", [np.int64, np.int32, np.uint8])
def test_numbers_of_draws_may_be_numpys(kind):
    vae = textbook_vae(2, **SMALL).fit(ROWS)
    assert vae.sample(kind(3)).shape == (3, 4)
    np.testing.assert_array_equal(
        vae.score_samples(ROWS[:4], kind(8)), vae.score_samples(ROWS[:4], 8)
    )
    np.testing.assert_array_equal(vae.elbo(ROWS[:4], kind(8)), vae.elbo(ROWS[:4], 8))
    np.testing.assert_array_equal(
        vae.sample(2, random_state=kind(5)), vae.sample(2, random_state=5)
    )


@pytest.mark.slow
def test_searches_over_numpys_ranges():
    search = GridSearchCV(textbook_vae(**SMALL), {"n_components": np.arange(1, 3)}, cv=2).fit(ROWS)
    assert search.best_params_["n_components"] in (1, 2)
    drawn = {"n_components": scipy.stats.randint(1, 3), "beta": scipy.stats.uniform(0.5, 1)}
    search = RandomizedSearchCV(textbook_vae(**SMALL), drawn, n_iter=2, cv=2, random_state=0).fit(
        ROWS
    )
    assert np.isfinite(search.best_score_)


@pytest.mark.parametrize("given", [-1, 2**32, "seed", 1.5, np.random.default_rng(0)])
def test_a_random_state_that_is_none_is_refused_as_a_setting(given):
    with pytest.raises(SettingError, match="random_state must be"):
        textbook_vae(1, **{**SMALL, "random_state": given}).fit(ROWS)
