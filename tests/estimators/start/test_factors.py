"""The floor under the noise of the factor analysis that a VAE starts from."""

import numpy as np

from wellposed.estimators.start.factors import fit_factors

FLOOR = 1e-6


def fitted(rows, k, seed=0):
    spread = rows.std(axis=0)
    floor = np.full(len(spread), FLOOR)
    return fit_factors(rows, k, floor, spread, np.random.default_rng(seed)), spread


def test_a_column_that_is_a_sum_of_others_has_noise_below_five_per_cent():
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(400, 2))
    total = parts.sum(axis=1) + 1e-3 * rng.normal(size=400)
    model, spread = fitted(np.column_stack([parts, total]), 2)
    # Var(total | parts) is 1e-6; under a floor of 5 % it would be 0.0125 at least.
    weight, noise = model.weight, model.noise_variance
    cov = weight @ weight.T + np.diag(noise)
    rest = cov[2, 2] - cov[2, :2] @ np.linalg.solve(cov[:2, :2], cov[:2, 2])
    assert rest < 5e-6
    assert (np.sqrt(noise) / spread).min() < 0.05


def test_noise_that_only_the_training_rows_lack_keeps_its_floor():
    """A Heywood case by chance: forty rows of independent columns, more factors than they have."""
    rows = np.random.default_rng(1).normal(size=(60, 6))
    model, spread = fitted(rows, 4)
    assert (np.sqrt(model.noise_variance) / spread).min() >= 0.05 * (1 - 1e-6)


def test_the_order_of_sorted_rows_does_not_make_the_folds():
    """Folds are drawn: of sorted rows, blocks would have other means."""
    rng = np.random.default_rng(2)
    rows = np.sort(rng.normal(size=(200, 1)), axis=0) + 0.1 * rng.normal(size=(200, 4))
    model, _ = fitted(rows, 1)
    exact = np.cov(rows, rowvar=False)
    implied = model.weight @ model.weight.T + np.diag(model.noise_variance)
    assert np.abs(implied - exact).max() < 0.02
