"""A VAE of rows with missing entries, from the estimator's face."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

import wellposed as wp
from linear_gaussian import exact_model, rows_of
from once import over
from variants import slow_beside
from wellposed import evaluation
from wellposed._fill import fill
from wellposed.noise import Ignorable, LowRankGaussian
from wellposed.noise.missing import Fill

KEY = jax.random.key(0)
SETTINGS = {"hidden": (16,), "max_epochs": 15, "random_state": 0, "progress": False}
SETTINGS |= {"prior": "standard"}  # few programs to compile
pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
TRAININGS = [
    (objective, noise)
    for objective in ("elbo", "iwae")
    for noise in ("shared", "feature", "student-t", LowRankGaussian(1))
]


def gappy(rows: np.ndarray, share: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(rows.shape) < share, np.nan, rows)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 5)) * 3 + rng.normal(size=(300, 5))
    return rows * [1.0, 10.0, 0.1, 1.0, 5.0] + 3


@pytest.fixture(scope="module")
def fitted(table):
    return wp.VAE(2, missing="ignorable", **SETTINGS).fit(gappy(table, 0.3))


def allowing_gaps(model):
    """A model of whole data, as one that allows missing entries; its decoder is the same."""
    d = len(model.decoder.bias)
    noise = fill(
        Ignorable(model.noise, show_mask=False),
        typical=jnp.zeros(d),
        filling=Fill(
            model.decoder.bias, model.decoder.weight.T, jnp.full(d, model.noise.variance())
        ),
    )
    return dataclasses.replace(model, noise=noise)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("share", [0.0, 0.6, 1.0])
def test_log_p_is_that_of_the_observed_entries(share):
    """A linear decoder: the marginal of a normal, for every pattern of gaps."""
    model, density = exact_model(d=5, k=2)
    rows = gappy(rows_of(density, 40), share)
    found = evaluation.log_likelihood(allowing_gaps(model), rows, n_samples=64, key=KEY)
    for row, value in zip(rows, np.asarray(found.value), strict=True):
        seen = ~np.isnan(row)
        exact = 0.0
        if seen.any():
            part = multivariate_normal(density.mean[seen], density.cov[np.ix_(seen, seen)])
            exact = part.logpdf(row[seen])
        assert value == pytest.approx(exact, abs=1e-9)


@pytest.mark.slow
@pytest.mark.usefixtures("x64")
def test_means_and_draws_are_those_of_the_conditional_normal():
    model, density = exact_model(d=5, k=2)
    rows = gappy(rows_of(density, 6), 0.5)
    made = evaluation.impute(allowing_gaps(model), rows, key=KEY, n_samples=4_000, n_draws=2_000)
    for i, row in enumerate(rows):
        seen = ~np.isnan(row)
        np.testing.assert_array_equal(np.asarray(made.mean)[i, seen], row[seen])
        inner = np.linalg.inv(density.cov[np.ix_(seen, seen)])
        across = density.cov[np.ix_(~seen, seen)] @ inner
        exact = density.mean[~seen] + across @ (row[seen] - density.mean[seen])
        rest = density.cov[np.ix_(~seen, ~seen)] - across @ density.cov[np.ix_(seen, ~seen)]
        deviation = np.sqrt(np.diag(rest))
        assert (np.abs(np.asarray(made.mean)[i, ~seen] - exact) < 5 * deviation / 60).all()
        draws = np.asarray(made.draws)[i][:, ~seen]
        assert (np.abs(draws.mean(axis=0) - exact) < 6 * deviation / 40).all()
        assert (np.abs(draws.std(axis=0) / deviation - 1) < 0.1).all()


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(
    ("method", "encoder"),
    [
        ("metropolis", "off"),
        *(
            pytest.param(sampler, "exact", marks=pytest.mark.slow)
            for sampler in ("metropolis", "pseudo-gibbs")
        ),
    ],
)
def test_chains_draw_from_the_conditional_normal(method, encoder):
    """Metropolis does for any encoder, pseudo-Gibbs for an exact one."""
    model, density = exact_model(d=5, k=2)
    model = allowing_gaps(model)
    if encoder == "off":
        model = eqx.tree_at(lambda m: m.encoder.bias, model, model.encoder.bias + 0.7)
    rows = gappy(rows_of(density, 6), 0.4, seed=2)
    settings = {"n_samples": 1_100, "n_draws": 1_100}
    made = evaluation.impute(model, rows, key=KEY, method=method, **settings)
    for i, row in enumerate(rows):
        seen = ~np.isnan(row)
        across = density.cov[np.ix_(~seen, seen)] @ np.linalg.inv(density.cov[np.ix_(seen, seen)])
        exact = density.mean[~seen] + across @ (row[seen] - density.mean[seen])
        rest = density.cov[np.ix_(~seen, ~seen)] - across @ density.cov[np.ix_(seen, ~seen)]
        deviation = np.sqrt(np.diag(rest))
        draws = np.asarray(made.draws)[i][:, ~seen]
        # Draws of a chain depend on each other: the error is that of 500 independent ones.
        assert (np.abs(draws.mean(axis=0) - exact) < 5 * deviation / 22).all()
        assert (np.abs(draws.std(axis=0) / deviation - 1) < 0.15).all()
        assert (np.abs(np.asarray(made.mean)[i, ~seen] - exact) < 5 * deviation / 22).all()


@pytest.mark.slow
def test_a_hidden_independent_column_takes_its_marginal_along(table):
    """log p(x) − log p(x without the column) is the column's own log density."""
    rows = np.column_stack([table, np.random.default_rng(1).normal(size=len(table))])
    vae = wp.VAE(2, noise="feature", missing="ignorable", **SETTINGS).fit(rows[:250])
    model = vae.model_
    weight = model.decoder.weight.at[:, 5].set(0.0)
    last = model.decoder.network.layers[-1]
    decoder = dataclasses.replace(
        model.decoder,
        weight=weight,
        network=dataclasses.replace(
            model.decoder.network,
            layers=(
                *model.decoder.network.layers[:-1],
                dataclasses.replace(last, weight=last.weight.at[:, 5].set(0.0)),
            ),
        ),
    )
    alone = dataclasses.replace(model, decoder=decoder)
    whole, hidden = vae.rows(rows[250:]), vae.rows(rows[250:])
    hidden = np.array(hidden)
    hidden[:, 5] = np.nan
    p = alone.decode(jnp.zeros(2))
    own = over(lambda x: p.of.feature_log_prob(alone.to_model_units(x, key=KEY).value)[5], whole)
    slope = -np.log(np.asarray(model.transform.scale)[5])
    more = evaluation.log_likelihood(alone, whole, n_samples=2_000, key=KEY, proposal="refined")
    fewer = evaluation.log_likelihood(alone, hidden, n_samples=2_000, key=KEY, proposal="refined")
    gain = np.asarray(more.value) - np.asarray(fewer.value)
    error = np.hypot(np.asarray(more.standard_error), np.asarray(fewer.standard_error))
    assert (np.abs(gain - np.array(own) - slope) < 5 * error + 1e-4).all()


