"""Tables with a column of amounts: no negative draws, and the log p of a logarithm by hand."""

import warnings

import numpy as np
import pandas as pd
import pytest

import wellposed as wp
from textbook import textbook_vae
from wellposed.estimators._prepare import prepare
from wellposed.noise import Columns

DRAWS = np.random.default_rng(0)
FACTOR = DRAWS.normal(size=(400, 1))
TABLE = np.hstack(
    [
        np.exp(1.5 * FACTOR + 0.3 * DRAWS.normal(size=(400, 1)) + 8),
        FACTOR + 0.2 * DRAWS.normal(size=(400, 1)),
        0.2 * DRAWS.normal(size=(400, 1)) - FACTOR,
    ]
)
SETTINGS = {"hidden": (16,), "max_epochs": 60, "learning_rate": 5e-3, "random_state": 0}


@pytest.fixture(scope="module")
def by_hand() -> float:
    """Mean log p of some rows through a logarithm and its Jacobian made outside."""
    logs = np.column_stack([np.log(TABLE[:, 0]), TABLE[:, 1:]])
    fitted = textbook_vae(1, noise="feature", **SETTINGS).fit(logs)
    return fitted.score(logs[:120]) - logs[:120, 0].mean()


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.parametrize(
    ("word", "short"), [("log-normal", 0.5), pytest.param("gamma", 1.0, marks=pytest.mark.slow)]
)
def test_a_column_of_amounts_beside_others(word, short, by_hand):
    """A gamma is not what made the data, and may be a nat short."""
    noise = Columns({0: word, 1: "feature", 2: "feature"})
    vae = textbook_vae(1, noise=noise, **SETTINGS).fit(TABLE)
    assert vae.score(TABLE[:120]) == pytest.approx(by_hand, abs=short)
    drawn = vae.sample(2_000)
    assert (drawn[:, 0] > 0).all()
    assert (drawn[:, 1] < 0).any()
    assert np.log(drawn[:, 0]).std() == pytest.approx(1.5, rel=0.25)


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.slow
def test_all_columns_through_their_logarithm():
    amounts = np.exp(np.hstack([FACTOR, 2 - FACTOR]) + 0.3 * DRAWS.normal(size=(400, 2)))
    vae = textbook_vae(1, transform="log", **SETTINGS).fit(amounts)
    assert (vae.sample(2_000) > 0).all()
    assert vae.score(amounts) <= vae.model_.log_density_bound(2)
    scaled = textbook_vae(1, transform="log", **SETTINGS).fit(amounts * 1024.0)
    # The draws of z are of each row's content, and so others: on the mean they differ by little.
    change = scaled.score(amounts * 1024.0) - vae.score(amounts)
    assert change == pytest.approx(-2 * np.log(1024.0), abs=0.02)


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_amounts_that_are_often_zero_survive_their_file(tmp_path):
    spent = np.where(DRAWS.uniform(size=(400, 2)) < 0.5, 0.0, np.exp(DRAWS.normal(size=(400, 2))))
    noise = wp.noise.ZeroInflated(wp.noise.Gamma())
    vae = textbook_vae(1, noise=noise, hidden=(8,), max_epochs=5, random_state=0).fit(spent)
    drawn = vae.sample(1_000)
    assert (drawn >= 0).all()
    assert (drawn == 0).mean() == pytest.approx(0.5, abs=0.1)
    vae.save(tmp_path / "spent.wp")
    loaded = wp.load(tmp_path / "spent.wp")
    np.testing.assert_array_equal(loaded.elbo(spent[:9]), vae.elbo(spent[:9]))


QUICK = {"hidden": (4,), "max_epochs": 1, "random_state": 0}


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_a_hint_names_the_columns_whose_draws_would_be_negative():
    with pytest.warns(wp.DataHint, match=r"Columns 0 are amounts.*log-normal") as caught:
        textbook_vae(1, **QUICK).fit(TABLE)
    assert sum(w.category is wp.DataHint for w in caught) == 1


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.filterwarnings("error::wellposed.DataHint")
@pytest.mark.parametrize(
    "settings",
    [{"transform": "log1p"}, {"noise": "gamma"}, {"image_shape": (1, 1)}],
    ids=["log1p", "gamma", "image"],
)
def test_there_is_no_hint_where_it_was_taken_or_for_images(settings):
    prepare(textbook_vae(1, **settings, **QUICK), TABLE[:, :1])


def test_counts_marks_and_symmetric_columns_deserve_no_hint():
    ordinary = np.column_stack(
        [DRAWS.poisson(1, 300), DRAWS.uniform(size=300), DRAWS.normal(5, 2, 300)]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", wp.DataHint)
        warnings.simplefilter("ignore", wp.TrainingWarning)
        prepare(textbook_vae(1, **QUICK), ordinary)


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_the_hint_for_a_frame_is_a_line_that_does_it():
    rng = np.random.default_rng(0)
    paid = np.exp(1.5 * rng.normal(size=200))
    frame = pd.DataFrame(
        {"paid": paid, "rain": paid * rng.integers(2, size=200), "t": rng.normal(size=200)}
    )
    with pytest.warns(
        wp.DataHint, match=r"replace\(\['paid', 'rain'\], kind=\"amount\"\)"
    ) as caught:
        wp.VAE(1, **QUICK).fit(frame)
    (said,) = (str(w.message) for w in caught if w.category is wp.DataHint)
    assert "{'paid': 'log', 'rain': 'log1p'}" in said
    schema = wp.Schema.of(frame).replace(["paid", "rain"], kind="amount")
    drawn = wp.VAE(1, noise=schema, **QUICK).fit(frame).sample(200)
    assert (drawn[["paid", "rain"]] >= 0).all(axis=None)
    assert (drawn["paid"] > 0).all()


def test_an_array_gets_the_noise_of_each_kind_of_amount():
    both = np.column_stack([TABLE[:, 0], TABLE[:, 0] * DRAWS.integers(2, size=400)])
    with pytest.warns(wp.DataHint, match='"zero-inflated" or, without zeros, "log-normal"'):
        prepare(textbook_vae(1, **QUICK), both)
    with pytest.warns(wp.DataHint, match='noise "zero-inflated" \\(') as caught:
        prepare(textbook_vae(1, **QUICK), both[:, 1:])
    assert "depends on the unit" in str(caught[0].message)


def test_many_zeros_are_those_of_an_amount_without_a_long_tail():
    flat = DRAWS.uniform(5, 10, size=300)
    sometimes, seldom = flat * (np.arange(300) % 2), flat * (np.arange(300) % 20 > 0)
    table = np.column_stack([sometimes, seldom, DRAWS.normal(size=300)])
    with pytest.warns(wp.DataHint, match=r"Columns 0 are amounts"):
        prepare(textbook_vae(1, **QUICK), table)
