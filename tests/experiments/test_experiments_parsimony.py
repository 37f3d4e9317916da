"""The nonparametric optimum: known cases, random mixtures, and Frey faces."""

import math

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from wellposed import experiments
from wellposed._errors import DataError, SettingError
from wellposed.experiments._location_mixture import fit_location_mixture, kernel_mixture

RNG = np.random.default_rng(0)


def peak(d: int, variance: float) -> float:
    return -0.5 * d * math.log(2 * math.pi * variance)


@pytest.mark.parametrize("apart", [0.0, 0.5, 1.0, 1.9])
def test_two_near_points_share_one_component(apart):
    """Up to 2√ξ apart the optimum is one component at the mean: |x₁ − x₂|²/(8ξ) below the peak."""
    rows = np.array([[0.0, 0.0], [0.3 * apart, 0.4 * apart]])  # apart·√ξ, √ξ = ½
    best = peak(2, 0.25) - apart**2 / 8
    certified = experiments.nonparametric_bound(rows, 0.25, n_rounds=20)
    found = fit_location_mixture(rows, 0.25, n_steps=500).log_density(rows).mean()
    assert found == pytest.approx(best, abs=2e-3)
    assert found <= best + 1e-12
    assert best - 1e-12 <= certified <= best + 0.05


@pytest.mark.parametrize("n", [1, 2, 7])
def test_far_points_have_a_component_each(n):
    rows = 100.0 * np.eye(n)
    best = peak(n, 1.0) - math.log(n)
    assert kernel_mixture(rows, 1.0).log_density(rows).mean() == pytest.approx(best, rel=1e-12)
    assert experiments.nonparametric_bound(rows, 1.0) == pytest.approx(best, abs=1e-4)