def test_whole_rows_score_as_in_a_model_of_whole_rows(fitted, table):
    model = fitted.model_
    rows = fitted.rows(table[:50])
    terms = evaluation.elbo(model, rows, n_samples=4, key=KEY)
    # The mask is zero where nothing is missing: the same encoder without it.
    whole = dataclasses.replace(model, noise=fill(model.noise, filling=None))
    again = evaluation.elbo(whole, rows, n_samples=4, key=KEY)
    np.testing.assert_allclose(terms.elbo, again.elbo, rtol=1e-6)


def test_a_row_of_gaps_scores_zero_and_is_completed_by_the_model(fitted, table):
    gap = np.full((1, 5), np.nan)
    assert fitted.score_samples(gap, n_samples=2_000)[0] == pytest.approx(0.0, abs=0.05)
    assert np.isfinite(fitted.whole_rows(gap)).all()
    assert fitted.transform(gap).shape == (1, 2)


@pytest.mark.parametrize("marker", [None, float("nan"), np.ma.masked])
def test_gaps_of_every_kind_are_the_same(fitted, table, marker):
    rows = np.array(table[:4], object)
    rows[1, 2] = marker
    expected = np.array(table[:4])
    expected[1, 2] = np.nan
    np.testing.assert_array_equal(fitted.elbo(rows), fitted.elbo(expected))


