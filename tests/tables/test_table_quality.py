"""Measures of a synthetic table against closed forms, brute force and rows of the truth itself."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.stats

import wellposed as wp
from wellposed.estimators.synthetic.measures import (
    Numbers,
    associations,
    closest_distances,
    marginal_distance,
)

RNG = np.random.default_rng(0)


def table(n: int, seed: int) -> pd.DataFrame:
    draws = np.random.default_rng(seed)
    x = draws.normal(size=n)
    return pd.DataFrame(
        {
            "x": x,
            "twice": 2 * x + 0.1 * draws.normal(size=n),
            "level": np.array(["low", "middle", "high"])[np.digitize(x, [-0.5, 0.5])],
            "other": draws.choice(list("abc"), n),
        }
    )


def test_marginals_are_their_definitions():
    x, y = RNG.normal(size=50), RNG.normal(1, 1, size=70)
    points = np.concatenate([x, y])
    by_hand = max(abs((x <= t).mean() - (y <= t).mean()) for t in points)
    assert marginal_distance(x, y, False) == pytest.approx(by_hand)
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.3, 0.6])
    codes = [np.repeat(np.arange(3.0), (1000 * w).round().astype(int)) for w in (p, q)]
    assert marginal_distance(*codes, True) == pytest.approx(np.abs(p - q).sum() / 2)
    missing = np.array([np.nan, 0.0])
    assert marginal_distance(missing, np.zeros(2), True) == 0.5


def test_associations_are_those_of_scipy():
    frame = table(300, 0)
    schema = wp.Schema.of(frame)
    numbers = Numbers(schema.encode(frame), np.array([False, False, True, True]))
    found = associations(numbers)
    spearman = abs(scipy.stats.spearmanr(frame["x"], frame["twice"]).statistic)
    assert found[0, 1] == pytest.approx(spearman)
    counts = pd.crosstab(frame["level"], frame["other"]).to_numpy()
    cramer = scipy.stats.contingency.association(counts, method="cramer")
    assert found[2, 3] == pytest.approx(cramer)
    ranks = frame["x"].rank()
    groups = ranks.groupby(frame["level"]).transform("mean")
    assert found[0, 2] == pytest.approx(np.sqrt(groups.var() / ranks.var()))
    np.testing.assert_allclose(found, found.T)


def test_the_closest_row_is_that_of_brute_force():
    train = np.column_stack([RNG.normal(size=40), RNG.integers(0, 3, 40)])
    rows = np.column_stack([RNG.normal(size=9), RNG.integers(0, 3, 9)])
    train[3, 0] = rows[2, 1] = np.nan
    levels = np.array([False, True])
    low, high = np.nanquantile(train[:, 0], (0.05, 0.95))

    def distance(a, b):
        if np.isnan(a[0]) != np.isnan(b[0]):
            number = 1.0
        else:
            number = min(1.0, abs(np.nan_to_num(a[0] - b[0])) / (high - low))
        return (number + (not (a[1] == b[1] or np.isnan([a[1], b[1]]).all()))) / 2

    expected = [min(distance(a, b) for b in train) for a in rows]
    found = closest_distances(Numbers(rows, levels), Numbers(train, levels))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)  # in float32


@pytest.mark.slow
def test_rows_of_the_truth_are_as_good_as_real_rows():
    drawn, train, test = (table(1500, seed) for seed in range(3))
    quality = wp.table_quality(drawn, train, test, target="level")
    assert quality.score == pytest.approx(quality.real_score, abs=0.03)
    assert quality.score > quality.baseline + 0.3
    assert quality.marginals.max() < 0.06
    assert quality.association < 0.05
    assert quality.closest[1] == pytest.approx(quality.real_closest[1], rel=0.2)
    assert "accuracy of level" in str(quality)
    other = wp.table_quality(*(pl.from_pandas(f) for f in (drawn, train, test)), target="level")
    assert other.score == pytest.approx(quality.score)


def test_columns_that_are_drawn_alone_and_copies_are_found():
    train, test = table(600, 0), table(600, 1)
    draws = np.random.default_rng(3)
    alone = train.apply(lambda column: draws.permutation(column.to_numpy()))
    quality = wp.table_quality(alone, train, test, target="twice")
    assert quality.measure == "R²"
    assert quality.real_score > 0.9 > 0.1 > quality.score
    assert quality.association > 5 * quality.real_association
    copied = wp.table_quality(train, train, test)
    assert copied.copies == 1.0
    assert copied.closest == (0.0, 0.0)
    assert copied.target is None


def test_what_cannot_be_compared_is_refused():
    frame = table(100, 0).assign(unit="cm")
    with pytest.raises(wp.SettingError, match="'y'"):
        wp.table_quality(frame, frame, frame, target="y")
    with pytest.raises(wp.SettingError, match="'constant'"):
        wp.table_quality(frame, frame, frame, target="unit")
    with pytest.raises(wp.DataError, match="20 rows"):
        wp.table_quality(frame[:5], frame, frame)
    with pytest.raises(wp.DataError, match="no \\['x'\\]"):
        wp.table_quality(frame.drop(columns="x"), frame, frame)
    with pytest.raises(wp.DataError, match="frame"):
        wp.table_quality(np.zeros((30, 2)), frame, frame)
