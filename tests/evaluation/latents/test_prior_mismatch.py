"""The rate's two parts, against a model in which both have a formula."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from linear_gaussian import exact_model, rows_of
from wellposed import DataError, _budget, evaluation
from wellposed.evaluation import Codes
from wellposed.evaluation.latents.codes import log_aggregate
from wellposed.latents import GaussianMixture

N, D, K, VARIANCE = 3_000, 5, 2, 0.3


def exact(spread: float = 1.0, stretch: float = 1.0):
    """Rate, information and mismatch of the solved model on data stretched around their mean.

    q(z) is a normal with independent latents: variance of the posterior means, and of q.
    """
    precision = np.linspace(2.0, 1.0, K) ** 2 + VARIANCE
    posterior = VARIANCE / precision
    means = stretch**2 * (1 - posterior)
    own = spread**2 * posterior
    rate = 0.5 * (own + means - 1 - np.log(own)).sum()
    total = own + means
    mismatch = 0.5 * (total - 1 - np.log(total)).sum()
    return rate, 0.5 * np.log(total / own).sum(), mismatch


def measured(spread: float = 1.0, stretch: float = 1.0, n: int = N, **more):
    model, density = exact_model(D, K, VARIANCE, spread=spread)
    rows = density.mean + stretch * (rows_of(density, n) - density.mean)
    return evaluation.prior_mismatch(model, rows, key=jax.random.key(0), **more)


def aggregate_prior(spread: float, stretch: float) -> GaussianMixture:
    """The aggregate posterior itself, which has one component here."""
    posterior = VARIANCE / (np.linspace(2.0, 1.0, K) ** 2 + VARIANCE)
    scale = np.sqrt(spread**2 * posterior + stretch**2 * (1 - posterior))
    return GaussianMixture(jnp.zeros(1), jnp.zeros((1, K)), jnp.diag(jnp.asarray(scale))[None])


@pytest.mark.parametrize(("spread", "stretch"), [(1.6, 1.0), (0.5, 1.0), (1.0, 2.5), (0.7, 0.4)])
def test_rate_information_and_mismatch_are_the_formulas(spread, stretch, x64):
    rate, information, mismatch = exact(spread, stretch)
    assert rate == pytest.approx(information + mismatch)
    found = measured(spread, stretch)
    own = found.priors["own"]
    assert abs(found.rate.value - rate) < 4 * found.rate.standard_error
    assert own.low.value - 4 * own.low.standard_error < mismatch
    assert mismatch < own.high.value + 4 * own.high.standard_error
    assert own.high.value - own.low.value < 0.1
    low, high = found.mutual_information
    assert (low, high) == (found.rate.value - own.high.value, found.rate.value - own.low.value)


def test_a_perfect_posterior_on_the_models_own_data_has_no_mismatch(x64):
    found = measured()
    low, high = found.mismatch
    assert low - 0.01 < 0 < high + 0.005
    assert high < 0.02
    share = found.priors["own"].outside
    assert share.value == pytest.approx(0.05, abs=0.02)
    assert "was trained where" in str(found)


def test_the_standard_errors_are_the_spread_over_data_sets(x64):
    """Of fresh rows and fresh draws; of the mean log density of the codes, too, which has more."""
    model, density = exact_model(D, K, VARIANCE, spread=1.6)
    runs = [
        evaluation.prior_mismatch(model, rows_of(density, 400, seed=s), key=jax.random.key(s))
        for s in range(40)
    ]
    estimates = [
        [run.rate for run in runs],
        [run.priors["own"].high for run in runs],
        [run.priors["own"].log_density for run in runs],
    ]
    for each in estimates:
        spread = np.std([one.value for one in each], ddof=1)
        stated = np.mean([one.standard_error for one in each])
        assert 0.65 < stated / spread < 1.5


def test_the_bracket_holds_on_average_where_rows_are_few(x64):
    _, _, mismatch = exact(spread=0.3, stretch=1.5)
    model, density = exact_model(D, K, VARIANCE, spread=0.3)
    ends = []
    for seed in range(30):
        rows = density.mean + 1.5 * (rows_of(density, 60, seed=seed) - density.mean)
        ends.append(evaluation.prior_mismatch(model, rows, key=jax.random.key(seed)).mismatch)
    ends = np.array(ends)
    error = ends.std(0, ddof=1) / np.sqrt(len(ends))
    assert ends[:, 0].mean() - 2 * error[0] < mismatch < ends[:, 1].mean() + 2 * error[1]
    assert ends[:, 1].mean() - ends[:, 0].mean() > 5 * error.max()  # few rows, and it says so


def test_information_stops_at_log_n_and_the_report_says_so(x64):
    found = measured(spread=1e-3, n=50)
    assert found.mutual_information[0] == pytest.approx(np.log(50), abs=0.2)
    assert exact(spread=1e-3)[1] > 10
    assert found.saturated
    assert "a bound and no estimate" in str(found)
    assert not measured(n=500).saturated


def test_the_aggregate_itself_as_prior_takes_the_mismatch_away(x64):
    spread, stretch = 0.7, 0.4
    found = measured(spread, stretch, priors={"exact": aggregate_prior(spread, stretch)})
    best, own = found.priors["exact"], found.priors["own"]
    mismatch = exact(spread, stretch)[2]
    assert abs(best.gain.value - mismatch) < 4 * best.gain.standard_error
    assert abs(best.high.value) < 0.02
    assert own.outside.value > 0.2 > 2 * best.outside.value - 0.05
    assert "adopt_prior(X)" in str(found)
    assert found.least_mismatch >= best.gain.value
    assert "Prior 'exact'" in str(found)


def test_chance_explains_no_bias(x64):
    """The gain is that of the plain mean over the codes, up to what chance explains."""
    model, density = exact_model(D, K, VARIANCE, spread=1.6)
    rows = rows_of(density, 4_000)
    found = evaluation.prior_mismatch(model, rows, key=jax.random.key(3)).priors["own"]
    z = evaluation.codes(model, rows, key=jax.random.key(4), most=4_000).z
    plain = norm.logpdf(z).sum(1)
    error = np.hypot(plain.std() / np.sqrt(len(z)), found.log_density.standard_error)
    assert abs(found.log_density.value - plain.mean()) < 3 * error
    assert found.log_density.standard_error < plain.std() / np.sqrt(len(z))


@pytest.mark.parametrize(
    ("stretch", "said"),
    [(0.05, "had little training there"), (1.0, "was trained where"), (4.0, "few of the draws")],
)
def test_the_verdict_knows_codes_narrower_and_wider_than_the_prior(stretch, said, x64):
    found = str(measured(stretch=stretch))
    assert said in found
    assert ("adopt_prior" in found) == (stretch != 1)


# -- codes -----------------------------------------------------------------------------------


def plain_log_q(codes: Codes, z: np.ndarray) -> np.ndarray:
    """log q(z_i | x_j), shape (s, n), from scipy."""
    return norm.logpdf(z[:, None], codes.loc, codes.scale).sum(-1)


def some_codes(n: int = 40, k: int = 3, least: float = 1e-5) -> Codes:
    rng = np.random.default_rng(0)
    scale = np.exp(rng.uniform(np.log(least), 0, size=(n, k)))
    return Codes(3 + rng.normal(size=(n, k)), scale, rng.normal(size=(n, k)), np.zeros(n))


def test_the_aggregates_density_is_the_mean_of_its_rows():
    codes = some_codes()
    z = np.random.default_rng(1).normal(3, 1, size=(30, 3))
    expected = logsumexp(plain_log_q(codes, z), axis=1) - np.log(40)
    np.testing.assert_allclose(log_aggregate(codes, z), expected, rtol=1e-7)


def test_leaving_out_drops_each_draws_own_row(monkeypatch):
    """In pieces as well, where a row's place is not its place in the piece."""
    monkeypatch.setattr(_budget, "NUMBERS_AT_ONCE", 40 * 7)
    codes = some_codes(least=0.1)
    each = plain_log_q(codes, codes.z)
    np.testing.assert_allclose(codes.log_density, np.diag(each), rtol=1e-9)
    np.fill_diagonal(each, -np.inf)
    expected = logsumexp(each, axis=1) - np.log(39)
    np.testing.assert_allclose(log_aggregate(codes, codes.z, leave_out=True), expected, rtol=1e-9)


def test_a_posterior_that_is_a_point_leaves_finite_numbers():
    codes = dataclasses.replace(some_codes(), scale=np.full((40, 3), 1e-30))
    assert np.isfinite(log_aggregate(codes, codes.z)).all()
    assert np.isfinite(codes.log_density).all()


def test_equal_rows_get_draws_of_their_own_and_many_rows_are_thinned():
    model, density = exact_model()
    rows = np.repeat(rows_of(density, 2), 50, axis=0).astype(np.float32)
    found = evaluation.codes(model, rows, key=jax.random.key(0), most=20)
    assert found.z.shape == (20, 2)
    assert len(np.unique(found.z[:, 0])) == 20
    assert len(np.unique(found.loc[:, 0])) == 2
    again = evaluation.codes(model, rows, key=jax.random.key(0), most=20)
    np.testing.assert_array_equal(found.z, again.z)


def test_one_row_is_refused():
    model, density = exact_model()
    with pytest.raises(DataError, match="at least 2 rows; got 1"):
        evaluation.prior_mismatch(model, rows_of(density, 2)[:1], key=jax.random.key(0))
