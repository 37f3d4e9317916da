"""A VAE of a source: fitted, scored and written in blocks, as the same rows in memory are."""

import copy

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

import wellposed as wp
from wellposed import transforms
from wellposed.estimators.streamed.rows import SourceChunks
from wellposed.sources import ArraySource, NpySource, Order, Sampled, _order, describe

X = load_digits().data.reshape(-1, 8, 8).astype(np.uint8)
FLAT = X.reshape(len(X), -1)
SETTINGS = {
    "hidden": (16,),
    "max_epochs": 3,
    "random_state": 0,
    "batch_size": 64,
    "learning_rate": 4e-3,
}
pytestmark = pytest.mark.filterwarnings(
    "ignore::wellposed.ConstantFeatureWarning", "ignore::wellposed.TrainingWarning"
)


@pytest.fixture
def several_chunks(monkeypatch):
    """Chunks of 512 rows: four of the digits."""
    monkeypatch.setattr(_order, "_MOST_ROWS", 512)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "digits.npy"
    np.save(path, X)
    return NpySource(path, block_rows=64)


@pytest.fixture(scope="module")
def fitted(source):
    return wp.VAE(4, **SETTINGS).fit(source)


def test_a_fit_on_disk_is_that_of_the_same_blocks_in_memory_bit_for_bit(source, fitted):
    other = wp.VAE(4, **SETTINGS).fit(ArraySource(X, block_rows=64))
    assert np.array_equal(other.transform(X), fitted.transform(X))
    assert fitted.n_epochs_ == 3
    assert fitted.image_shape_ == (8, 8)


@pytest.mark.slow
def test_a_fit_on_disk_is_as_good_as_one_in_memory(fitted):
    inside = wp.VAE(4, **SETTINGS).fit(X)
    gain = fitted.score_samples(X[::4]) - inside.score_samples(X[::4])
    assert abs(gain.mean()) < 1.0  # nats of some -160; another initialisation differs by as much


def test_scores_and_latents_are_those_of_rows_in_memory_bit_for_bit(source, fitted, tmp_path):
    some = ArraySource(X[:300], block_rows=64)
    values = fitted.score_samples(X[:300], n_samples=16)
    assert np.array_equal(fitted.score_samples(some, n_samples=16), values)
    path = fitted.score_samples(some, n_samples=16, out=tmp_path / "values.npy")
    assert np.array_equal(np.load(path), values)
    latents = fitted.transform(X)
    path = fitted.transform(source, out=tmp_path / "latents.parquet")
    assert np.array_equal(pd.read_parquet(path).to_numpy(), latents)
    assert np.array_equal(np.load(fitted.transform(X, out=tmp_path / "z.npy")), latents)


def test_several_chunks_have_the_scores_and_statistics_of_one(source, fitted, several_chunks):
    assert np.array_equal(fitted.transform(source), fitted.transform(X))
    found, summary = describe(source, Sampled(len(X), 10, seed=0)), transforms.summarise(FLAT)
    assert np.array_equal(found.mean, summary.mean)
    assert np.array_equal(found.variance, summary.variance)


def test_a_training_of_several_chunks_resumes_with_the_same_bits(source, several_chunks, tmp_path):
    settings = SETTINGS | {"checkpoint": tmp_path / "state"}
    whole = wp.VAE(4, **SETTINGS).fit(source)
    assert len(whole.history_["objective"]) == 3
    wp.VAE(4, **settings).fit(source, callbacks=[lambda _: True])
    resumed = wp.VAE(4, **settings).fit(source)
    assert np.array_equal(resumed.transform(X[:50]), whole.transform(X[:50]))
    assert resumed.history_["learning_rate"][-1] < 1e-3 * SETTINGS["learning_rate"]


def test_an_output_that_is_read_or_cannot_be_a_frame_is_refused(fitted, tmp_path):
    path = tmp_path / "rows.npy"
    np.save(path, X[:300])
    own = NpySource(path)
    for call in (
        lambda: fitted.transform(own, out=path),
        lambda: fitted.score_samples(own, out=path),
        lambda: fitted.transform(path, out=path),
        lambda: wp.VAE(1, checkpoint=path).fit(own),
    ):
        with pytest.raises(wp.SettingError, match="file of its own"):
            call()
    assert np.array_equal(np.load(path), X[:300])
    framed = copy.copy(fitted).set_output(transform="pandas")
    with pytest.raises(wp.SettingError, match="set_output"):
        framed.transform(X[:5], out=tmp_path / "z.npy")


def test_data_that_change_while_they_are_described_are_refused():
    class Changing(ArraySource):
        n_asked = 0

        def identity(self):
            Changing.n_asked += 1
            return str(Changing.n_asked)

    with pytest.raises(wp.DataError, match="must stay the same"):
        wp.VAE(1, **SETTINGS).fit(Changing(FLAT[:200]))