def test_every_measure_takes_rows_with_gaps(fitted, table):
    rows = gappy(table[:80], 0.2, seed=3)
    assert np.isfinite(fitted.elbo(rows)).all()
    assert np.isfinite(fitted.reconstruct(rows)).all()
    assert fitted.collapse(rows).rates.shape == (2,)
    assert 0 < fitted.coverage(rows).coverage[2] <= 1
    assert np.isfinite(fitted.variance_split(rows).prior.total.value)
    assert wp.diagnose(fitted, rows, gappy(table[80:], 0.2)).findings


@pytest.mark.parametrize("training", slow_beside(TRAININGS, [("elbo", "feature")]))
def test_training_with_gaps_beats_the_mean(table, training):
    objective, noise = training
    vae = wp.VAE(2, noise=noise, objective=objective, missing="ignorable", **SETTINGS)
    vae.fit(gappy(table[:250], 0.3))
    assert np.isfinite(np.asarray(vae.noise_variance_)).all()
    deviation = table[:250].std(axis=0)
    alone = multivariate_normal(table[:250].mean(axis=0), np.diag(deviation**2))
    assert vae.score(table[250:]) > alone.logpdf(table[250:]).mean()


def test_it_survives_a_file(fitted, table, tmp_path):
    fitted.save(tmp_path / "gaps.wp")
    rows = gappy(table[:20], 0.4, seed=5)
    again = wp.load(tmp_path / "gaps.wp")
    np.testing.assert_array_equal(again.score_samples(rows), fitted.score_samples(rows))
    assert again.missing == "ignorable"


def test_a_model_of_whole_rows_refuses_gaps(table):
    with pytest.raises(wp.DataError, match="missing="):
        wp.VAE(2, **SETTINGS).fit(gappy(table, 0.1))


def test_noise_without_marginals_is_refused(table):
    levels = gappy(np.clip(np.rint(3 + np.asarray(table)), 0, 7), 0.1)
    with pytest.raises(wp.SettingError, match=r"integrated out.*Use noise="):
        wp.VAE(2, noise="causal-logistic", missing="ignorable", **SETTINGS).fit(levels)


@pytest.mark.slow
def test_causal_gaussian_noise_takes_gaps_and_fills_them(table):
    rows = gappy(table, 0.1)
    settings = SETTINGS | {"max_epochs": 2}
    vae = wp.VAE(2, noise=wp.noise.CausalGaussian(3), missing="ignorable", **settings).fit(rows)
    assert np.isfinite(vae.score_samples(rows[:20])).all()
    filled = vae.model_.decode(jnp.zeros(2)).conditional_mean(jnp.asarray(rows[0], jnp.float32))
    assert np.isfinite(np.asarray(filled)).all()


def test_a_column_of_gaps_is_refused_by_name(table):
    rows = np.array(table)
    rows[:, 3] = np.nan
    with pytest.raises(wp.DataError, match="3"):
        wp.VAE(2, missing="ignorable", **SETTINGS).fit(rows)


def test_infinity_is_no_gap(table):
    rows = np.array(table)
    rows[0, 0] = np.inf
    with pytest.raises(wp.DataError, match="inf"):
        wp.VAE(2, missing="ignorable", **SETTINGS).fit(rows)
