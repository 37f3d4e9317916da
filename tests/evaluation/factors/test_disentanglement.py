"""Scores of latents that are factors, mixtures of factors, or independent of them."""

import numpy as np
import pytest
from scipy.special import digamma

from wellposed import DataError, SettingError
from wellposed.evaluation import (
    dci,
    disentanglement,
    factor_vae_score,
    mutual_information_gap,
    sap,
)

N, M = 600, 4


def continuous(n=N, m=M, seed=0):
    return np.random.default_rng(seed).uniform(size=(n, m))


def balanced(n_levels, n=N, m=M, seed=0):
    """Each level equally often, in an order of its own for each factor."""
    draws = np.random.default_rng(seed)
    return np.stack([draws.permutation(np.arange(n) % n_levels) for _ in range(m)], axis=1)


def permuted(factors):
    return factors[:, ::-1] * np.array([3.0, -0.01, 100.0, 1.0]) + 5.0


def rotated(factors):
    """The first two factors rotated by 45°, the others as they are."""
    z = factors - factors.mean(axis=0)
    z = z / z.std(axis=0)
    return np.column_stack([z[:, 0] + z[:, 1], z[:, 0] - z[:, 1], z[:, 2:]])


def uncorrelated(factors):
    """Factors whose sample correlations are exactly 0."""
    q, _ = np.linalg.qr(factors - factors.mean(axis=0))
    return q


@pytest.mark.parametrize("factors", [continuous(), balanced(4), balanced(2)])
def test_scores_of_the_factors_themselves(factors):
    found = disentanglement(permuted(factors), factors, random_state=0, n_groups=0)
    assert found.disentanglement.value > 0.97
    assert found.completeness.value > 0.97
    assert found.informativeness.value > 0.98
    assert found.factor_vae.value == 1.0
    assert found.gap.information.argmax(axis=0).tolist() == [3, 2, 1, 0]
    assert found.dci.importances.argmax(axis=0).tolist() == [3, 2, 1, 0]


