"""The rivals of ``benchmarks.density`` are densities, and its verdict counts right."""

import dataclasses
import importlib
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal

ROOT = Path(__file__).resolve().parents[1]
FOLDS = 2


@pytest.fixture
def module(monkeypatch):
    """Import a module of the benchmark, which is not installed with the library."""
    monkeypatch.syspath_prepend(str(ROOT))
    yield lambda name: importlib.import_module(f"benchmarks.density.{name}")
    for name in [name for name in sys.modules if name.partition(".")[0] == "benchmarks"]:
        del sys.modules[name]


@pytest.fixture
def rows():
    """Two clusters of unlike scales, columns in unlike units."""
    draw = np.random.default_rng(0)
    values = np.vstack([draw.normal(0, 1, (60, 2)), draw.normal(4, 0.5, (40, 2))])
    return values * [1.0, 100.0] + [0.0, 5_000.0]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name",
    [
        *("Gaussian", "pPCA", "factors", "KernelDensity"),
        pytest.param("GaussianMixture", marks=pytest.mark.slow),
    ],
)
def test_a_rival_integrates_to_one_in_data_units(module, rows, name):
    fitted = module("rivals").RIVALS[name](rows, FOLDS)
    axes = [
        np.linspace(low - 5 * s, high + 5 * s, 200)
        for low, high, s in zip(rows.min(0), rows.max(0), rows.std(0), strict=True)
    ]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    cell = math.prod(axis[1] - axis[0] for axis in axes)
    assert np.exp(fitted.log_density(grid)).sum() * cell == pytest.approx(1.0, abs=1e-4)


def test_the_gaussian_has_the_sample_covariance(module, rows):
    found = module("rivals").RIVALS["Gaussian"](rows, FOLDS).log_density(rows)
    covariance: Any = np.cov(rows.T, bias=True)
    expected = multivariate_normal.logpdf(rows, rows.mean(axis=0), covariance)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_the_bandwidth_has_the_best_leave_one_out_density(module, rows):
    kernel = module("rivals.kernel")
    fitted = kernel.kernel_density(rows, FOLDS)
    columns = (rows - rows.mean(axis=0)) / rows.std(axis=0)

    def left_out(width):
        others = [np.delete(columns, i, axis=0) for i in range(len(columns))]
        kde = kernel.KernelDensity(bandwidth=width)
        pairs = zip(others, columns, strict=True)
        return sum(kde.fit(rest).score(row[None]) for rest, row in pairs)

    chosen = [f"width {width:.3g}" for width in kernel._BANDWIDTHS].index(fitted.chosen)
    near = kernel._BANDWIDTHS[chosen - 1 : chosen + 2]
    assert np.argmax([left_out(width) for width in near]) == 1


def test_rows_are_jittered_within_their_resolution_and_splits_do_not_overlap(module):
    steps = np.column_stack([np.arange(50) % 7 * 0.5, np.arange(50) * 10.0, np.ones(50)])
    table = module("tables").jittered("steps", steps, 40)
    assert table.rows.shape == (40, 2)
    offsets = (table.rows / [0.5, 10.0] + 0.5) % 1.0 - 0.5
    assert 0.3 < np.abs(offsets).max() <= 0.5
    assert not np.isin(table.rows[:, 1], steps[:, 1]).any()
    split = table.split(3)
    together = np.vstack([split.train, split.test])
    assert (len(split.train), len(split.test)) == (32, 8)
    np.testing.assert_array_equal(np.unique(together, axis=0), np.unique(table.rows, axis=0))


def test_a_log_density_that_is_not_finite_is_refused(module, rows):
    figures, tables = module("figures"), module("tables")
    fitted = module("rivals").Fitted(lambda x: np.full(len(x), -np.inf), "nothing")
    with pytest.raises(FloatingPointError, match=r"broken on t, split 4: 20 of 20"):
        figures.measure("t", "broken", lambda *_: fitted, tables.Split(rows, rows[:20]), 4)


def test_the_verdict_counts_what_the_tables_show(module):
    compare, figures = module("compare"), module("figures")
    blank = figures.Figure("a", "VAE", 0, 0.0, 0.1, 1.0, 1.0, 0.0, "")

    def comparison(table, lead, seconds):
        def of(rival, values, cost):
            return [
                dataclasses.replace(
                    blank, table=table, rival=rival, split=i, log_p=float(v), seconds=cost
                )
                for i, v in enumerate(values)
            ]

        base = np.array([-10.0, -12.0, -11.0])
        ours = of("VAE", base + lead, seconds)
        return compare.Comparison(
            table,
            {
                "pPCA": of("pPCA", base - 1, 0.1),
                "GaussianMixture": of("GaussianMixture", base, 2.0),
                "VAE": ours,
            },
        )

    tables = [
        comparison("a", [2.0, 2.2, 2.1], 4.0),  # far ahead
        comparison("b", [1.0, -0.9, 0.5], 4.0),  # ahead, within the error
        comparison("c", [-2.0, -0.5, -0.5], 8.0),  # behind; below pPCA on one split
    ]
    verdict = module("verdict").verdict
    assert verdict(tables, outliers=False) == (
        "verdict: ahead of the mixture on, of 3, 2 (≥ 7: missed by 5); "
        "beyond two standard errors on 1 (≥ 5: missed by 4); "
        "by 2 nats on 1 (≥ 2: missed by 1); "
        "not above pPCA and factors on splits 1 (≤ 0: missed by 1); "
        "time at most (c) 4x (≤ 3x: missed by 1x)"
    )
    inliers = verdict(tables, outliers=True)
    assert "most below it (c) 9.09 % (≤ 3 %: missed by 6.09 %)" in inliers
