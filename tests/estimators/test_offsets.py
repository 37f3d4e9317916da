"""Offsets are subtracted in float64: no shift of a column changes a fit."""

import numpy as np
import pandas as pd
import pytest

import wellposed as wp
from textbook import textbook_vae
from wellposed._errors import DataError
from wellposed.estimators._prepare import prepare
from wellposed.explorer import make_scene
from wellposed.reports._facts import Facts

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")  # short trainings
SMALL = {"hidden": (8,), "max_epochs": 4, "random_state": 0, "progress": False}


def table(n: int = 91) -> np.ndarray:
    """Whole seconds, and two measurements that drift with them."""
    draws = np.random.default_rng(0)
    steps = np.arange(n) - n // 2
    noise = 0.1 * draws.normal(size=(n, 2))
    return np.column_stack([60.0 * steps, steps / 50 + noise[:, 0], noise[:, 1] - steps / 50])


ROWS = table()
SHIFT = np.array([1.7e9, 0.0, 0.0])
SHIFTED = ROWS + SHIFT


@pytest.fixture(scope="module")
def plain():
    return textbook_vae(1, **SMALL).fit(ROWS)


@pytest.fixture(scope="module")
def shifted():
    return textbook_vae(1, **SMALL).fit(SHIFTED)


def test_a_shift_of_a_column_shifts_what_comes_back_and_nothing_else(plain, shifted):
    assert plain.offset_.tolist() == [0.0, 0.0, 0.0]
    assert shifted.offset_.tolist() == [1.7e9, 0.0, 0.0]  # the median, which is a value
    np.testing.assert_array_equal(shifted.score_samples(SHIFTED), plain.score_samples(ROWS))
    np.testing.assert_array_equal(shifted.transform(SHIFTED), plain.transform(ROWS))
    for found, expected in (
        (shifted.reconstruct(SHIFTED), plain.reconstruct(ROWS)),
        (shifted.sample(5), plain.sample(5)),
        (shifted.inverse_transform([[0.5]]), plain.inverse_transform([[0.5]])),
    ):
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, expected.astype(np.float64) + SHIFT)


@pytest.mark.parametrize("unit", [pytest.param(1e3, marks=pytest.mark.slow), 1e9])
def test_milliseconds_and_nanoseconds_are_seconds_times_a_number(plain, unit):
    scaled = SHIFTED * [unit, 1, 1]
    for given in (scaled, pd.DataFrame(scaled)):
        vae = textbook_vae(1, **SMALL).fit(given)
        expected = plain.score_samples(ROWS, 256) - np.log(unit)
        np.testing.assert_allclose(vae.score_samples(given, 256), expected, atol=0.4)
        back = vae.reconstruct(given)[:, 0]
        np.testing.assert_allclose(
            (back - scaled[:, 0]) / unit, plain.reconstruct(ROWS)[:, 0] - ROWS[:, 0], atol=1.0
        )


def test_two_large_shifts_are_one_fit(shifted):
    further = SHIFTED + np.array([2.0**40, 0, 0])
    vae = textbook_vae(1, **SMALL).fit(further)
    np.testing.assert_array_equal(vae.elbo(further), shifted.elbo(SHIFTED))


def test_the_offset_is_saved_and_belongs_to_the_model(shifted, tmp_path):
    shifted.save(tmp_path / "model.wp")
    again = wp.load(tmp_path / "model.wp")
    np.testing.assert_array_equal(again.offset_, shifted.offset_)
    np.testing.assert_array_equal(again.elbo(SHIFTED), shifted.elbo(SHIFTED))
    np.testing.assert_array_equal(again.sample(2), shifted.sample(2))


