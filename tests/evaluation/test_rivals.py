"""Held-out log p(x) beside simpler densities: closed forms, units, and what is no density."""

import dataclasses
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

import wellposed as wp
from linear_gaussian import exact_model, rows_of
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


@pytest.mark.slow
def test_levels_are_not_compared_and_not_called_sound():
    rows = np.random.default_rng(0).integers(2, size=(120, 4)).astype(float)
    vae = wp.VAE(1, noise="bernoulli", **QUICK).fit(rows[40:])
    outcome = wp.diagnose(vae, rows[:40], rows[40:]).findings[0]
    assert outcome.verdict == "open"
    assert outcome.said.startswith("Not compared, because log p(x) under Bernoulli noise")
    assert outcome.table == ()
    with pytest.raises(wp.SettingError, match="logarithm of a probability"):
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
