"""VAEs of tables with detection limits, against quadrature over the latent."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

import wellposed as wp
from once import over
from wellposed.noise import Censored, Gaussian, Rescaled

RNG = np.random.default_rng(0)
N = 500
WEIGHT = np.array([[1.0, 2.0, -1.0, 0.5]])
WHOLE = 100.0 + 10.0 * (RNG.normal(size=(N, 1)) @ WEIGHT + 0.5 * RNG.normal(size=(N, 4)))
LOW, HIGH = 98.0, 115.0
CUT = WHOLE.copy()
CUT[:, 0], CUT[:, 1] = np.maximum(CUT[:, 0], LOW), np.minimum(CUT[:, 1], HIGH)
LIMITS = {"low": [LOW, None, None, None], "high": {1: HIGH}}
SMALL = {"hidden": (), "max_epochs": 60, "progress": False, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")


@pytest.fixture(scope="module")
def fitted():
    return wp.VAE(1, noise=Censored("feature", **LIMITS), prior="standard", **SMALL).fit(CUT)


def tobit(vae, rows):
    """log p of rows by 201 nodes over z, with scipy's tails in data units."""
    model = jax.tree.map(np.asarray, vae.model_)
    z = np.linspace(-8.0, 8.0, 201)
    density = over(lambda z: vae.model_.decode(z[None]).of.mean, jnp.asarray(z))
    scale = np.asarray(model.transform.scale, np.float64)
    mean = np.asarray(model.transform.mean, np.float64) + scale * np.asarray(density, np.float64)
    sigma = scale * np.sqrt(np.asarray(model.noise.noise.variance(), np.float64))
    log_p = stats.norm.logpdf(rows[:, None], mean, sigma)
    low, high = stats.norm.logcdf(LOW, mean, sigma), stats.norm.logsf(HIGH, mean, sigma)
    log_p[..., 0] = np.where(rows[:, None, 0] == LOW, low[:, 0], log_p[..., 0])
    log_p[..., 1] = np.where(rows[:, None, 1] == HIGH, high[:, 1], log_p[..., 1])
    joint = log_p.sum(-1) + stats.norm.logpdf(z)
    return special.logsumexp(joint, axis=1) + np.log(z[1] - z[0])


def test_score_samples_is_tobits_likelihood(fitted):
    rows = CUT[:60]
    assert (rows[:, 0] == LOW).sum() > 10
    assert (rows[:, 1] == HIGH).sum() > 5
    found = fitted.score_samples(rows, n_samples=4_000)
    np.testing.assert_allclose(found, tobit(fitted, rows), atol=0.02)


def test_the_mean_of_a_column_is_that_before_it_was_censored(fitted):
    """Means of p(x), against the mean of values before and after they were recorded."""
    plain = wp.VAE(1, noise="feature", prior="standard", **SMALL).fit(CUT)
    own, other = (vae.sample(4_000, how="mean")[:, :2].mean(axis=0) for vae in (fitted, plain))
    truth = WHOLE[:, :2].mean(axis=0)
    assert (np.abs(own - truth) < 0.35 * np.abs(other - truth)).all()


def test_draws_are_recorded_at_limits_and_are_rows_of_the_model(fitted):
    drawn = fitted.sample(500)
    assert drawn[:, 0].min() == pytest.approx(LOW, rel=1e-6)
    assert drawn[:, 1].max() == pytest.approx(HIGH, rel=1e-6)
    share = np.isclose(drawn[:, 0], LOW).mean()
    assert share == pytest.approx((CUT[:, 0] == LOW).mean(), abs=0.1)
    assert np.isfinite(fitted.elbo(drawn)).all()


def test_rows_beyond_a_limit_are_refused(fitted):
    with pytest.raises(wp.DataError, match="below low=98"):
        fitted.score_samples(WHOLE)
    with pytest.raises(wp.DataError, match="below low=98"):
        wp.VAE(1, noise=Censored("feature", **LIMITS), **SMALL).fit(WHOLE)


def test_it_survives_a_file_and_a_recalibration(fitted, tmp_path):
    fitted.save(tmp_path / "cut.wp")
    again = wp.load(tmp_path / "cut.wp")
    np.testing.assert_array_equal(again.elbo(CUT[:30]), fitted.elbo(CUT[:30]))
    recalibrated = wp.evaluation.recalibrate(fitted.model_, CUT, key=jax.random.key(0))
    noise = recalibrated.model.noise
    assert isinstance(noise, Censored)
    assert isinstance(noise.noise, Rescaled)
    assert isinstance(noise.whole, Rescaled)
    assert isinstance(noise.whole.noise, Gaussian)


@pytest.mark.slow
def test_gaps_and_limits_in_one_frame():
    pandas = pytest.importorskip("pandas")
    gappy = CUT.copy()
    gappy[RNG.random(CUT.shape) < 0.2] = np.nan
    frame = pandas.DataFrame(gappy, columns=list("abcd"))
    noise = Censored("feature", low={"a": LOW}, high={"b": HIGH})
    short = SMALL | {"max_epochs": 3}
    vae = wp.VAE(1, noise=noise, missing="ignorable", **short).fit(frame)
    frame.iloc[0] = np.nan
    found = vae.score_samples(frame.iloc[:20])
    assert np.isfinite(found).all()
    assert found[0] == pytest.approx(0.0, abs=0.05)  # of a row without an observed entry: by draws


@pytest.mark.slow
def test_a_frame_of_kinds_has_limits_by_its_schema(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(CUT, columns=list("abcd"))
    frame["site"] = np.where(WHOLE[:, 3] > 100, "east", "west")
    schema = wp.Schema.of(frame).replace("a", noise=Censored("conditional", low=LOW))
    vae = wp.VAE(1, noise=schema, **SMALL | {"max_epochs": 3}).fit(frame)
    assert vae.model_.noise.low.values[:2] == (LOW, None)
    drawn = vae.sample(200)
    assert drawn["a"].min() == pytest.approx(LOW, rel=1e-6)
    assert set(drawn["site"]) <= {"east", "west"}
    vae.save(tmp_path / "kinds.wp")
    again = wp.load(tmp_path / "kinds.wp")
    rows = frame.head(20)
    np.testing.assert_array_equal(again.score_samples(rows), vae.score_samples(rows))
    with pytest.raises(wp.DataError, match="'a' has"):
        vae.score_samples(rows.assign(a=90.0))


@pytest.mark.slow
def test_an_imputer_finds_limits_by_name():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(CUT[:200], columns=list("abcd"))
    frame.loc[::4, "d"] = np.nan
    noise = Censored("feature", low={"a": LOW}, high={"b": HIGH})
    vae = wp.VAE(1, noise=noise, prior="standard", **SMALL | {"max_epochs": 3})
    imputer = wp.VAEImputer(vae, n_models=1, n_samples=16, random_state=0).fit(frame)
    assert imputer.vaes_[0].model_.noise.noise.low.values == (LOW, None, None, None)
    filled = imputer.transform(frame)
    assert np.isfinite(filled).all()
    np.testing.assert_array_equal(filled[:, :3], CUT[:200, :3])