def test_a_gap_in_a_row_to_score_is_named_by_its_place_in_the_source(fitted, several_chunks):
    rows = FLAT[:1_500].astype(float)
    rows[1_234, 7] = np.nan
    with pytest.raises(wp.DataError, match="row 1234, column 7"):
        fitted.transform(ArraySource(rows))


def test_an_output_that_fails_leaves_the_old_file(source, fitted, tmp_path, several_chunks):
    path = tmp_path / "values.npy"
    path.write_bytes(b"old")

    class Broken(ArraySource):
        def read(self, block, out):
            if block == 20:  # of the third chunk
                raise wp.DamagedFileError("a part")
            super().read(block, out)

    for name in ("values.npy", "values.parquet"):
        with pytest.raises(wp.DamagedFileError, match="a part"):
            fitted.transform(Broken(X, block_rows=64), out=tmp_path / name)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["values.npy"]
    with pytest.raises(wp.SettingError, match=r"\.csv"):
        fitted.transform(source, out=tmp_path / "values.csv")


def test_held_out_rows_are_never_trained_on_and_all_others_once(source):
    held = Sampled(len(X), 200, seed=3)
    chunks = SourceChunks(
        source, Order(source, 3, 512), held, lambda table: table.values, np.dtype(np.uint8), 64
    )
    seen = np.concatenate([chunks.read(0, i) for i in range(chunks.n_chunks)])
    flat = X.reshape(len(X), -1)
    rest = flat[held.places(np.arange(len(X))) < 0]
    assert len(seen) == chunks.n_rows == len(X) - 200

    def ordered(rows):
        return rows[np.lexsort(rows.T)]

    assert np.array_equal(ordered(seen), ordered(rest))


def test_statistics_are_those_of_all_rows_to_the_last_bit():
    rows = np.random.default_rng(0).normal(3.0, 2.0, (5000, 3)).astype(np.float32)
    found = describe(ArraySource(rows), Sampled(5000, 10, seed=0))
    summary = transforms.summarise(rows)
    for name in ("mean", "variance", "low", "high"):
        assert np.array_equal(getattr(found, name), getattr(summary, name))
    assert not found.whole
    assert describe(ArraySource(X), Sampled(len(X), 10, seed=0)).whole


def test_statistics_of_columns_with_gaps_are_of_what_was_observed():
    rows = np.random.default_rng(0).normal([3.0, 1e9], 2.0, (3000, 2))
    rows[np.random.default_rng(1).uniform(size=rows.shape) < 0.3] = np.nan
    rows[0] = np.nan  # so that no entry of the first row tells how far from zero a column is
    found = describe(ArraySource(rows), Sampled(3000, 10, seed=0), gaps=True)
    np.testing.assert_allclose(found.mean, np.nanmean(rows, axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.variance, np.nanvar(rows, axis=0), rtol=1e-9)
    assert np.array_equal(found.missing, np.isnan(rows).sum(axis=0))
    with pytest.raises(wp.DataError, match=r'NaN.*missing="ignorable"'):
        describe(ArraySource(rows), Sampled(3000, 10, seed=0))


def test_an_infinite_entry_is_named_by_its_row():
    rows = np.zeros((100_000, 2))
    rows[70_001, 1] = np.inf
    with pytest.raises(wp.DataError, match="row 70001, column 1"):
        wp.VAE(1, **SETTINGS).fit(ArraySource(rows))


def test_a_failed_fit_keeps_the_one_before(source):
    vae = wp.VAE(1, **(SETTINGS | {"max_epochs": 1})).fit(X[:200])
    before = vae.transform(X[:5])
    with pytest.raises(wp.SettingError, match="sample_weight with a source"):
        vae.fit(source, sample_weight=np.ones(len(X)))
    with pytest.raises(wp.SettingError, match="covariates with a source"):
        wp.VAE(1, covariates=[0]).partial_fit(source)
    with pytest.raises(wp.SettingError, match="validation_folds=5"):
        vae.set_params(validation_folds=5).fit(source)
    assert np.array_equal(vae.transform(X[:5]), before)


def test_methods_that_read_all_rows_take_small_sources_and_refuse_large(fitted, source):
    assert fitted.reconstruct(source).shape == (len(X), 64)

    class Large(ArraySource):
        n_rows = 10**9

        def __init__(self):
            super().__init__(X)
            self.n_rows = 10**9

    with pytest.raises(wp.DataError, match=r"source\.rows\(start, stop\)"):
        fitted.reconstruct(Large())


@pytest.mark.slow
def test_gaps_and_pieces_of_a_source():
    rows = np.random.default_rng(0).normal(size=(2000, 4))
    rows[:, 1] += rows[:, 0]
    holes = rows.copy()
    holes[::7, 1] = np.nan
    model = wp.VAE(1, missing="ignorable", **SETTINGS).fit(ArraySource(holes))
    assert np.isfinite(model.score_samples(ArraySource(holes), n_samples=16)).all()
    model = wp.VAE(1, **SETTINGS).partial_fit(ArraySource(rows))
    assert model.n_epochs_ == 1
