"""Model units of rows with gaps."""

import jax
import numpy as np
import pytest

from wellposed import transforms
from wellposed.evaluation import ModelUnits

RNG = np.random.default_rng(0)
POSITIVE = RNG.lognormal(size=(30, 4))
UNIT = RNG.uniform(size=(30, 4))
LEVELS = RNG.integers(0, 8, (30, 4)).astype(float)
MAPS = {
    "standardize": (transforms.Standardize(), POSITIVE),
    "log": (transforms.Log(), POSITIVE),
    "log1p": (transforms.Log1p(), POSITIVE),
    "logit": (transforms.Logit(None), UNIT),
    "levels": (transforms.Logit(8), LEVELS),
    "by column": (transforms.ByColumn({0: "log", 2: "identity"}), POSITIVE),
}


@pytest.mark.parametrize(("transform", "rows"), MAPS.values(), ids=MAPS)
def test_observed_entries_are_mapped_alone(transform, rows):
    with jax.enable_x64(True):
        fitted = transform.fit(transforms.summarise(rows))
    units = ModelUnits(fitted, jax.random.key(0))
    complete, log_det = units.whole(rows)
    gappy = np.vstack([rows, np.where(np.eye(4, dtype=bool), np.nan, rows[:4])])
    values, log_dets = units.whole(gappy)
    np.testing.assert_allclose(values[:30], complete, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(log_dets[:30], log_det, rtol=1e-10, atol=1e-10)
    np.testing.assert_array_equal(np.isnan(values), np.isnan(gappy))
    seen = ~np.isnan(gappy[30:])
    if transform is not MAPS["levels"][0]:  # whose draws depend on the row
        np.testing.assert_allclose(values[30:][seen], complete[:4][seen], rtol=1e-10, atol=1e-12)


def test_the_determinants_of_single_entries_add_up():
    transform, rows = MAPS["log"]
    with jax.enable_x64(True):
        fitted = transform.fit(transforms.summarise(rows))
    units = ModelUnits(fitted, jax.random.key(0))
    _, whole = units.whole(rows)
    single = np.zeros(30)
    for j in range(4):
        single += units.whole(np.where(np.arange(4) == j, rows, np.nan))[1]
    np.testing.assert_allclose(single, whole, rtol=1e-10)
