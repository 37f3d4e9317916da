"""The sentences of a forecast: correct, and sufficient to act on."""

import re

import numpy as np
import pytest

from wellposed import evaluation
from wellposed.models import Covariance, eigendecompose

VALUES = (8.0, 4.0, 2.0, 1.0, 0.5)


def forecast_of(values, **settings):
    covariance = Covariance(np.zeros(len(values)), np.diag(values), n_rows=100)
    return evaluation.forecast_spectrum(eigendecompose(covariance), **settings)


def test_a_forecast_reads_as_one_text():
    found = forecast_of(VALUES, noise_variance=3.0, n_components=4)
    assert str(found) == (
        "In the best linear VAE with a noise variance of 3, 2 of 4 latents are active; 2 collapse "
        "and carry nothing. Active latents describe the directions in which the data vary most, "
        "77.4% of their variance, and carry 0.634 nats (0.915 bits) a datum. A latent is active "
        "only if the variance of the data along its direction exceeds the noise variance, 3; along "
        "the next direction it is 2. Below a noise variance of 2 one more is active, below 1 all 4."
    )


@pytest.mark.parametrize("beta", [1.0, 2.5])
@pytest.mark.parametrize("k", [4, 5, 8])
def test_the_remedies_do_what_they_say(beta, k):
    settings = {"n_components": k, "beta": beta}
    found = forecast_of(VALUES, noise_variance=3.0, **settings)
    one_more, most = map(
        float, re.findall(r"[Bb]elow (?:a noise variance of )?([\d.]+)", str(found))
    )
    just_below = 1 - 1e-9
    better = forecast_of(VALUES, noise_variance=one_more * just_below, **settings)
    assert better.n_active == found.n_active + 1
    best = forecast_of(VALUES, noise_variance=most * just_below, **settings)
    assert best.n_active == min(k, 5)
    for variance, fewer in ((one_more, found), (most, None)):
        at = forecast_of(VALUES, noise_variance=variance, **settings)
        assert at.n_active == (fewer.n_active if fewer else min(k, 5) - 1)


SAID = [
    ({"noise_variance": 9.0}, "0 of 5 latents are active; all 5 collapse"),
    ({"noise_variance": 9.0}, "along even the strongest direction it is 8"),
    ({"noise_variance": 0.7}, "Below a noise variance of 0.5 one more is active."),
    ({"noise_variance": 0.7}, "4 of 5 latents are active; 1 collapses and carries nothing"),
    ({"noise_variance": 9.0, "n_components": 1}, "0 of 1 latent is active; it collapses"),
    ({"noise_variance": 3.0, "beta": 2.0}, "and β = 2"),
    ({"noise_variance": 3.0, "beta": 2.0}, "exceeds β times the noise variance, 6;"),
    ({"n_components": 2}, "noise variance learned (1.167 is best), 2 of 2 latents are active."),
    ({"n_components": 4, "beta": 4.0}, "A smaller β gives more active latents."),
]


@pytest.mark.parametrize(("settings", "said"), SAID)
def test_sentences_fit_the_case(settings, said):
    assert said in str(forecast_of(VALUES, **settings))


def test_as_many_latents_as_features_are_named_only_where_there_are():
    fewer = str(forecast_of(VALUES, n_components=4, beta=4.0))
    assert "as many latents as features" not in fewer
    assert "exceeds β times the noise variance" in fewer
    assert "With as many latents as features" in str(forecast_of(VALUES, n_components=5))


def test_where_the_data_do_not_vary_no_noise_variance_is_promised():
    found = forecast_of((4.0, 1.0, 1e-17, 0.0), noise_variance=0.5)
    assert found.n_varying == 2
    assert "vary in 2 directions only, so that no smaller noise variance gives more" in str(found)
    assert "Below" not in str(found)


def test_a_floor_is_named():
    said = str(forecast_of((4.0, 1.0, 0.0), n_components=2, floor=0.1))
    assert "(0.01 is best), 2 of 2 latents are active." in said
    assert "is at its floor" in said


def test_a_smaller_beta_does_keep_more():
    alive = [forecast_of(VALUES, n_components=4, beta=b).n_active for b in (4.0, 1.0)]
    assert alive[0] < alive[1] == 4
