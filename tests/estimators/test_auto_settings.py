"""Settings that follow the data: latents, noise, epochs, patience, components of the prior."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_wine

import wellposed as wp
from wellposed._errors import SettingError
from wellposed.estimators._prepare import prepare
from wellposed.estimators._train import training_of
from wellposed.estimators.start.prior import size_of
from wellposed.estimators.start.settings import epochs_of, latents_of, patience_of, warmup_of

BRIEF = {"hidden": (4,), "max_epochs": 1, "prior": "standard", "random_state": 0}
pytestmark = pytest.mark.filterwarnings(
    "ignore::wellposed.TrainingWarning", "ignore::wellposed.ConstantFeatureWarning"
)


@pytest.mark.parametrize(
    ("n", "d", "k"), [(10, 1, 1), (10, 30, 1), (142, 13, 9), (455, 30, 15), (5_000, 9, 8)]
)
def test_latents_are_fewer_than_features_and_have_enough_rows_each(n, d, k):
    assert latents_of("auto", n, d) == k
    assert latents_of(7, n, d) == 7


def test_few_rows_are_seen_more_often():
    assert epochs_of("auto", 8) == 500
    assert epochs_of("auto", 80) == 250
    assert epochs_of("auto", 469) == 200
    assert epochs_of(3, 469) == 3
    assert patience_of("auto", 500) == 200
    assert patience_of("auto", 500, image=True) == 50
    assert patience_of("auto", 5) == 20  # an epoch of patience at least
    assert patience_of(None, 500) is None


def test_the_kl_is_warmed_up_where_there_is_no_linear_start():
    assert warmup_of("auto", 500, drawn=True) == 20
    assert warmup_of("auto", 20, drawn=True) == 0
    assert warmup_of("auto", 500, drawn=False) == 0
    assert warmup_of(7, 500, drawn=False) == 7
    prepared = {}
    for noise in ("feature", "gamma"):
        vae = wp.VAE(2, noise=noise, hidden=(4,), random_state=0)
        member, _ = training_of(vae, prepare(vae, load_wine().data))
        prepared[noise] = member.plan.kl_warmup
    assert prepared == {"feature": 0, "gamma": 20}


def test_a_component_has_twenty_rows_and_never_less_than_one():
    assert [size_of("auto", n) for n in (3, 60, 200, 10_000)] == [3, 5, 10, 30]
    with pytest.raises(SettingError, match="at most as many components"):
        size_of(11, 10)


def test_features_of_one_unit_share_a_variance_and_others_have_their_own():
    pixels = wp.VAE(2, image_shape=(8, 8), **BRIEF).fit(load_digits().data[:100])
    assert np.ndim(pixels.noise_variance_) == 0
    table = wp.VAE(2, **BRIEF).fit(np.asarray(load_wine(return_X_y=True)[0]))
    assert np.shape(table.noise_variance_) == (13,)
    assert table.model_.noise.kind == "conditional"
    assert pixels.n_components_ == table.transform(np.ones((1, 13))).shape[1] == 2


def test_what_is_no_setting_is_refused_with_the_remedy():
    X = np.random.default_rng(0).normal(size=(40, 3))
    for setting in ({"n_components": "many"}, {"max_epochs": "long"}, {"patience": "x"}):
        with pytest.raises(SettingError, match=next(iter(setting))):
            wp.VAE(**{**BRIEF, **setting}).fit(X)
    with pytest.raises(SettingError, match="as many latents"):
        wp.VAE(3, **BRIEF | {"prior": wp.latents.StandardNormal(2)}).fit(X)
