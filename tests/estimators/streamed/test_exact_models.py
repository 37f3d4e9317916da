"""The exact models of a source: fitted and scored in blocks, as the same rows in memory are."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

import wellposed as wp
from wellposed.estimators.linear import prepare
from wellposed.sources import ArraySource, NpySource, _order, open_source

DIGITS = load_digits().images.astype(np.uint8)
TABLE = load_breast_cancer().data.astype(np.float32)
pytestmark = pytest.mark.filterwarnings(
    "ignore::wellposed.ConstantFeatureWarning",
    "ignore::wellposed.FloorWarning",
    "ignore::wellposed.DataWarning",
)


@pytest.fixture
def several_chunks(monkeypatch):
    """Chunks of 128 rows."""
    monkeypatch.setattr(_order, "_MOST_ROWS", 128)


@pytest.mark.parametrize("model", [wp.PPCA, wp.FactorAnalysis, wp.LinearVAE])
@pytest.mark.parametrize("rows", [DIGITS, TABLE], ids=["images", "table"])
def test_a_fit_on_disk_is_that_of_the_rows_in_memory_bit_for_bit(model, rows, tmp_path):
    np.save(tmp_path / "rows.npy", rows)
    source = open_source(tmp_path / "rows.npy")
    ours = model(4, transform="standardize", random_state=0).fit(source)
    inside = model(4, transform="standardize", random_state=0).fit(rows)
    assert np.array_equal(ours.score_samples(source), inside.score_samples(rows))
    assert np.array_equal(ours.transform(source), inside.transform(rows))


@pytest.mark.parametrize("solver", ["full", "covariance_eigh"])
@pytest.mark.parametrize("transform", ["identity", "standardize", "log"])
def test_all_rows_count_where_few_are_kept(several_chunks, monkeypatch, transform, solver):
    """Against rows in memory, of which the logarithm's scale takes a sample as well."""
    monkeypatch.setattr(prepare, "_SAMPLE", 50)
    rows = TABLE.astype(np.float64) + 1.0
    settings = {"transform": transform, "svd_solver": solver, "resolution": 0.0}
    ours = wp.PPCA(4, **settings).fit(ArraySource(rows, block_rows=64))
    assert ours.score_samples(ArraySource(rows)).mean() == pytest.approx(ours.log_likelihood_)
    if transform != "log":
        inside = wp.PPCA(4, **settings).fit(rows)
        assert ours.noise_variance_ == pytest.approx(inside.noise_variance_, rel=1e-6)
        np.testing.assert_allclose(ours.score_samples(rows), inside.score_samples(rows), rtol=1e-6)


def test_names_are_kept_and_scores_written(tmp_path):
    frame = pd.DataFrame(TABLE[:, :5]).rename(columns=str)
    frame.to_parquet(tmp_path / "rows.parquet", row_group_size=100)
    source = open_source(tmp_path / "rows.parquet")
    ppca = wp.PPCA(2).fit(source)
    assert ppca.feature_names_in_.tolist() == frame.columns.tolist()
    path = ppca.score_samples(source, out=tmp_path / "log_p.npy")
    assert np.array_equal(np.load(path), ppca.score_samples(frame))


def test_a_forecast_of_a_source_is_that_of_its_rows():
    ours = wp.forecast(ArraySource(DIGITS), noise_variance=100.0, n_components=10)
    assert ours.n_active == 4
    inside = wp.forecast(DIGITS, noise_variance=100.0, n_components=10)
    assert np.array_equal(ours.eigenvalues, inside.eigenvalues)
    assert str(ours) == str(inside)


def test_what_needs_all_rows_in_memory_says_so():
    with pytest.raises(wp.SettingError, match=r'svd_solver="arpack" needs all rows .* "full"'):
        wp.PPCA(3, svd_solver="arpack").fit(ArraySource(TABLE))


def test_a_gap_is_named_by_its_row_or_modelled(several_chunks):
    rows = TABLE.copy()
    rows[300, 7] = np.nan
    with pytest.raises(wp.DataError, match=r"\(NaN\) is in row 300, column 7.*missing="):
        wp.PPCA(2).fit(ArraySource(rows, block_rows=64))
    ours = wp.PPCA(2, missing="ignorable", transform="standardize").fit(ArraySource(rows))
    inside = wp.PPCA(2, missing="ignorable", transform="standardize").fit(rows)
    assert ours.noise_variance_ == inside.noise_variance_


def test_data_that_change_between_the_passes_are_refused_and_nothing_is_lost():
    class Changing(ArraySource):
        asked = 0

        def identity(self) -> str:
            self.asked += 1
            return f"{self.asked > 1}"

    ppca = wp.PPCA(2).fit(TABLE)
    before = ppca.noise_variance_
    with pytest.raises(wp.DataError, match="has changed"):
        ppca.fit(Changing(TABLE, block_rows=64))
    assert ppca.noise_variance_ == before


def test_too_few_rows_or_columns_are_refused(tmp_path):
    np.save(tmp_path / "one.npy", TABLE[:1])
    with pytest.raises(wp.DataError, match="minimum of 2"):
        wp.PPCA(1).fit(NpySource(tmp_path / "one.npy"))
    with pytest.raises(wp.SettingError, match="n_components must be at most"):
        wp.PPCA(31).fit(ArraySource(TABLE))
