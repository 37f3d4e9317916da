"""A VAE of a frame with columns of several kinds: its density, and the frames it returns."""

import csv

import jax
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.special

import wellposed as wp
from wellposed import evaluation

pytestmark = [
    pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning"),  # short trainings
    pytest.mark.filterwarnings("ignore::wellposed.FloorWarning"),
]
SMALL = {"hidden": (8,), "max_epochs": 3, "random_state": 0, "progress": False}
SMALL |= {"prior": "standard"}  # few programs to compile
LEVELS = ("a", "b", "c")


def mixed_frame(n: int = 120, seed: int = 0) -> pd.DataFrame:
    draws = np.random.default_rng(seed)
    trait = draws.normal(size=n)
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "x": trait + draws.normal(size=n),
            "level": np.array(LEVELS)[np.digitize(trait + draws.normal(size=n), [-0.5, 0.5])],
            "yes": trait > draws.normal(size=n),
            "visits": draws.poisson(np.exp(trait)),
            "paid": np.where(draws.random(n) < 0.4, 0.0, np.exp(trait + draws.normal(size=n))),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(draws.integers(0, 300, n), "D"),
            "unit": "cm",
        },
        index=[f"row {i}" for i in range(n)],
    )


FRAME = mixed_frame()
SCHEMA = wp.Schema.of(FRAME)


@pytest.fixture(scope="module")
def vae() -> wp.VAE:
    return wp.VAE(2, **SMALL).fit(FRAME)


def test_the_columns_have_the_noise_of_their_kinds(vae):
    assert vae.schema_ == SCHEMA
    assert vae.schema_["id"].kind == "identifier"
    assert list(vae.feature_names_in_) == ["x", "level", "yes", "visits", "paid", "day"]
    groups = {type(group).__name__ for group in vae.model_.noise.groups}
    expected = {"Gaussian", "Categorical", "Bernoulli", "NegativeBinomial", "ZeroInflated"}
    assert groups == expected


def test_frames_come_back_in_kind(vae):
    drawn = vae.sample(7)
    assert drawn.dtypes.equals(FRAME.dtypes)
    assert list(drawn.columns) == list(FRAME.columns)
    assert set(drawn["level"]) <= set(LEVELS)
    assert (drawn["visits"] >= 0).all()
    assert (drawn["id"] >= len(FRAME)).all()
    assert (drawn["unit"] == "cm").all()
    again = vae.reconstruct(FRAME)
    assert again.dtypes.equals(FRAME.dtypes)
    assert again.index.equals(FRAME.index)
    pd.testing.assert_frame_equal(again[["id", "unit"]], FRAME[["id", "unit"]])
    decoded = vae.inverse_transform(vae.transform(FRAME))
    kept = list(vae.feature_names_in_)
    pd.testing.assert_frame_equal(decoded[kept], again[kept].reset_index(drop=True))


@pytest.mark.parametrize("how", ["ancestral", "mean", "coupled"])
def test_whole_numbers_are_rounded_and_decimals_are_not(vae, how):
    key = vae.key("sample")
    raw = evaluation.samples(vae.model_, 40, how=how, alpha=1.0, key=key)
    coded = vae.schema_.encode(vae.sample(40, how))
    whole = [vae.schema_[name].whole for name in vae.feature_names_in_]
    assert whole == [False, False, False, True, False, True]
    np.testing.assert_array_equal(coded[:, 0], vae.in_data_units(raw)[:, 0])
    np.testing.assert_array_equal(coded[:, whole], np.rint(vae.in_data_units(raw)[:, whole]))


def test_a_reconstructed_level_is_the_likeliest(vae):
    numbers = SCHEMA.encode(FRAME)
    z = vae.transform(FRAME)
    density = jax.jit(lambda z, row: vae.model_.decode(z).feature_log_prob(row)[1])
    for row, latent, level in zip(
        numbers[:20], z[:20], vae.reconstruct(FRAME)["level"][:20], strict=True
    ):
        each = [
            density(latent, np.r_[row[0], code, row[2:]].astype(np.float32)) for code in range(3)
        ]
        assert LEVELS[int(np.argmax(each))] == level


def test_the_density_sums_to_that_of_the_other_columns(vae):
    """Σ_level Σ_yes p(x, level, yes, … | z) is p of the other columns, at every z."""
    z = np.asarray([0.3, -1.2], np.float32)
    density = vae.model_.decode(z)
    row = SCHEMA.encode(FRAME)[5]
    joint = [
        density.log_prob(np.r_[row[0], level, yes, row[3:]].astype(np.float32))
        for level in range(3)
        for yes in range(2)
    ]
    each = np.asarray(density.feature_log_prob(row.astype(np.float32)))
    others = each[[0, 3, 4, 5]].sum()
    assert scipy.special.logsumexp(joint) == pytest.approx(others, abs=1e-4)


