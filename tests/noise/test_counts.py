"""Counts: rows with separate size and composition, and real single cells."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse
from scipy import stats
from scipy.special import digamma

from once import once, over
from textbook import textbook_vae
from variants import slow_beside
from wellposed.noise import NegativeBinomial, Poisson
from wellposed.noise.counts.log_probability import log_negative_binomial, log_poisson
from wellposed.transforms import Moments

BOTH = [Poisson, NegativeBinomial]


def moments(varies=(True, True, True), size: float = 4.0) -> Moments:
    varies = jnp.asarray(varies)
    mean = size * jnp.array([0.2, 0.5, 0.3])
    return Moments(
        mean=jnp.where(varies, mean, jnp.array([0.0, 2.0, 0.0])),
        variance=jnp.where(varies, 3 * mean, 0.0),
        resolution=jnp.ones(3),
        varies=varies,
        n=50,
    )


def row_law(family, raw=(0.3, -0.2, 0.5), **of_moments):
    return family(library=True).initialise(moments(**of_moments))(jnp.asarray(raw, float))


def enumerated(top: int) -> np.ndarray:
    return np.array([x for x in itertools.product(range(top + 1), repeat=3) if sum(x) <= top])


@pytest.mark.parametrize("family", BOTH)
@pytest.mark.parametrize("varies", [(True, True, True), (True, False, True)], ids=["all", "some"])
def test_rows_sum_to_one_and_have_their_moments(family, varies, x64):
    """All rows of a total up to 40, and the tail of the totals beyond."""
    noise = family(library=True).initialise(moments(varies, size=1.0))
    p = noise(jnp.array([0.3, -0.2, 0.5]))
    rows = enumerated(40)
    mass = np.exp(np.asarray(over(p.log_prob, jnp.asarray(rows, float))))
    assert mass.sum() == pytest.approx(1.0, abs=1e-7)
    mean = mass @ rows
    np.testing.assert_allclose(p.mean, mean, rtol=1e-5)
    np.testing.assert_allclose(p.variance, mass @ (rows - mean) ** 2, rtol=1e-4)


def test_a_row_of_poissons_is_a_multinomial_of_its_total(x64):
    p = row_law(Poisson)
    size = p.size
    x = np.array([2, 5, 1])
    r, mean = float(size.concentration[0]), float(size.mean[0])
    log_size = stats.nbinom.logpmf(x.sum(), r, r / (r + mean))
    shares = np.array([0.2, 0.5, 0.3]) * np.exp([0.3, -0.2, 0.5])
    expected = log_size + stats.multinomial.logpmf(x, x.sum(), shares / shares.sum())
    # Moments are float32: the start is given to seven digits.
    assert float(p.log_prob(jnp.asarray(x, float))) == pytest.approx(expected, rel=1e-6)


def test_a_row_of_negative_binomials_is_a_dirichlet_multinomial_of_its_total(x64):
    p = row_law(NegativeBinomial)
    size = p.size
    x = np.array([2, 5, 1])
    r, mean = float(size.concentration[0]), float(size.mean[0])
    shares = np.array([0.2, 0.5, 0.3]) * np.exp([0.3, -0.2, 0.5])
    concentration = 1e-3 + 4.0 / (3.0 - 1.0)  # Σ V = 3 Σ m = Σ m (1 + T/φ)
    a = 1e-6 + concentration * shares / shares.sum()
    expected = stats.nbinom.logpmf(x.sum(), r, r / (r + mean))
    expected += stats.dirichlet_multinomial.logpmf(x, a, x.sum())
    assert float(p.log_prob(jnp.asarray(x, float))) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("size", slow_beside([4.0, 1e5], [4.0]))
@pytest.mark.parametrize("family", BOTH)
def test_draws_have_the_rows_moments(family, size):
    p = row_law(family, size=size, varies=(True, True, False) if size < 10 else (True,) * 3)
    n = 4000
    drawn = np.asarray(jax.jit(jax.vmap(p.sample))(jax.random.split(jax.random.key(0), n)))
    assert np.array_equal(drawn, np.round(drawn))
    mean, deviation = np.asarray(p.mean), np.sqrt(np.asarray(p.variance))
    np.testing.assert_array_less(np.abs(drawn.mean(axis=0) - mean), 4 * deviation / np.sqrt(n))
    np.testing.assert_allclose(drawn[:, :2].std(axis=0), deviation[:2], rtol=0.15)


@pytest.mark.parametrize("family", slow_beside(BOTH, [NegativeBinomial]))
def test_draws_given_the_total_follow_its_binomials(family):
    """Multinomial and Dirichlet-multinomial margins are binomial and beta-binomial."""
    p = row_law(family)
    drawn = np.asarray(jax.jit(jax.vmap(p.sample))(jax.random.split(jax.random.key(1), 20_000)))
    total = drawn.sum(axis=1)
    shares = np.exp(np.asarray(p.log_shares, np.float64))
    common = int(np.bincount(total.astype(int))[1:].argmax() + 3)
    chosen = drawn[total == common]
    for j in range(3):
        if family is Poisson:
            law = stats.binom(common, shares[j])
        else:
            a = np.asarray(p.concentration, np.float64)
            law = stats.betabinom(common, a[j], a.sum() - a[j])
        expected = law.pmf(np.arange(common + 1)) * len(chosen)
        seen = np.bincount(chosen[:, j].astype(int), minlength=common + 1)
        kept = expected >= 5
        seen = np.append(seen[kept], seen[~kept].sum())
        expected = np.append(expected[kept], max(expected[~kept].sum(), 1e-9))
        assert stats.chisquare(seen, expected * (seen.sum() / expected.sum())).pvalue > 1e-4


@pytest.mark.parametrize("family", slow_beside(BOTH, [NegativeBinomial]))
def test_extreme_rows_and_outputs_stay_finite_in_float32(family):
    noise = family(library=True).initialise(moments(size=1e4))
    both = jax.jit(jax.value_and_grad(lambda raw, y: noise(raw).log_prob(y)))

    @jax.jit
    def moments_and_draws(raw):
        p = noise(raw)
        return p.mean, p.variance, p.coupled(jnp.asarray(1.0)), p.sample(jax.random.key(0))

    for raw in ([1e4, -1e4, 0.0], [-1e4, -1e4, -1e4], [1e4, 1e4, -1e4]):
        for y in ([0.0, 0.0, 0.0], [1e5, 0.0, 0.0], [0.0, 1e5, 3.0], [1.0, 1.0, 1.0]):
            value, slope = both(jnp.array(raw), jnp.array(y))
            assert np.isfinite(value)
            assert np.isfinite(slope).all()
            assert float(value) <= noise.log_density_bound(3) == 0.0
        for found in moments_and_draws(jnp.array(raw)):
            assert np.isfinite(found).all()


@pytest.mark.parametrize("family", BOTH)
def test_rare_features_do_not_lose_the_common_ones_digits(family, x64):
    """Totals of 100,000: float32 against float64 to a hundredth of a nat."""
    noise = family(library=True).initialise(moments(size=1e5))
    raw, y = jnp.array([0.1, -0.3, -9.0]), jnp.array([3.7e4, 6.3e4, 2.0])
    exact = float(once(lambda noise, raw: noise(raw).log_prob(y), noise, raw))
    narrow = jax.tree.map(
        lambda leaf: leaf.astype(jnp.float32) if leaf.dtype == jnp.float64 else leaf, noise
    )
    y = y.astype(jnp.float32)
    value = once(lambda noise, raw: noise(raw).log_prob(y), narrow, raw.astype(jnp.float32))
    assert float(value) == pytest.approx(exact, abs=1e-2)


def test_the_size_of_a_row_is_divided_out_and_not_lost():
    noise = Poisson(library=True).initialise(moments(size=1000.0))
    y = jnp.array([200.0, 500.0, 300.0])
    once, thrice = noise.encoder_input(y), noise.encoder_input(3 * y)
    np.testing.assert_allclose(thrice - once, np.log(3) / np.sqrt(3), rtol=1e-2)


@pytest.mark.parametrize("mean", [1e-3, 0.7, 30.0, 1e5])
def test_stable_probabilities_agree_with_scipy(mean, x64):
    x = np.array([0, 1, 2, 15, 16, 17, 40, 1000, 100_000])
    np.testing.assert_allclose(
        log_poisson(jnp.asarray(x, float), jnp.log(mean)),
        stats.poisson.logpmf(x, mean),
        rtol=1e-10,
        atol=1e-8,
    )
    for r in (1e-3, 0.4, 12.0, 1e3):
        np.testing.assert_allclose(
            log_negative_binomial(jnp.asarray(x, float), jnp.log(mean), jnp.asarray(r)),
            stats.nbinom.logpmf(x, r, r / (r + mean)),
            rtol=1e-9,
            atol=1e-7,
        )


@pytest.mark.parametrize("mean", [1e-2, 30.0, 2e3])
def test_written_derivatives_are_those_of_the_formula(mean, x64):
    """By log m: x − m, and p(x − m). By r: differences of digamma, where those are good."""
    x = jnp.array([0.0, 1.0, 5.0, 17.0, 300.0])
    log_mean = jnp.full(5, jnp.log(mean))
    found = jax.jit(jax.grad(lambda m: log_poisson(x, m).sum()))(log_mean)
    np.testing.assert_allclose(found, x - mean, rtol=1e-10)
    slopes = jax.jit(jax.grad(lambda m, c: log_negative_binomial(x, m, c).sum(), (0, 1)))
    for r in (1e-3, 0.5, 20.0, 1e3):
        by_mean, by_r = slopes(log_mean, jnp.full(5, r))
        np.testing.assert_allclose(by_mean, r * (x - mean) / (r + mean), rtol=1e-10)
        expected = digamma(x + r) - digamma(r) + np.log(r / (r + mean)) + (mean - x) / (r + mean)
        np.testing.assert_allclose(by_r, expected, rtol=1e-8, atol=1e-12)


def test_a_huge_concentration_is_poisson_in_float32():
    x = jnp.arange(200.0)
    found = once(log_negative_binomial, x, jnp.log(jnp.float32(50)), jnp.float32(1e8))
    expected = stats.poisson.logpmf(np.arange(200), 50)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


def cells(shared_data, n: int, genes: int) -> np.ndarray:
    """Cells spread over the file, and its most expressed genes; raw counts."""
    stored = np.load(shared_data("single-cell/mouse_brain_10x_10000x1000_counts_csr.npz"))
    matrix = scipy.sparse.csr_matrix(
        (stored["data"].astype(int), stored["indices"], stored["indptr"]),
        shape=tuple(stored["shape"]),
    )
    chosen = matrix[:: matrix.shape[0] // n][:n]
    common = np.sort(np.argsort(-np.asarray(matrix.sum(axis=0)).ravel())[:genes])
    return np.asarray(chosen[:, common].todense()).astype(np.int32)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_single_cells_vary_more_than_poisson(shared_data):
    """Held-out bounds of 100 cells, paired: independent counts are overdispersed.

    Given a cell's size, a multinomial does for these few common genes.
    """
    rows = cells(shared_data, 400, 40)
    bound = {}
    for noise in (Poisson(), NegativeBinomial(), Poisson(True), NegativeBinomial(True)):
        vae = textbook_vae(
            3, noise=noise, hidden=(32,), max_epochs=30, random_state=0, patience=None
        )
        vae.fit(rows[:300])
        bound[type(noise).__name__, noise.library] = vae.elbo(rows[300:]).astype(float)
    gain = bound["NegativeBinomial", False] - bound["Poisson", False]
    assert gain.mean() > 3 * gain.std() / np.sqrt(len(gain))
    size = bound["Poisson", True] - bound["Poisson", False]
    assert size.mean() > 3 * size.std() / np.sqrt(len(size))
    drawn = vae.sample(20)
    assert np.array_equal(drawn, np.round(drawn))