def test_the_bound_is_close_to_the_optimum_on_a_line():
    """A fine grid of atoms solves the one-dimensional problem; the bound is just above it."""
    rows = np.random.default_rng(0).normal(size=(40, 1)) * 30
    grid = np.linspace(rows.min(), rows.max(), 2001)[:, None]
    kernel = -0.5 * (rows - grid.T) ** 2
    log_weights = np.full(2001, -np.log(2001))
    for _ in range(500):
        log_joint = log_weights + kernel
        shares = log_joint - logsumexp(log_joint, axis=1, keepdims=True)
        log_weights = logsumexp(shares, axis=0) - np.log(40)
    best = peak(1, 1.0) + logsumexp(log_weights + kernel, axis=1).mean()
    certified = experiments.nonparametric_bound(rows, 1.0)
    assert best - 1e-9 <= certified <= best + 0.2
    assert certified < peak(1, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_no_mixture_with_large_enough_eigenvalues_exceeds_the_bound(seed):
    """Few components on the data themselves, covariances ξI + BBᵀ with B small or zero."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(6, 3)) * rng.uniform(0.1, 3)
    certified = experiments.nonparametric_bound(rows, 0.5)
    best = -np.inf
    for _ in range(50):
        weights = rng.dirichlet(np.ones(6))
        parts = []
        for weight, centre in zip(weights, rows, strict=True):
            factor = rng.normal(size=(3, 2)) * rng.choice([0.0, 0.1, 1.0])
            covariance = 0.5 * np.eye(3) + factor @ factor.T
            parts.append(np.log(weight) + multivariate_normal(centre, covariance).logpdf(rows))
        best = max(best, logsumexp(parts, axis=0).mean())
    fitted = fit_location_mixture(rows, 0.5, n_steps=200).log_density(rows).mean()
    assert max(best, fitted) <= certified <= peak(3, 0.5)


def test_em_never_falls_below_its_start():
    rows = RNG.normal(size=(60, 2)) + 50
    values = [
        fit_location_mixture(rows, 0.5, n_steps=n).log_density(rows).mean() for n in range(0, 40, 4)
    ]
    assert (np.diff(values) >= -1e-12).all()
    assert values[0] == kernel_mixture(rows, 0.5).log_density(rows).mean()
    assert values[-1] > values[0] + 0.1


def test_a_location_mixture_is_normalised():
    mixture = fit_location_mixture(RNG.normal(size=(9, 1)), 0.3, n_steps=5)
    grid = np.linspace(-12, 12, 20_001)
    density = np.exp(mixture.log_density(grid[:, None]))
    assert np.trapezoid(density, grid) == pytest.approx(1.0, abs=1e-9)


def in_order(found: experiments.ParsimonyGap) -> None:
    assert found.elbo <= found.log_likelihood + 3 * found.log_likelihood_error
    assert found.log_likelihood <= found.certified
    assert found.nonparametric <= found.certified <= found.ceiling
    assert found.kernels <= found.locations
    assert found.gap <= found.largest_gap


def test_everything_is_in_order_on_few_rows():
    rows = np.concatenate([RNG.normal(-2, 0.1, (20, 3)), RNG.normal(2, 0.1, (20, 3))])
    found = experiments.parsimony_gap(
        rows, variance=0.25, n_components=1, hidden=(16,), max_epochs=50, n_gaussians=2
    )
    in_order(found)
    # Two tight clusters far apart: the optimum is near log ½ below the peak, less their spread.
    spread = 3 * 0.1**2 / (2 * 0.25)
    best = found.ceiling - math.log(2) - spread
    assert found.nonparametric == pytest.approx(best, abs=0.02)
    assert found.certified == pytest.approx(best, abs=0.1)


@pytest.mark.slow
def test_the_vae_has_the_same_floor_as_the_mixtures():
    """On one tight cluster all end at the peak, less its spread; a lower floor would pass it."""
    rows = RNG.normal(1, 0.02, (40, 3))
    found = experiments.parsimony_gap(
        rows, variance=0.25, n_components=1, hidden=(8,), max_epochs=300, n_gaussians=1
    )
    in_order(found)
    best = found.ceiling - 3 * 0.02**2 / (2 * 0.25)
    assert found.locations == pytest.approx(best, abs=1e-3)
    assert found.log_likelihood == pytest.approx(best, abs=0.5)


def test_the_variance_must_be_positive():
    with pytest.raises(SettingError, match="variance must be a finite number > 0"):
        experiments.parsimony_gap(variance=0.0)


@pytest.mark.parametrize("name", ["n_samples", "n_gaussians", "n_rounds"])
def test_settings_are_checked_before_the_training(name, monkeypatch):
    monkeypatch.delattr(experiments._parsimony_gap, "train")
    with pytest.raises(SettingError, match=rf"{name} must be a whole number from 1 to .*; got 0"):
        experiments.parsimony_gap(**{name: 0})


def test_the_bound_takes_lists_and_refuses_what_has_no_bound():
    rows = [[0.0, 1.0], [3, 4]]
    bound = experiments.nonparametric_bound(rows, 1.0)
    assert bound == experiments.nonparametric_bound(np.array(rows), 1.0)
    for variance in (-1, 0.0, math.inf, math.nan, "a", [1.0]):
        with pytest.raises(SettingError, match=r"variance must be a finite number > 0.*Try"):
            experiments.nonparametric_bound(rows, variance)
    with pytest.raises(SettingError, match="n_rounds"):
        experiments.nonparametric_bound(rows, 1.0, n_rounds=0)
    for table in ([1.0, 2.0], [[1.0], [1.0, 2.0]], None):
        with pytest.raises(DataError, match="finite table"):
            experiments.nonparametric_bound(table, 1.0)


@pytest.mark.slow
def test_frey_faces(shared_data):
    """The setting of Mattei & Frellsen (2018); the optimum is known to a fifth of a nat."""
    images = np.load(shared_data("frey-faces") / "frey_faces_uint8_1965x28x20.npy")
    found = experiments.parsimony_gap(images.reshape(len(images), -1) / 255)
    in_order(found)
    assert found.ceiling == pytest.approx(peak(560, 2**-4), rel=1e-12)
    assert found.nonparametric == pytest.approx(254.194, abs=0.001)
    assert found.certified - found.nonparametric < 0.25
    assert found.log_likelihood > found.gaussians  # a VAE of five latents beats ten Gaussians
