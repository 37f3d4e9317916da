"""Names, order and shape of features: kept at fit, compared afterwards."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import wellposed as wp
from textbook import textbook_vae
from wellposed._errors import DataError, SettingError

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")  # short trainings
SMALL = {"hidden": (8,), "max_epochs": 2, "random_state": 0, "progress": False}
ROWS = np.random.default_rng(0).normal(size=(40, 3)) * [1.0, 10.0, 100.0]
IMAGES = np.random.default_rng(1).integers(0, 256, size=(30, 4, 3)).astype(np.uint8)


@pytest.mark.parametrize("shape", [(30, 4, 3), (30, 4, 3, 1)])
def test_an_array_of_images_is_read_as_a_file_of_them(shape, tmp_path):
    given = IMAGES.reshape(shape)
    path = tmp_path / "images.npy"
    np.save(path, given)
    vae, of_file = (textbook_vae(2, **SMALL).fit(X) for X in (given, path))
    assert vae.image_shape_ == of_file.image_shape_ == shape[1:]
    assert vae.n_features_in_ == 12
    assert vae.one_scale_ is True
    np.testing.assert_array_equal(vae.elbo(given), of_file.elbo(path))
    np.testing.assert_array_equal(
        vae.elbo(IMAGES.reshape(30, -1)), vae.elbo(IMAGES.reshape(30, 4, 3, 1))
    )


def test_images_of_another_shape_are_refused():
    vae = textbook_vae(2, **SMALL, image_shape=(4, 3)).fit(IMAGES)
    with pytest.raises(DataError, match=r"shape of those of the fit, \(4, 3\); got \(3, 4\)"):
        vae.score_samples(IMAGES.transpose(0, 2, 1))
    with pytest.raises(DataError, match=r"X has 3 features.*X\[None\]"):
        vae.score_samples(IMAGES[0])
    assert vae.elbo(IMAGES[0][None]).shape == (1,)
    with pytest.raises(SettingError, match="image_shape must be the shape of the images passed"):
        textbook_vae(2, **SMALL, image_shape=(3, 4)).fit(IMAGES)


@pytest.mark.slow
def test_a_grid_keeps_the_image_shape():
    grid = wp.fit_grid(textbook_vae(2, **SMALL), {"beta": [1.0, 2.0]}, IMAGES, progress=False)
    assert grid.best.image_shape_ == (4, 3)
    assert grid.best.one_scale_ is True


@pytest.mark.parametrize("kind", ["csr_matrix", "csc_array", "coo_array"])
def test_sparse_rows_are_scored_as_dense_ones(kind):
    rows = sp.random(40, 5, 0.4, random_state=0).toarray()
    ppca = wp.PPCA(2).fit(getattr(sp, kind)(rows))
    np.testing.assert_array_equal(
        ppca.score_samples(getattr(sp, kind)(rows)), wp.PPCA(2).fit(rows).score_samples(rows)
    )


def test_a_pipeline_of_indicators_fits():
    draws = np.random.default_rng(0)
    frame = pd.DataFrame({"x": draws.normal(size=60), "town": draws.choice(list("abcdefghij"), 60)})
    columns = make_column_transformer((StandardScaler(), ["x"]), (OneHotEncoder(), ["town"]))
    fitted = make_pipeline(columns, textbook_vae(2, **SMALL)).fit(frame)
    assert sp.issparse(columns.fit_transform(frame))
    assert fitted.transform(frame).shape == (60, 2)


@pytest.mark.parametrize("model", [wp.PPCA(1), textbook_vae(1, **SMALL)], ids=["PPCA", "VAE"])
def test_columns_of_another_order_or_name_are_refused(model):
    frame = pd.DataFrame(ROWS, columns=["x", "y", "z"])
    model.fit(frame)
    with pytest.raises(DataError, match="same order as"):
        model.score_samples(frame[["z", "y", "x"]])
    with pytest.raises(DataError, match=r"(?s)unseen at fit time:\n- w.*now missing:\n- z"):
        model.score_samples(frame.rename(columns={"z": "w"}))
    with pytest.raises(DataError, match=r"(?s)now missing:\n- z.*'x', 'y', 'z' in this order"):
        model.score_samples(frame[["x", "y"]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.transform(ROWS)


def test_labels_that_are_numbers_keep_their_order():
    """scikit-learn compares names of text alone: the columns 2, 1, 0 passed without a word."""
    frame = pd.DataFrame(ROWS)
    ppca = wp.PPCA(1).fit(frame)
    assert not hasattr(ppca, "feature_names_in_")
    np.testing.assert_array_equal(ppca.score_samples(frame), ppca.score_samples(ROWS))
    for other in (frame[[2, 1, 0]], frame[[1, 0, 2]]):
        with pytest.raises(DataError, match="same order"):
            ppca.score_samples(other)
    turned = wp.PPCA(1).fit(frame[[2, 1, 0]])
    np.testing.assert_array_equal(
        turned.score_samples(frame[[2, 1, 0]]), turned.score_samples(ROWS[:, ::-1])
    )
    named = wp.PPCA(1).fit(frame.rename(columns=str))
    np.testing.assert_array_equal(named.score_samples(frame), ppca.score_samples(frame))
    with pytest.raises(DataError, match="same order"):
        named.score_samples(frame[[2, 1, 0]])


def test_mixed_names_become_text_as_in_a_file(tmp_path):
    frame = pd.DataFrame(ROWS, columns=["x", 1, 2])
    ppca = wp.PPCA(1).fit(frame)
    assert ppca.feature_names_in_.tolist() == ["x", "1", "2"]
    frame.to_csv(tmp_path / "table.csv", index=False)
    assert wp.PPCA(1).fit(tmp_path / "table.csv").feature_names_in_.tolist() == ["x", "1", "2"]


def test_names_of_a_fit_end_with_the_next():
    ppca = wp.PPCA(1).fit(pd.DataFrame(ROWS, columns=["x", "y", "z"]))
    assert not hasattr(ppca.fit(ROWS), "feature_names_in_")
    with pytest.warns(UserWarning, match="was fitted without feature names"):
        ppca.score_samples(pd.DataFrame(ROWS, columns=["x", "y", "z"]))


def test_a_column_of_a_file_is_named_with_its_line(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("age,income\n1,2\n2,5\n\n3,inf\n4,8\n")
    with pytest.raises(DataError, match="line 5, column 'income'"):
        wp.PPCA(1).fit(path)


def test_messages_of_a_fit_name_the_columns():
    frame = pd.DataFrame(ROWS, columns=["x", "y", "z"]).assign(still=3.0)
    with pytest.warns(wp.ConstantFeatureWarning, match="'still'"):
        textbook_vae(1, **SMALL).fit(frame)
    with pytest.warns(wp.ConstantFeatureWarning, match="'still'"):
        wp.PPCA(1).fit(frame)