def test_partial_fit_keeps_the_offset_of_its_first_piece():
    vae = textbook_vae(1, **SMALL)
    for piece in (SHIFTED[::2], SHIFTED[1::2]):
        vae.partial_fit(piece)
    first = np.sort(SHIFTED[::2, 0])
    assert vae.offset_[0] == first[(len(first) - 1) // 2]
    assert np.isfinite(vae.score(SHIFTED))


def test_whatever_takes_rows_takes_them_in_data_units(plain, shifted):
    assert shifted.forecast(SHIFTED).n_active == plain.forecast(ROWS).n_active
    assert str(wp.diagnose(shifted, SHIFTED)) == str(wp.diagnose(plain, ROWS))
    split, expected = shifted.variance_split(SHIFTED), plain.variance_split(ROWS)
    np.testing.assert_array_equal(split.data, expected.data)


def test_a_page_shows_data_units(shifted):
    facts = Facts(shifted, shifted.rows(SHIFTED), None, key=shifted.key("score"))
    np.testing.assert_array_equal(facts.shown, SHIFTED)
    assert facts.forecast is not None
    scene = make_scene(shifted, shifted.rows(SHIFTED), key=shifted.key("score"))
    told = scene.shown.facts()
    assert SHIFTED[:, 0].min() <= told["low"][0] < told["high"][0] <= SHIFTED[:, 0].max()
    both = np.frombuffer(scene.datum(0)[12:], "<f4").reshape(2, 3)
    np.testing.assert_allclose(both[0], SHIFTED[0], rtol=1e-6)


@pytest.mark.slow
def test_a_grid_trains_on_one_offset_and_on_none_where_a_member_cannot_have_it():
    grid = wp.fit_grid(textbook_vae(1, **SMALL), {"beta": [1.0, 2.0]}, SHIFTED, progress=False)
    assert grid.best.offset_[0] == 1.7e9
    assert np.isfinite([row["elbo"] for row in grid.rows]).all()
    counts = np.random.default_rng(0).poisson(100_000, size=(60, 2)).astype(float)
    noises = {"normal": wp.noise.Gaussian("shared"), "counts": wp.noise.Poisson()}
    grid = wp.fit_grid(textbook_vae(1, **SMALL), {"noise": noises}, counts, progress=False)
    assert np.isfinite([row["elbo"] for row in grid.rows]).all()
    assert not grid.best.offset_.any()


def test_columns_of_other_kinds_have_no_offset():
    draws = np.random.default_rng(0)
    frame = pd.DataFrame(SHIFTED, columns=["time", "x", "y"])
    frame["calls"] = draws.poisson(2_000_000, len(frame)).astype(float)
    noise = wp.noise.Columns({"time": "shared", "x": "shared", "y": "shared", "calls": "poisson"})
    vae = textbook_vae(1, **SMALL, noise=noise).fit(frame)
    assert vae.offset_.tolist() == [1.7e9, 0.0, 0.0, 0.0]
    drawn = vae.sample(20)
    assert np.abs(drawn[:, 0] - 1.7e9).max() < 1e5
    assert (drawn[:, 3] > 0).all()


def test_a_column_of_logarithms_has_no_offset():
    rows = np.column_stack([SHIFTED, 1e4 + np.random.default_rng(0).uniform(0, 9, len(SHIFTED))])
    vae = textbook_vae(1, **SMALL, transform={3: "log"})
    prepare(vae, rows)
    assert vae.offset_.tolist() == [1.7e9, 0.0, 0.0, 0.0]


def test_a_constant_beyond_float32_comes_back_as_it_is():
    rows = np.column_stack([ROWS, np.full(len(ROWS), 1_234_567_891.0)])
    with pytest.warns(wp.ConstantFeatureWarning):
        vae = textbook_vae(1, **SMALL).fit(rows)
    assert (vae.sample(3)[:, 3] == 1_234_567_891.0).all()


@pytest.mark.parametrize("transform", ["auto", "identity", "standardize"])
def test_ordinary_columns_have_no_offset(transform):
    rows = np.random.default_rng(0).normal(size=(60, 2)) * [1, 5] + [20, 300]
    vae = textbook_vae(1, **SMALL, transform=transform)
    prepare(vae, rows)
    assert not vae.offset_.any()


def test_what_float64_does_not_resolve_is_refused_by_name():
    frame = pd.DataFrame(ROWS, columns=["time", "x", "y"]).assign(id=1e18 + 128.0 * np.arange(91))
    with pytest.raises(DataError, match="rounding of float64; this fails for column 'id'"):
        textbook_vae(1, **SMALL).fit(frame)


def test_sizes_beyond_float32_are_refused_at_fit_by_name():
    frame = pd.DataFrame(ROWS, columns=["time", "x", "y"])
    vae = textbook_vae(1, **SMALL).fit(frame)
    wide, narrow = frame.assign(x=frame.x * 1e39), frame.assign(x=frame.x * 1e-42)
    with pytest.raises(DataError, match=r"up to 3.4e\+38 in size; this fails for column 'x'"):
        textbook_vae(1, **SMALL).fit(wide)
    with pytest.raises(DataError, match=r"spreads of 1\.18e-38 and more.*column 'x'"):
        textbook_vae(1, **SMALL).fit(narrow)
    with pytest.raises(DataError, match=r"up to 1e\+18 in size; this fails for column 'x'"):
        textbook_vae(1, **SMALL, transform="identity").fit(frame.assign(x=frame.x * 1e20))
    scaled = textbook_vae(1, **SMALL).fit(frame.assign(x=frame.x * 1e30))
    expected = vae.score_samples(frame) - np.log(1e30)
    np.testing.assert_allclose(scaled.score_samples(frame.assign(x=frame.x * 1e30)), expected, 0.05)


def test_a_value_beyond_float32_scores_as_the_most_distant_one(plain):
    rows = ROWS[:4].copy()
    rows[:, 1] = [0.0, 1e30, 1e39, -1e300]
    for scores in (plain.score_samples(rows), plain.elbo(rows)):
        assert np.isfinite(scores).all()
        assert scores[0] > scores[1] > scores[2]
    assert np.isfinite(plain.transform(rows)).all()