def test_log_p_of_all_levels_sums_to_the_marginal_of_the_rest():
    """With k = 1, exact log p by quadrature over z: levels summed out, the rest remains."""
    frame = FRAME[["x", "level"]]
    vae = wp.VAE(1, **SMALL).fit(frame)
    z, weights = np.polynomial.hermite_e.hermegauss(60)
    log_weights = np.log(weights / weights.sum())
    each_at = jax.vmap(lambda z, x: vae.model_.decode(z).feature_log_prob(x), in_axes=(0, None))
    density = jax.jit(each_at)
    x = np.float32(0.4)
    parts = np.array(
        [density(z[:, None].astype(np.float32), np.array([x, v], np.float32)) for v in range(3)]
    )
    by_level = [scipy.special.logsumexp(log_weights + each.sum(axis=1)) for each in parts]
    rest = scipy.special.logsumexp(log_weights + parts[0][:, 0])
    assert scipy.special.logsumexp(by_level) == pytest.approx(rest, abs=1e-5)
    rows = pd.DataFrame({"x": [0.4] * 3, "level": list(LEVELS)})
    np.testing.assert_allclose(vae.score_samples(rows, 4096), by_level, atol=0.02)


def test_a_file_keeps_the_schema(vae, tmp_path):
    vae.save(tmp_path / "model.wp")
    loaded = wp.load(tmp_path / "model.wp")
    assert loaded.schema_ == vae.schema_
    pd.testing.assert_frame_equal(loaded.sample(3), vae.sample(3))
    np.testing.assert_array_equal(loaded.elbo(FRAME[:5]), vae.elbo(FRAME[:5]))


@pytest.mark.slow
def test_a_schema_that_was_passed_is_saved_as_the_setting(tmp_path):
    schema = SCHEMA.replace("visits", noise="poisson").replace("day", kind="text")
    vae = wp.VAE(2, noise=schema, **SMALL).fit(FRAME[:60])
    assert "day" not in vae.schema_.names
    assert "Poisson" in {type(group).__name__ for group in vae.model_.noise.groups}
    vae.save(tmp_path / "model.wp")
    assert wp.load(tmp_path / "model.wp").noise == schema
    later = FRAME[60:].assign(level="c")
    assert np.isfinite(vae.score_samples(later)).all()


def test_both_containers_give_one_model(vae):
    other = pl.from_pandas(FRAME)
    second = wp.VAE(2, **SMALL).fit(other)
    np.testing.assert_array_equal(second.elbo(other[:5]), vae.elbo(FRAME[:5]))
    np.testing.assert_array_equal(vae.elbo(other[:5]), vae.elbo(FRAME[:5]))
    drawn = second.sample(4)
    assert drawn.schema == other.schema
    pd.testing.assert_frame_equal(drawn.to_pandas(), vae.sample(4), check_dtype=False)


def test_a_text_file_is_a_frame(vae, tmp_path):
    path = tmp_path / "table.csv"
    FRAME.to_csv(path, index=False, quoting=csv.QUOTE_MINIMAL)
    second = wp.VAE(2, **SMALL).fit(path)
    kinds = {column.name: column.kind for column in second.schema_}
    assert kinds == {column.name: column.kind for column in SCHEMA} | {"yes": "boolean"}
    assert second.sample(2)["day"].dtype.kind == "M"
    assert len(second.reconstruct(path)) == len(FRAME)


def test_a_table_of_categories_alone_has_no_suspect_values():
    vae = wp.VAE(1, **SMALL).fit(FRAME[["level"]].assign(other=list("uvwu") * 30))
    assert set(vae.sample(9)["other"]) <= set("uvw")


def test_missing_cells_and_unknown_levels_are_refused(vae):
    gap = FRAME.copy()
    gap.loc["row 3", "level"] = None
    with pytest.raises(wp.DataError, match=r"NaN.*row 3, column 'level'"):
        wp.VAE(2, **SMALL).fit(gap)
    with pytest.raises(wp.DataError, match=r"NaN.*row 3, column 'level'"):
        vae.score_samples(gap)
    with pytest.raises(wp.DataError, match="'level' has 'z' at row 0"):
        vae.transform(FRAME.assign(level="z"))
    with pytest.raises(wp.DataError, match="frame"):
        vae.transform(np.zeros((3, 6)))
    with pytest.raises(wp.DataError, match=r"column"):
        vae.transform(FRAME.assign(visits=-1))


def test_another_noise_takes_numbers_only():
    with pytest.raises(wp.DataError, match='noise="auto"'):
        wp.VAE(2, noise="shared", **SMALL).fit(FRAME)
    with pytest.raises(wp.DataError, match='noise="auto"'):
        wp.PPCA(1).fit(FRAME)


def test_a_frame_of_numbers_is_its_array_and_comes_back_in_kind():
    draws = np.random.default_rng(0)
    x = draws.normal(size=(60, 3))
    frame = pd.DataFrame(x, columns=list("abc"), index=range(5, 65)).astype({"a": "float32"})
    frame["n"] = draws.poisson(3, 60)
    values = np.column_stack([frame[name] for name in frame]).astype(np.float64)
    of_frame, of_array = (wp.VAE(1, **SMALL).fit(X) for X in (frame, values))
    assert of_frame.schema_.one_noise
    assert of_array.schema_ is None
    drawn = of_frame.sample(5)
    assert drawn.dtypes.equals(frame.dtypes)
    assert isinstance(of_array.sample(5), np.ndarray)
    np.testing.assert_allclose(drawn[["b", "c"]], of_array.sample(5)[:, 1:3])
    assert of_frame.reconstruct(frame).index.equals(frame.index)
    np.testing.assert_array_equal(of_frame.elbo(frame), of_array.elbo(values))


