"""Columns that a VAE is given: every container, every call, and what is refused."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

import wellposed as wp

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
SMALL = {
    "hidden": (4,), "max_epochs": 2, "patience": None, "prior": "standard", "noise": "shared",
    "random_state": 0,
}  # fmt: skip
LEVELS = np.array(["a", "b", "c"])
SHIFT = np.array([0.0, 3.0, -2.0])


def numbers(n=160, seed=0):
    """Three columns, a batch 0, 1 or 2 and an age."""
    rng = np.random.default_rng(seed)
    batch, age = rng.integers(3, size=n), rng.normal(50.0, 10.0, size=n).round(2)
    x = rng.normal(size=(n, 1)) @ [[1.0, 0.5, -1.0]] + 0.3 * rng.normal(size=(n, 3))
    return x + SHIFT[batch][:, None] + 0.05 * age[:, None], batch, age


def frame(n=160, seed=0):
    x, batch, age = numbers(n, seed)
    columns = {"u": x[:, 0], "batch": LEVELS[batch], "v": x[:, 1], "w": x[:, 2], "age": age}
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def vae():
    return wp.VAE(2, covariates=["batch", "age"], **SMALL).fit(frame())


def test_a_frame_an_array_and_polars_give_one_model(vae):
    x, batch, age = numbers()
    array = np.column_stack([x, batch, age])
    fitted = wp.VAE(2, covariates={3: "category", 4: None}, **SMALL).fit(array)
    assert_allclose(fitted.elbo(array), vae.elbo(frame()), rtol=1e-6)
    others = pl.from_pandas(frame())
    same = wp.VAE(2, covariates=["batch", "age"], **SMALL).fit(others)
    assert_array_equal(same.transform(others), vae.transform(frame()))
    assert same.sample(3).columns == others.columns


def test_what_comes_back_has_the_columns_of_the_fit(vae):
    X = frame()[:20].set_index(np.arange(100, 120))
    back = vae.reconstruct(X)
    assert list(back) == list(X)
    assert_array_equal(back.index, X.index)
    pd.testing.assert_frame_equal(back[["batch", "age"]], X[["batch", "age"]])
    decoded = vae.inverse_transform(vae.transform(X), covariates=X)
    assert_allclose(decoded[["u", "v", "w"]], back[["u", "v", "w"]], rtol=1e-5)
    assert dict(vae.sample(3).dtypes) == dict(X.dtypes)
    assert vae.n_features_in_ == 3
    assert list(vae.feature_names_in_) == ["u", "v", "w"]


def test_rows_under_another_batch_move_by_the_difference_of_the_batches():
    x, batch, _ = numbers(600)
    X = pd.DataFrame({"u": x[:, 0], "v": x[:, 1], "w": x[:, 2], "batch": LEVELS[batch]})
    settings = {**SMALL, "hidden": (), "max_epochs": 1, "learning_rate": 1e-30}
    vae = wp.VAE(1, covariates=["batch"], **settings).fit(X)
    moved = vae.reconstruct(X, covariates={"batch": "b"})
    assert set(moved["batch"]) == {"b"}
    by_batch = moved[["u", "v", "w"]].groupby(X["batch"]).mean()
    assert np.ptp(np.asarray(by_batch), axis=0).max() < 0.2  # three and five units before
    assert_allclose(moved["u"].mean(), X["u"][X["batch"] == "b"].mean(), atol=0.2)
    z = vae.transform(X)
    other = vae.inverse_transform(z, covariates={"batch": "b"})
    assert_allclose(other["u"], moved["u"], rtol=1e-5)


def test_covariates_of_draws_in_every_form(vae):
    forms = (
        {"batch": "b", "age": 40.0},
        {"batch": ["b"] * 4, "age": np.full(4, 40.0)},
        ["b", 40.0],
        [["b", 40.0]] * 4,
        pd.DataFrame({"age": [40.0], "batch": ["b"], "other": [1]}),
        pl.DataFrame({"batch": ["b"] * 4, "age": [40.0] * 4}),
    )
    draws = [vae.sample(4, covariates=form) for form in forms]
    for each in draws:
        pd.testing.assert_frame_equal(each, draws[0])
    assert set(draws[0]["batch"]) == {"b"}
    assert set(draws[0]["age"]) == {40.0}


def test_draws_without_covariates_have_those_of_the_rows(vae):
    drawn, X = vae.sample(2000), frame()
    assert set(drawn["age"]) <= set(X["age"])
    shares = drawn["batch"].value_counts(normalize=True) - X["batch"].value_counts(normalize=True)
    assert np.abs(shares).max() < 0.05
    # Draws are those of p(x | c): the batches are apart by as much as in the data.
    means = drawn.groupby("batch")["u"].mean()
    assert means["b"] - means["c"] > 2


def test_a_model_is_saved_with_its_covariates(vae, tmp_path):
    vae.save(tmp_path / "model.wp")
    loaded = wp.load(tmp_path / "model.wp")
    X = frame()[:10]
    assert str(loaded.covariates_) == str(vae.covariates_)
    assert_array_equal(loaded.elbo(X), vae.elbo(X))
    pd.testing.assert_frame_equal(loaded.sample(5), vae.sample(5))
    assert clone(vae).covariates == ["batch", "age"]


def test_a_file_need_not_hold_rows_of_covariates(vae, tmp_path):
    private = clone(vae)
    vars(private).update(vars(vae))
    private.covariates_ = vae.covariates_.without_rows()
    private.save(tmp_path / "model.wp")
    loaded = wp.load(tmp_path / "model.wp")
    with pytest.raises(wp.SettingError, match=r"covariates=\{'batch': 'a', 'age': "):
        loaded.sample(3)
    pd.testing.assert_frame_equal(
        loaded.sample(3, covariates=["a", 1.0]), vae.sample(3, covariates=["a", 1.0])
    )


def test_a_file_at_odds_with_its_covariates_is_refused(vae, tmp_path):
    import dataclasses

    broken = clone(vae)
    vars(broken).update(vars(vae))
    batch = dataclasses.replace(vae.covariates_.columns[0], seen=(0, 1))
    columns = (batch, vae.covariates_.columns[1])
    broken.covariates_ = dataclasses.replace(vae.covariates_, columns=columns)
    with pytest.raises(wp.SettingError, match="covariates_"):
        broken.save(tmp_path / "model.wp")


@pytest.mark.slow
def test_weights_held_out_rows_pieces_folds_and_checkpoints(tmp_path):
    X, settings = frame(), {**SMALL, "covariates": ["batch", "age"]}
    weights = np.where(X["batch"] == "c", 0.0, 1.0)
    weighted = wp.VAE(1, **settings).fit(X, sample_weight=weights, X_val=X[X["batch"] != "c"])
    assert weighted.covariates_.columns[0].levels == ("a", "b")
    with pytest.raises(wp.DataError, match="'c' at row"):
        weighted.score(X)
    pieces = wp.VAE(1, **settings)
    for start in (0, 80):
        pieces.partial_fit(X[start : start + 80])
    assert np.isfinite(pieces.score(X))
    folds = {**settings, "validation_folds": 3}
    once = wp.VAE(1, **folds).fit(X)
    path = tmp_path / "checkpoint"
    again = wp.VAE(1, **folds, checkpoint=path).fit(X)
    resumed = wp.VAE(1, **folds, checkpoint=path).fit(X)
    assert once.score(X) == again.score(X) == resumed.score(X)


def test_gaps_beside_covariates_are_integrated_out():
    x, batch, age = numbers()
    X = np.column_stack([x, batch, age])
    settings = {**SMALL, "covariates": {3: "category", 4: "number"}, "missing": "ignorable"}
    vae = wp.VAE(1, **settings).fit(X)
    hidden = X[:30].copy()
    hidden[:, :3] = np.nan
    assert_allclose(vae.score_samples(hidden), 0.0, atol=1e-5)
    with pytest.raises(wp.DataError, match="covariate must have a value"):
        vae.score(np.where(np.arange(5) == 3, np.nan, X))


def test_columns_of_several_kinds_and_a_category_as_covariate():
    X = frame()
    rng = np.random.default_rng(1)
    X["kind"] = np.where(X["u"] > rng.normal(3, 1, size=len(X)), "yes", "no")
    X["batch"] = pd.Categorical(X["batch"], categories=["a", "b", "c", "never"])
    X["on"] = rng.random(len(X)) < 0.5
    X["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(90, size=len(X)), "D")
    settings = {**SMALL, "noise": "auto", "covariates": ["batch", "on", "day"]}
    vae = wp.VAE(2, **settings).fit(X)
    assert vae.covariates_.width == 3 + 2 + 1
    drawn = vae.sample(6)
    assert dict(drawn.dtypes) == dict(X.dtypes)
    pd.testing.assert_frame_equal(
        vae.reconstruct(X)[["batch", "on", "day"]], X[["batch", "on", "day"]]
    )
    with pytest.raises(wp.DataError, match="'never'"):
        vae.sample(2, covariates={"batch": "never", "on": True, "day": X["day"][0].to_pydatetime()})


REFUSED = {
    "a string": ({"covariates": "batch"}, wp.SettingError, r"covariates=\['batch'\]"),
    "none listed": ({"covariates": []}, wp.SettingError, "listed once"),
    "twice": ({"covariates": ["age", "age"]}, wp.SettingError, "age twice"),
    "kind": ({"covariates": {"age": "text"}}, wp.SettingError, '"number" or "category"'),
    "unknown": ({"covariates": ["site"]}, wp.DataError, "'site' is none"),
    "all": ({"covariates": list(frame())}, wp.DataError, "all 5 are covariates"),
    "vamp": ({"covariates": ["batch", "age"], "prior": "vamp"}, wp.SettingError, 'prior="mixture"'),
    "text as number": ({"covariates": {"batch": "number"}}, wp.DataError, "must hold numbers"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    settings, error, words = REFUSED[case]
    with pytest.raises(error, match=words):
        wp.VAE(1, **{**SMALL, **settings}).fit(frame())


def test_columns_that_cannot_be_given():
    X = frame()
    columns = {
        "gaps": (np.where(np.arange(160) == 7, None, X["batch"]), "has none, .*first row 7"),
        "one value": (np.full(160, "a"), "must vary"),
        "all differ": ([f"cell {i}" for i in range(160)], "at most 256 levels"),
        "infinite": (np.where(np.arange(160) == 3, np.inf, X["age"]), "first row 3"),
        "rounding": (1.0 + 1e-16 * np.arange(160), "must vary"),
    }
    for values, words in columns.values():
        with pytest.raises(wp.DataError, match=words):
            wp.VAE(1, covariates=["batch"], **SMALL).fit(X.assign(batch=values))


def test_covariates_that_a_model_cannot_take(vae):
    X = frame()[:4]
    for covariates, words in (
        ({"batch": "z", "age": 1.0}, "'z' at row 0"),
        ({"batch": "a"}, "'batch', 'age'"),
        ({"batch": "a", "age": None}, "must have a value"),
        ({"batch": ["a", "b"], "age": 1.0}, "one row for each of the 4"),
        (["a"], "2 values"),
        (X[["batch"]], "'age' is none"),
    ):
        with pytest.raises(wp.DataError, match=words):
            vae.inverse_transform(np.zeros((4, 2)), covariates=covariates)
    with pytest.raises(wp.SettingError, match=r"covariates=\{'batch': "):
        vae.inverse_transform(np.zeros((4, 2)))
    with pytest.raises(wp.DataError, match="'batch' is none"):
        vae.score(X.drop(columns="batch"))
    plain = wp.VAE(1, **SMALL).fit(X[["u", "v", "w"]])
    with pytest.raises(wp.SettingError, match="no covariates"):
        plain.sample(2, covariates={"batch": "a"})
    with pytest.raises(wp.SettingError, match="no covariates"):
        plain.covariate_information(X[["u", "v", "w"]])
    with pytest.raises(wp.SettingError, match="explore shows"):
        wp.explore(vae, X)
    with pytest.raises(wp.SettingError, match="An imputer"):
        wp.VAEImputer(wp.VAE(1, covariates=["age"])).fit(X)


def test_arrays_must_have_all_columns():
    x, batch, age = numbers()
    X = np.column_stack([x, batch, age])
    vae = wp.VAE(1, covariates=[3, 4], **SMALL).fit(X)
    with pytest.raises(wp.DataError, match="X has 3 features, but the model is expecting 5"):
        vae.transform(x)
    with pytest.raises(wp.DataError, match="images, whose columns are pixels"):
        wp.VAE(1, covariates=[0], **SMALL).fit(np.zeros((10, 4, 4)) + np.arange(10)[:, None, None])


def test_convolutions_have_the_covariates_beside_the_image(tmp_path):
    rng = np.random.default_rng(0)
    digit = rng.integers(2, size=80)
    pixels = rng.normal(size=(80, 64)) + 5.0 * digit[:, None] * (np.arange(64) % 2)
    X = np.column_stack([pixels, digit])
    settings = {**SMALL, "image_shape": (8, 8), "encoder": "conv", "decoder": "conv"}
    vae = wp.VAE(1, covariates={64: "category"}, **settings).fit(X)
    drawn = vae.sample(2, "mean", covariates=[0, 1])[:, :64]
    odd = drawn[:, 1::2].mean(axis=1) - drawn[:, ::2].mean(axis=1)
    assert_allclose(odd, [0.0, 5.0], atol=1.0)
    vae.save(tmp_path / "model.wp")
    assert_array_equal(wp.load(tmp_path / "model.wp").transform(X), vae.transform(X))
