"""What a datum may be, checked at the boundary, in fitting and in scoring alike."""

import jax
import numpy as np
import pytest

import wellposed as wp
from textbook import textbook_vae
from wellposed import evaluation
from wellposed.estimators._prepare import prepare
from wellposed.transforms import BINARY, COUNTS, REALS, UNIT, check_support, levels

RNG = np.random.default_rng(0)
SHARES = RNG.uniform(size=(40, 3))
WHOLE = RNG.integers(0, 9, size=(40, 3))


@pytest.mark.parametrize(
    ("support", "values"),
    [
        (REALS, SHARES - 5),
        (UNIT, SHARES),
        (UNIT, WHOLE > 4),
        (COUNTS, WHOLE.astype(float)),
        (BINARY, (WHOLE > 4).astype(np.float32)),
        (levels(9), WHOLE),
    ],
    ids=str,
)
def test_data_on_the_support_pass(support, values):
    check_support(values, support, who="It")


@pytest.mark.parametrize(
    ("support", "values", "remedy"),
    [
        (UNIT, WHOLE, 'transform="unit"'),
        (UNIT, 3 * SHARES, "Divide the data"),
        (UNIT, SHARES - 0.5, "real line"),
        (COUNTS, SHARES, "ContinuousBernoulli, Beta or TruncatedNormal"),
        (COUNTS, 9 * SHARES, "noise='shared'"),
        (COUNTS, WHOLE - 1, "real line"),
        (BINARY, SHARES, "nothing that sums to one"),
        (BINARY, WHOLE, "BetaBinomial(levels=9)"),
        (levels(5), WHOLE, "levels=9 or more"),
    ],
    ids=str,
)
def test_data_off_the_support_are_refused_with_what_fits_them(support, values, remedy):
    with pytest.raises(wp.DataError) as error:
        check_support(values, support, who="It")
    assert str(error.value).startswith(f"It needs {support}")
    assert f"[{values.min():g}, {values.max():g}]" in str(error.value)
    assert remedy in str(error.value)


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        (REALS, UNIT, True),
        (UNIT, REALS, False),
        (UNIT, BINARY, True),
        (COUNTS, levels(3), True),
        (levels(3), COUNTS, False),
        (COUNTS, UNIT, False),
    ],
    ids=str,
)
def test_containment(outer, inner, expected):
    assert outer.contains(inner) is expected


@pytest.mark.parametrize("n", [1, 0, 2.0, True, "256"])
def test_levels_must_be_two_or_more(n):
    with pytest.raises(wp.SettingError, match="levels"):
        levels(n)


def untrained(noise, rows, **settings):
    """A VAE of the rows at its start, which has all that the rows are checked by."""
    vae = textbook_vae(1, noise=noise, hidden=(4,), random_state=0, **settings)
    vae.model_ = prepare(vae, rows).model
    return vae


def fitted(noise, rows, **settings):
    settings = {"hidden": (4,), "max_epochs": 2, "random_state": 0, **settings}
    with pytest.warns(wp.TrainingWarning):  # two epochs do not settle
        return textbook_vae(1, noise=noise, **settings).fit(rows)


@pytest.mark.parametrize(
    ("noise", "rows", "transform"),
    [
        ("shared", SHARES, "Standardize"),
        ("beta", SHARES, "Unit"),
        ("beta", WHOLE, "Unit"),
        ("poisson", WHOLE, "Identity"),
        ("beta-binomial", WHOLE, "Identity"),
    ],
)
def test_auto_is_the_transform_that_the_noise_is_made_for(noise, rows, transform):
    assert type(untrained(noise, rows).model_.transform).__name__ == transform


def test_scoring_checks_what_fitting_checked():
    counts = untrained("poisson", WHOLE)
    with pytest.raises(wp.DataError, match="whole numbers from 0"):
        counts.score_samples(SHARES)
    levelled = untrained("beta-binomial", WHOLE)
    with pytest.raises(wp.DataError, match="levels=11"):
        levelled.score_samples(WHOLE + 2)
    logit = untrained("shared", SHARES, transform="logit")
    with pytest.raises(wp.DataError, match="Logit"):
        logit.score_samples(SHARES + 1)


def test_a_transform_whose_values_are_off_the_support_is_refused():
    with pytest.raises(wp.SettingError, match=r"transform at .auto."):
        textbook_vae(1, noise="beta", transform="standardize").fit(SHARES)
    with pytest.raises(wp.SettingError, match=r"transform at .auto."):
        textbook_vae(1, noise="poisson", transform="unit").fit(WHOLE)


@pytest.mark.slow
def test_dequantised_scores_bound_the_probability_of_the_level():
    """E_u log p(x + u) ≤ log P(x), and the probabilities of all levels there are sum to one."""
    vae = fitted("beta", WHOLE[:, :2], transform=wp.transforms.Unit(9))
    table = np.stack(np.meshgrid(np.arange(9), np.arange(9)), axis=-1).reshape(-1, 2)
    draws = [
        evaluation.elbo(vae.model_, table, n_samples=4, key=jax.random.key(i)).elbo
        for i in range(50)  # of u, one each
    ]
    assert 0.9 < np.exp(np.mean(draws, axis=0, dtype=float)).sum() < 1.0