@pytest.mark.parametrize("n_levels", [2, 4, 8])
def test_a_latent_that_is_the_factor_has_its_entropy(n_levels):
    factors = balanced(n_levels)
    found = mutual_information_gap(permuted(factors), factors, random_state=0)
    np.testing.assert_allclose(found.information.max(axis=0), found.entropies, rtol=1e-12)
    expected = digamma(N) - digamma(N // n_levels)
    np.testing.assert_allclose(found.entropies, expected, rtol=1e-12)
    bins = mutual_information_gap(permuted(factors), factors, random_state=0, estimator="bins")
    np.testing.assert_allclose(bins.information.max(axis=0), np.log(n_levels), rtol=1e-12)
    # The second latent is independent: its estimate is its error.
    np.testing.assert_allclose(found.gaps, 1.0, atol=2 / np.sqrt(N) / np.log(n_levels))


def test_information_of_a_gaussian_latent_is_that_of_quadrature():
    n = 4000
    levels = balanced(2, n=n, m=2)
    noise = np.random.default_rng(1).normal(size=(n, 2))
    found = mutual_information_gap(2.0 * levels + noise, levels, random_state=0)
    grid = np.linspace(-10, 12, 20_001)
    density = np.exp(-0.5 * grid**2) / np.sqrt(2 * np.pi)
    both = 0.5 * density + 0.5 * np.exp(-0.5 * (grid - 2) ** 2) / np.sqrt(2 * np.pi)
    information = -np.trapezoid(both * np.log(both), grid) - 0.5 * np.log(2 * np.pi * np.e)
    np.testing.assert_allclose(np.diag(found.information), information, atol=0.03)
    bins = mutual_information_gap(2.0 * levels + noise, levels, random_state=0, estimator="bins")
    np.testing.assert_allclose(np.diag(bins.information), information, atol=0.03)


def test_information_of_deciles_of_a_continuous_factor():
    factors = continuous(n=1000)
    found = mutual_information_gap(factors, factors, random_state=0)
    np.testing.assert_allclose(found.entropies, digamma(1000) - digamma(100), rtol=1e-12)
    np.testing.assert_allclose(found.gaps, 1.0, atol=0.12)


def test_sap_of_continuous_factors_is_the_gap_of_squared_correlations():
    factors = uncorrelated(continuous())
    assert sap(permuted(factors), factors, random_state=0).score == pytest.approx(1.0, rel=1e-9)
    turned = sap(rotated(factors), factors, random_state=0)
    expected = np.array([[0.5, 0.5], [0.5, 0.5]])
    np.testing.assert_allclose(turned.scores[:2, :2], expected, rtol=1e-9)
    np.testing.assert_allclose(turned.gaps, [0, 0, 1, 1], atol=1e-9)


@pytest.mark.parametrize("n_levels", [2, 3, 6])
def test_sap_of_discrete_factors_is_one_less_chance(n_levels):
    factors = balanced(n_levels, n=3000)
    found = sap(permuted(factors), factors, random_state=0)
    best = found.scores.max(axis=0)
    np.testing.assert_array_equal(best, 1.0)
    # Held-out accuracy of noise: 1/l, with binomial error; the largest of three is above it.
    np.testing.assert_allclose(found.gaps, 1 - 1 / n_levels, atol=4 * np.sqrt(0.25 / 1500))


def test_rotation_by_45_degrees_leaves_no_gap_and_equal_importances():
    factors = continuous(n=2000)
    z = rotated(factors)
    gap = mutual_information_gap(z, factors, random_state=0)
    np.testing.assert_allclose(gap.gaps[:2], 0.0, atol=0.05)
    found = dci(z, factors, random_state=0)
    np.testing.assert_allclose(found.importances[:2, :2], 0.5, atol=0.06)
    # Two of four factors or latents with shares of ½: 1 − log 2 / log 4 = ½; the others 1.
    assert found.completeness == pytest.approx(0.75, abs=0.05)
    assert found.disentanglement == pytest.approx(0.75, abs=0.05)
    with_two = dci(z[:, :2], factors[:, :2], random_state=0)
    assert with_two.completeness == pytest.approx(0.0, abs=0.02)


def test_disentanglement_weighs_latents_by_their_importance():
    from wellposed.evaluation import DCI

    found = DCI(np.array([[1.0, 1.0], [0.0, 0.0]]), np.ones(2))
    assert found.disentanglement == pytest.approx(0.0)
    assert found.completeness == pytest.approx(1.0)
    one = DCI(np.array([[1.0, 0.25], [0.0, 0.75]]), np.ones(2))
    entropy = -(0.8 * np.log2(0.8) + 0.2 * np.log2(0.2))
    assert one.disentanglement == pytest.approx(1.25 / 2 * (1 - entropy) + 0.75 / 2)


@pytest.mark.parametrize("factors", [continuous(n=2000), balanced(4, n=2000)])
def test_independent_latents_score_near_nothing(factors):
    z = np.random.default_rng(9).normal(size=(2000, 5))
    found = disentanglement(z, factors, random_state=0, n_groups=0)
    assert abs(found.mutual_information_gap.value) < 0.03
    assert found.disentanglement.value < 0.05
    assert found.completeness.value < 0.05
    assert found.informativeness.value < 0.05
    assert abs(found.sap.value) < 0.03
    assert found.factor_vae.value == pytest.approx(1 / M, abs=0.12)


@pytest.mark.parametrize("score", [mutual_information_gap, dci, sap, factor_vae_score])
@pytest.mark.parametrize("factors", [continuous(n=300), balanced(3, n=300)])
def test_scales_change_nothing_and_signs_only_ties(score, factors):
    z = rotated(factors) + 0.1 * np.random.default_rng(1).normal(size=factors.shape)
    first = _figures(score(z, factors, random_state=0))
    scaled = score(z * np.array([4.0, 0.25, 1.0, 1024.0]), factors, random_state=0)
    np.testing.assert_allclose(_figures(scaled), first, atol=1e-7)
    turned = score(-z, factors, random_state=0)
    # A tree chooses the first of equal splits: of 150 rows, an accuracy has the error 0.04.
    np.testing.assert_allclose(_figures(turned), first, atol=0.04)


@pytest.mark.parametrize("score", [mutual_information_gap, sap, factor_vae_score])
def test_a_permutation_of_latents_permutes_the_figures(score):
    factors = balanced(3, n=300)
    z = rotated(factors) + 0.1 * np.random.default_rng(1).normal(size=factors.shape)
    order = [2, 0, 3, 1]
    first = _figures(score(z, factors, random_state=0))
    again = _figures(score(z[:, order], factors, random_state=0))
    np.testing.assert_allclose(again, first[..., order, :], atol=1e-9)


def _figures(record):
    names = ("information", "importances", "scores", "held_out")
    return next(np.asarray(getattr(record, n), float) for n in names if hasattr(record, n)) / (
        800 if hasattr(record, "held_out") else 1
    )


def test_votes_count_the_latent_that_does_not_vary():
    factors = balanced(4)
    found = factor_vae_score(permuted(factors), factors, random_state=0, n_votes=200)
    assert found.training.sum() == found.held_out.sum() == 200
    assert np.trace(found.training[::-1]) == 200  # permuted() reverses the order
    # Latents of one factor only: its votes, a quarter, and of the others those of the best.
    merged = np.column_stack([factors[:, 0], factors[:, 0], np.zeros(N)])
    assert factor_vae_score(merged, factors, random_state=0).score < 0.6


def test_a_constant_latent_scores_nothing():
    factors = balanced(3)
    z = np.column_stack([permuted(factors), np.full(N, 1e9)])
    found = disentanglement(z, factors, random_state=0, n_groups=0)
    assert not found.gap.information[-1].any()
    assert not found.dci.importances[-1].any()
    assert not found.separation.scores[-1].any()
    assert not found.votes.training[-1].any()
    nothing = disentanglement(np.ones((N, 2)), factors, random_state=0, n_groups=0)
    assert nothing.mutual_information_gap.value == nothing.sap.value == 0.0
    assert nothing.disentanglement.value == 0.0


def test_errors_of_the_jackknife_are_the_spread_over_samples():
    def draw(seed):
        factors = continuous(n=300, m=2, seed=seed)
        return factors + 0.2 * np.random.default_rng(100 + seed).normal(size=factors.shape), factors

    spread = np.std([sap(*draw(seed), random_state=0).score for seed in range(100)], ddof=1)
    found = [disentanglement(*draw(seed), random_state=0).sap for seed in range(3)]
    # Three variances of 4 degrees of freedom each: within a factor of 2 in 99 of 100 cases.
    error = np.sqrt(np.mean([estimate.standard_error**2 for estimate in found]))
    assert spread / 2 < error < 2 * spread


def test_text_and_mixed_columns_are_factors():
    levels = balanced(3, n=300, m=2)
    words = np.array(["red", "green", "blue"])[levels[:, 0]]
    factors = np.column_stack([words.astype(object), levels[:, 1].astype(object)])
    as_numbers = sap(levels, levels, random_state=0).scores
    np.testing.assert_allclose(sap(levels, factors, random_state=0).scores, as_numbers, atol=0.1)


def test_a_seed_fixes_the_scores():
    factors = continuous(n=200, m=2)
    z = rotated(factors)
    first, again = (str(disentanglement(z, factors, random_state=4)) for _ in range(2))
    assert first == again
    named = str(disentanglement(z, factors, random_state=4, names=["x", "size"]))
    assert "size" in named
    assert "±" in named


GOOD = continuous(n=40, m=3)


def _with(value, row=0, column=0):
    changed = GOOD.copy()
    changed[row, column] = value
    return changed


@pytest.mark.parametrize(
    ("latents", "factors", "options", "error", "message"),
    [
        (_with(np.nan, 3), GOOD, {}, DataError, "first is row 3"),
        (GOOD, _with(np.inf, 3, 1), {}, DataError, "infinity in factor 1"),
        (GOOD[:, :1], GOOD, {}, DataError, "at least 2; got 1"),
        (GOOD, GOOD[:, :1], {}, DataError, "at least 2; got 1"),
        (GOOD, GOOD[:30], {}, DataError, "40 rows of latents"),
        (GOOD, GOOD[:, 0], {}, DataError, "is a column"),
        (GOOD[:10], GOOD[:10], {}, DataError, "n ≥ 20"),
        ([["a", "b"]] * 40, GOOD, {}, DataError, "array of numbers"),
        (GOOD, GOOD * [1, 0, 1], {}, DataError, "factor 1 is 0.0 in every row"),
        (GOOD, GOOD, {"discrete": True}, DataError, "at least 4 rows"),
        (GOOD, GOOD, {"discrete": [True]}, SettingError, "each of the 3"),
        (GOOD, np.full((40, 2), [["a", "b"], ["b", "a"]] * 20).reshape(40, -1), {"discrete": False},
         SettingError, "has text"),
        (GOOD, GOOD, {"names": ["a"]}, DataError, "got 1"),
        (GOOD, GOOD, {"n_groups": 1}, SettingError, "leaves the errors out"),
        (GOOD, GOOD, {"random_state": "seed", "n_groups": 0}, SettingError, "random_state=0"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_a_remedy(latents, factors, options, error, message):
    with pytest.raises(error, match=message):
        disentanglement(latents, factors, **{"random_state": 0} | options)


def test_missing_text_and_unknown_estimators_are_refused():
    factors = np.array([["a", "b"], ["b", None]] * 20, dtype=object)
    with pytest.raises(DataError, match="factor 1"):
        sap(GOOD, factors, random_state=0)
    with pytest.raises(SettingError, match="neighbours"):
        mutual_information_gap(GOOD, GOOD, random_state=0, estimator="nearest")  # pyright: ignore
    assert sap(GOOD, GOOD[:, :1], random_state=0).scores.shape == (3, 1)