@pytest.mark.slow
def test_weights_pieces_and_validation_rows_take_frames(vae):
    weights = np.r_[np.zeros(20), np.ones(100)]
    weighted = wp.VAE(2, **SMALL).fit(FRAME, sample_weight=weights, X_val=mixed_frame(30, 1))
    assert weighted.schema_ == SCHEMA
    pieces = wp.VAE(2, noise=SCHEMA, **SMALL)
    for piece in (FRAME[:60], FRAME[60:]):
        pieces.partial_fit(piece)
    assert np.isfinite(pieces.score(FRAME))


@pytest.mark.slow
def test_a_grid_takes_a_frame():
    grid = wp.fit_grid(wp.VAE(2, **SMALL), {"n_components": [1, 2]}, FRAME, X_test=FRAME[:50])
    assert grid.best.sample(2).dtypes.equals(FRAME.dtypes)


@pytest.mark.slow
def test_a_diagnosis_and_a_report_take_a_frame(vae, tmp_path):
    assert wp.diagnose(vae, FRAME[:60], FRAME[60:]).to_dict()
    vae.report(FRAME[:60], FRAME[60:]).save(tmp_path / "report.html")
    assert "level" in (tmp_path / "report.html").read_text()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.DataWarning")  # of 99999 in the gains
def test_adult_is_better_than_its_columns_alone(shared_data):
    names = [f"c{i}" for i in range(15)]
    path = shared_data("gaps/adult-train.csv")
    frame = pd.read_csv(path, header=None, names=names, skipinitialspace=True)
    frame = frame.sample(frac=1, random_state=0)
    train, test = frame[:4000], frame[4000:5000]
    schema = wp.Schema.of(frame)
    vae = wp.VAE(noise=schema, random_state=0, progress=False).fit(train)
    levels = [column for column in schema.kept if column.has_levels]
    alone = 0.0
    for column in levels:
        counts = train[column.name].value_counts().reindex(column.levels, fill_value=0) + 0.5
        alone += np.log(counts / counts.sum())[test[column.name]].to_numpy().mean()
    numbers = schema.encode(test)
    density = jax.vmap(lambda z, y: vae.model_.decode(z).feature_log_prob(y))
    rows = numbers.astype(np.float32)
    z = evaluation.latent_means(vae.model_, vae.rows(test), key=jax.random.key(0))
    given = np.asarray(density(z, rows))[:, [i for i, c in enumerate(schema.kept) if c.has_levels]]
    assert given.sum(axis=1).mean() > alone + 2.0


def test_missing_cells_that_are_ignorable_are_marginalised():
    frame = FRAME[["x", "level", "yes", "visits"]]
    gaps = frame.mask(np.random.default_rng(0).random(frame.shape) < 0.1)
    gaps = gaps.astype({"yes": "boolean", "visits": "Int64"})
    vae = wp.VAE(2, missing="ignorable", **SMALL).fit(gaps)
    rows = gaps[frame.notna().all(axis=1)][:3]
    alone = rows.assign(level=None)
    unseen = rows.assign(level="z")  # a level that the model does not have is a gap
    with pytest.warns(wp.DataWarning, match="'level' has 'z'"):
        found = vae.elbo(unseen)
    np.testing.assert_array_equal(found, vae.elbo(alone))
    filled = vae.reconstruct(gaps)
    assert filled.notna().all().all()
    assert filled.dtypes.equals(gaps.dtypes)


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_words_among_numbers_and_unseen_categories_are_named():
    draws = np.random.default_rng(0)
    pulse = draws.integers(40, 60, 80).astype(str)
    pulse[::9] = "?"
    frame = pd.DataFrame({"pulse": pulse, "pain": draws.choice(["mild", "severe"], 80)})
    settings = {"hidden": (8,), "max_epochs": 1, "random_state": 0, "missing": "ignorable"}
    with pytest.warns(wp.DataWarning, match="'pulse' hold numbers but for '\\?'") as caught:
        wp.VAE(1, **settings).fit(frame)
    assert "pain" not in str(caught[0].message)
    frame["pulse"] = pd.to_numeric(frame["pulse"], errors="coerce")
    vae = wp.VAE(1, **settings).fit(frame)
    other = frame.assign(pain=frame["pain"].where(frame.index != 3, "agony"))
    with pytest.warns(wp.DataWarning, match="count as missing cells: 'pain' has 'agony'"):
        found = vae.score_samples(other)
    np.testing.assert_array_equal(
        found, vae.score_samples(frame.assign(pain=frame["pain"].where(frame.index != 3)))
    )
