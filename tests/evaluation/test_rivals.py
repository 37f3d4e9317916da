"""Held-out log p(x) beside simpler densities: closed forms, units, and what is no density."""

import dataclasses
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

import wellposed as wp
from linear_gaussian import exact_model, rows_of
from textbook import textbook_vae
from wellposed import evaluation, noise
from wellposed.evaluation import Comparison, Estimate, Rival
from wellposed.evaluation._thresholds import SLIGHT, compare_densities
from wellposed.evaluation.rivals.gaussians import (
    Mixture,
    Standard,
    fit_gaussian,
    fit_mixture,
    fit_projected,
)
from wellposed.evaluation.rivals.repeats import shared_rows
from wellposed.evaluation.rivals.rows import has_density
from wellposed.noise import Gaussian

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")

KEY = jax.random.key(0)
QUICK = {"hidden": (8,), "max_epochs": 2, "random_state": 0, "progress": False}
QUICK |= {"prior": "standard"}


def clumps(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = np.array([[-3.0, 0.0, 1.0], [3.0, 1.0, 0.0], [0.0, 4.0, -1.0]])
    return centres[rng.integers(3, size=n)] + 0.3 * rng.normal(size=(n, 3))


# -- the rivals ------------------------------------------------------------------------------


def test_a_mixture_is_the_sum_of_its_normal_densities():
    rng = np.random.default_rng(0)
    roots = rng.normal(size=(3, 4, 4))
    mixture = Mixture(
        np.log([0.5, 0.3, 0.2]), rng.normal(size=(3, 4)), roots @ roots.transpose(0, 2, 1)
    )
    rows = rng.normal(size=(20, 4))
    parts = zip(np.exp(mixture.log_weights), mixture.means, mixture.covariances, strict=True)
    truth = sum(weight * multivariate_normal(mean, cov).pdf(rows) for weight, mean, cov in parts)
    np.testing.assert_allclose(mixture.log_density(rows), np.log(truth), rtol=1e-9)


def test_a_projected_mixture_is_the_gaussian_of_ppca_where_its_part_is_one():
    """With the exact normal of the coordinates within, it is probabilistic PCA."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 5)) @ np.diag([3.0, 2.0, 1.0, 1.0, 1.0])
    fitted, _ = fit_projected(rows, 0.0, n_directions=2, key=KEY)
    along = (rows - fitted.mean) @ fitted.directions
    standard = Standard.of(along, np.zeros(2))
    one = Mixture(np.zeros(1), np.zeros((1, 2)), np.cov(standard(along).T, bias=True)[None])
    exact = dataclasses.replace(fitted, within=one, standard=standard)
    truth = wp.PPCA(2, resolution=0).fit(rows).score_samples(rows)
    np.testing.assert_allclose(exact.log_density(rows), truth, rtol=1e-6)


def test_one_gaussian_has_the_covariance_of_the_rows_and_is_shrunk_where_that_is_singular():
    rows = np.random.default_rng(0).normal(size=(50, 3))
    fitted, detail = fit_gaussian(rows, np.zeros(3))
    truth = multivariate_normal(rows.mean(0), np.cov(rows.T, bias=True)).logpdf(rows)
    np.testing.assert_allclose(fitted.log_density(rows), truth, rtol=1e-9)
    assert detail == "covariance of the rows"
    few, detail = fit_gaussian(rows[:3], np.zeros(3))
    assert "Ledoit-Wolf" in detail
    assert np.isfinite(few.log_density(rows)).all()
    # Rounding makes a covariance of copies regular.
    copies = np.column_stack([rows[:, 0], rows[:, 0]])
    floored, detail = fit_gaussian(copies, np.full(2, 0.1))
    assert np.linalg.eigvalsh(floored.covariances[0]).min() == pytest.approx(0.01)


def test_the_size_of_a_mixture_is_chosen_by_validation():
    fitted, detail = fit_mixture(clumps(400), np.zeros(3), key=KEY)
    assert detail.startswith("3 components")
    rows = clumps(2_000, seed=1)
    centres = np.array([[-3.0, 0.0, 1.0], [3.0, 1.0, 0.0], [0.0, 4.0, -1.0]])
    each = [multivariate_normal(c, 0.09 * np.eye(3)).logpdf(rows) for c in centres]
    truth = np.logaddexp.reduce(each).mean() - math.log(3)
    assert truth - 0.15 < fitted.log_density(rows).mean() <= truth


def test_rows_of_the_training_are_counted_and_chance_repeats_are_not():
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(300, 3))
    assert shared_rows(numbers[:60], numbers[60:]) == 0
    assert shared_rows(numbers[50:110], numbers[60:]) == 50
    assert shared_rows(-0.0 * numbers[:5], 0.0 * numbers[:5]) == 0  # all training rows repeat
    levels = rng.integers(3, size=(300, 3)).astype(float)  # 27 rows that repeat by chance
    assert shared_rows(levels[:60], levels[60:]) == 0
    fresh = np.concatenate([levels[:60], numbers[:60]], axis=1)
    assert shared_rows(fresh, fresh[::-1]) == 60


def test_a_comparison_says_that_rows_are_those_of_the_training():
    model, density = exact_model()
    rows = rows_of(density, 100)
    apart = evaluation.compare(model, rows[:30], rows[30:], key=KEY)
    assert apart.n_shared == 0
    assert "equal a training row" not in apart.sentences
    within = evaluation.compare(model, rows[:30], rows[10:], key=KEY)
    assert "20 of the rows equal a training row" in within.sentences


# -- the comparison --------------------------------------------------------------------------


def test_an_exact_model_is_as_good_as_its_linear_rival_and_the_rival_is_ppca():
    model, density = exact_model()
    rows = rows_of(density, 1_500)
    result = evaluation.compare(model, rows[:500], rows[500:], key=KEY)
    linear, gaussian, _ = result.rivals
    assert [r.kind for r in result.rivals] == ["linear", "Gaussian", "mixture"]
    exact = wp.PPCA(2, resolution=0).fit(rows[500:]).score_samples(rows[:500])
    np.testing.assert_allclose(linear.log_p, exact, atol=2e-4)
    assert result.reading(linear) == "as good"
    np.testing.assert_allclose(result.log_p.mean() - exact.mean(), 0, atol=0.02)
    truth = multivariate_normal(rows[500:].mean(0), np.cov(rows[500:].T, bias=True))
    np.testing.assert_allclose(gaussian.log_p, truth.logpdf(rows[:500]), atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("word", ["shared", "feature"])
def test_the_units_of_the_data_cancel(word):
    rows = clumps(300)
    results = []
    for scale in (1.0, 4096.0):
        vae = wp.VAE(1, noise=word, **QUICK).fit(scale * rows[100:])
        results.append(vae.compare(scale * rows[:100], scale * rows[100:]))
    one, other = results
    shift = rows.shape[1] * math.log(4096)
    # The draws of importance sampling depend on the content of a row, so that they differ.
    difference = other.log_p - (one.log_p - shift)
    assert abs(difference.mean()) < 4 * difference.std(ddof=1) / math.sqrt(len(difference)) + 1e-3
    other = dataclasses.replace(other, log_p=one.log_p - shift)
    for a, b in zip(one.rivals, other.rivals, strict=True):
        np.testing.assert_allclose(b.log_p, a.log_p - shift, atol=1e-3)
        before, after = one.difference(a), other.difference(b)
        assert before.value == pytest.approx(after.value, abs=1e-3)
        assert before.standard_error == pytest.approx(after.standard_error, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("transform", ["identity", "standardize", wp.transforms.Logit(None)])
def test_every_transform_adds_its_jacobian(transform):
    """One Gaussian of the model units, its density integrated over the data by a change."""
    rows = 1 / (1 + np.exp(-0.3 * clumps(260)))
    vae = wp.VAE(1, noise="shared", transform=transform, **QUICK).fit(rows[60:])
    result = vae.compare(rows[:60], rows[60:])
    y, log_det = evaluation.ModelUnits(vae.model_.transform, KEY).whole(rows)
    truth = multivariate_normal(y[60:].mean(0), np.cov(y[60:].T, bias=True)).logpdf(y[:60])
    assert result.rivals[1].log_p == pytest.approx(truth + log_det[:60], abs=0.01)


@pytest.mark.slow
def test_a_feature_that_never_varies_has_the_same_density_in_all():
    rows = clumps(300)
    constant = np.column_stack([rows, np.full(300, 7.0)])
    without = wp.VAE(1, noise="feature", **QUICK).fit(rows[100:]).compare(rows[:100], rows[100:])
    vae = wp.VAE(1, noise="feature", **QUICK).fit(constant[100:])
    result = vae.compare(constant[:100], constant[100:])
    assert result.n_features == without.n_features == 3
    gains = [b.log_p - a.log_p for a, b in zip(without.rivals, result.rivals, strict=True)]
    assert gains[0].std() < 1e-3  # the same for every row
    for gain in gains[1:]:
        np.testing.assert_allclose(gain, gains[0], atol=1e-3)


def test_a_badly_made_vae_is_worse_and_says_so():
    model, density = exact_model()
    bad = eqx.tree_at(lambda m: m.noise, model, Gaussian(3.0))
    rows = rows_of(density, 1_200)
    result = evaluation.compare(bad, rows[:400], rows[400:], key=KEY)
    assert result.judgement == "fault"
    assert result.worst in result.rivals
    assert "worse than" in str(result)
    found = evaluation.diagnose(bad, rows[:400], train=rows[400:], key=KEY)
    outcome = found.findings[0]
    assert (outcome.verdict, outcome.is_outcome) == ("fault", True)
    assert found.faults[-1] is outcome
    assert found.summary.startswith("Worse than ")
    assert found.faults[0].fault in outcome.remedy  # the cause is named, with its remedy
    assert found.faults[0].remedy in outcome.remedy


def test_the_table_is_in_the_text_the_dictionary_and_the_page():
    model, density = exact_model()
    rows = rows_of(density, 400)
    found = evaluation.diagnose(model, rows[:200], train=rows[200:], key=KEY)
    (table,) = (f["table"] for f in found.to_dict()["findings"] if f["table"])
    assert [row["model"] for row in table] == [
        "this VAE",
        "probabilistic PCA",
        "one Gaussian",
        "a mixture of Gaussians",
    ]
    assert set(table[1]["VAE − model, paired"]) == {"value", "standard_error"}
    page = wp.reports.Report("A report", found, ()).html
    for text in (str(found), found.to_html(), page):
        for row in found.findings[0].table:
            assert row["model"] in text
            assert str(row["log p(x), nats a row"]) in text


FAMILIES = {
    "bernoulli": False,
    "poisson": False,
    "discretized-logistic": False,
    "shared": True,
    "student-t": True,
    "log-normal": True,
    "zero-inflated": False,
    "beta": True,
}


@pytest.mark.parametrize("name", FAMILIES)
def test_only_densities_are_compared_with_densities(name):
    assert has_density(noise.resolve(name)) == FAMILIES[name]
    mixed = noise.Columns({0: "shared", 1: name})
    assert has_density(mixed) == FAMILIES[name]


def product_of_bernoullis(rows: np.ndarray, p: np.ndarray) -> np.ndarray:
    return (rows * np.log(p) + (1 - rows) * np.log1p(-p)).sum(axis=1)


def two_classes(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of six Bernoullis in two classes, and their exact log p(x)."""
    rng = np.random.default_rng(seed)
    p = np.array([[0.9, 0.9, 0.9, 0.1, 0.1, 0.5], [0.1, 0.1, 0.2, 0.9, 0.8, 0.5]])
    rows = (rng.uniform(size=(n, 6)) < p[rng.integers(2, size=n)]).astype(float)
    each = [product_of_bernoullis(rows, own) for own in p]
    return rows, np.logaddexp(*each) - np.log(2)


def test_levels_are_compared_with_the_noise_without_latents():
    """Independent features have their frequencies, and a mixture has the exact log p(x)."""
    train, _ = two_classes(1_500, 0)
    held, exact = two_classes(1_000, 1)
    vae = wp.VAE(1, noise="bernoulli", **QUICK).fit(train)
    found = vae.compare(held, train)
    independent, mixture = found.rivals
    assert (independent.kind, mixture.kind) == ("independent", "mixture")
    frequencies = product_of_bernoullis(held, train.mean(axis=0))
    np.testing.assert_allclose(independent.log_p, frequencies, atol=0.02)
    assert mixture.detail in ("4 components", "16 components")  # of all rows
    assert mixture.log_p.mean() == pytest.approx(exact.mean(), abs=0.03)
    # The probabilities of all 64 patterns, whichever the rows have, add up to one.
    patterns = np.array(np.meshgrid(*[[0.0, 1.0]] * 6)).reshape(6, -1).T
    few = vae.compare(patterns, train[:80]).rivals
    assert few[1].detail == "4 components"
    for rival in few:
        assert np.exp(rival.log_p).sum() == pytest.approx(1.0, abs=1e-4)
    assert (
        vae.compare(patterns, train[:30]).rivals[1].detail.startswith("it needs 40 training rows")
    )


def test_tables_of_several_kinds_are_compared_and_gain_by_their_classes():
    rng = np.random.default_rng(0)
    second = rng.integers(2, size=600)
    colour = np.where(second == 1, "red", "blue")
    frame = pd.DataFrame({"size": 4.0 * second + rng.normal(size=600), "colour": colour})
    vae = wp.VAE(1, **QUICK).fit(frame[:400])
    independent, mixture = vae.compare(frame[400:], frame[:400]).rivals
    # Of two classes of one size, the colour tells the class: log 2 nats, and the size's bimodality.
    assert (mixture.log_p - independent.log_p).mean() > np.log(2)


def test_rivals_of_a_conditional_model_are_linear_in_the_covariates():
    rng = np.random.default_rng(0)
    given = rng.integers(2, size=800).astype(float)
    p = np.where(given[:, None] == 1, [0.9, 0.2], [0.1, 0.2])
    rows = np.column_stack([rng.uniform(size=(800, 2)) < p, given]).astype(float)
    vae = wp.VAE(1, noise="bernoulli", covariates={2: "category"}, **QUICK).fit(rows[:600])
    independent, _ = vae.compare(rows[600:], rows[:600]).rivals
    exact = product_of_bernoullis(rows[600:, :2], p[600:])
    assert independent.log_p.mean() == pytest.approx(exact.mean(), abs=0.03)


@pytest.mark.slow
def test_probabilities_of_features_that_depend_on_each_other_are_not_compared():
    rows = np.random.default_rng(0).integers(4, size=(120, 36)).astype(float)
    settings = {"noise": "causal-logistic", "image_shape": (6, 6)}
    vae = wp.VAE(1, **settings, **QUICK).fit(rows[40:])
    outcome = wp.diagnose(vae, rows[:40], rows[40:]).findings[0]
    assert outcome.verdict == "open"
    assert outcome.said.startswith("Not compared, because log p(x) under CausalLogistic noise")
    assert outcome.table == ()
    with pytest.raises(wp.SettingError, match="depend on each other given z"):
        vae.compare(rows[:40], rows[40:])


# -- readings --------------------------------------------------------------------------------


def made(difference: float, spread: float, trusted: float = 1.0, n: int = 400) -> Comparison:
    rng = np.random.default_rng(0)
    noise_of_rows = rng.normal(size=n)
    noise_of_rows -= noise_of_rows.mean()
    log_p = difference + spread * noise_of_rows / noise_of_rows.std(ddof=1)
    rival = Rival("Gaussian", "one Gaussian", np.zeros(n), "")
    mask = np.arange(n) < trusted * n
    return Comparison(log_p, mask, (rival,), 10, 100, 100)


@pytest.mark.parametrize(
    ("difference", "spread", "reading", "verdict"),
    [
        (1.0, 4.0, "better", "sound"),
        (-1.0, 4.0, "worse", "fault"),
        (0.3, 4.0, "not distinguishable", "open"),
        (-0.3, 4.0, "not distinguishable", "open"),
        (0.01, 0.1, "as good", "caution"),
        (-0.01, 0.1, "as good", "caution"),
        (math.nan, 1.0, "not distinguishable", "open"),
    ],
)
def test_a_difference_is_read_by_its_error(difference, spread, reading, verdict):
    result = made(difference, spread)
    assert result.reading(result.rivals[0]) == reading
    assert result.judgement == verdict


def test_a_deficit_that_an_unreliable_estimate_could_make_is_open():
    assert made(-1.0, 4.0, trusted=0.0).judgement == "open"
    assert made(-1.0, 4.0, trusted=0.9).judgement == "fault"
    assert "lower bound" in str(made(-1.0, 4.0, trusted=0.9))


def test_readings_change_at_two_standard_errors_and_a_share_of_a_nat_a_feature():
    d = 10
    for error in (1e-6, 0.5):
        edge = max(SLIGHT * d, 2 * error)
        assert compare_densities(Estimate(1.01 * edge, error), d) == "better"
        assert compare_densities(Estimate(-1.01 * edge, error), d) == "worse"
        assert compare_densities(Estimate(-0.99 * edge, error), d) not in ("better", "worse")


# -- the variance of draws -------------------------------------------------------------------


@pytest.mark.parametrize(("factor", "side"), [(2.0, "much"), (0.5, "little")])
def test_draws_of_twice_or_half_the_variance_are_a_fault(factor, side):
    model, density = exact_model()
    rows = rows_of(density, 1_200) / math.sqrt(factor)
    found = evaluation.diagnose(model, rows[:600], train=rows[600:], key=KEY)
    finding = next(f for f in found.findings if f.question.startswith("Draws"))
    assert finding.verdict == "fault"
    assert finding.fault == f"draws have too {side} variance"
    assert finding.remedy


@pytest.mark.slow
def test_a_prior_that_is_not_where_the_codes_are_is_the_cause_of_the_variance():
    model, density = exact_model()
    rows = rows_of(density, 1_200)
    wide = wp.latents.GaussianMixture(jnp.zeros(1), jnp.zeros((1, 2)), 3 * jnp.eye(2)[None])
    model = dataclasses.replace(model, prior=wide)
    split = evaluation.variance_split(model, rows[:600], key=KEY)
    assert split.prior_is_cause
    assert "p(z) is wider than the codes" in split.verdict
    found = evaluation.diagnose(model, rows[:600], train=rows[600:], key=KEY)
    finding = next(f for f in found.findings if f.question.startswith("Draws"))
    assert finding.verdict == "fault"
    assert "more components" in finding.remedy


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_a_diagnosis_of_few_rows_prints_the_same_comparison():
    X = np.random.default_rng(0).normal(size=(120, 3))
    vae = textbook_vae(1, hidden=(4,), max_epochs=1, random_state=0).fit(X[:80])
    compared = str(vae.compare(X[80:], X[:80])).splitlines()[-1]
    assert compared in wp.diagnose(vae, X[80:], X[:80]).findings[0].said
