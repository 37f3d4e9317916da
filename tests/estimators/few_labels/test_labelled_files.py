"""Estimators of few labels in files: what is loaded predicts and draws as what was saved."""

import copy

import numpy as np
import pandas as pd
import pytest
from few_fits import FEW, FRAME, KIND, METHODS, N, X, fitted_by, small
from sklearn.svm import SVC

import wellposed as wp
from variants import slow_beside
from wellposed.serialise import _file

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
RNG = np.random.default_rng(0)
Y = [["u", "v", "w"][k] if i < 15 else None for i, k in enumerate(KIND)]


def of_latents():
    """Auxiliary variable of the latents, classes by words, and a declared one without a label."""
    second = wp.VAE(1, hidden=(8,), max_epochs=2)
    settings = {"classes": ["u", "v", "w", "x"], "class_prior": [0.1, 0.2, 0.3, 0.4]}
    settings |= {"calibration_folds": 2, "spread_share": "auto"}
    model = small("auxiliary", second_vae=second, **settings)
    return model.set_params(vae__max_epochs=2).fit(X, Y)


def again(model, folder):
    path = folder / "few.wp"
    model.save(path)
    return wp.load(path)


@pytest.mark.parametrize("method", slow_beside([*METHODS, "of latents"], ["joint"]))
def test_what_is_loaded_is_what_was_saved(method, tmp_path):
    model = of_latents() if method == "of latents" else fitted_by(method)
    known = model.classes_[1].item()
    loaded = again(model, tmp_path)
    np.testing.assert_array_equal(model.predict_proba(X), loaded.predict_proba(X))
    np.testing.assert_array_equal(model.transform(X), loaded.transform(X))
    np.testing.assert_array_equal(model.classes_, loaded.classes_)
    assert str(loaded.calibration_) == str(model.calibration_)
    assert (loaded.alpha_, loaded.n_labelled_) == (model.alpha_, model.n_labelled_)
    assert loaded.outcome_ is model.outcome_
    for name, column in model.history_.items():
        np.testing.assert_array_equal(column, loaded.history_[name])
    if method != "features":
        np.testing.assert_array_equal(model.sample(4, known), loaded.sample(4, known))
        scores = (each.score_samples(X[:9], known, n_samples=32) for each in (model, loaded))
        np.testing.assert_array_equal(*scores)
    again(loaded, tmp_path)


def test_no_row_of_the_data_is_in_the_file(tmp_path):
    fitted_by("joint").save(tmp_path / "few.wp")
    tensors, _ = _file.read(tmp_path / "few.wp")
    observed = set(X.astype(np.float32).ravel().tolist())
    assert not observed & {v for array in tensors.values() for v in array.ravel().tolist()}


@pytest.mark.slow
def test_a_frame_of_several_kinds_comes_back_in_kind(tmp_path):
    model = small(vae={"max_epochs": 2}).fit(FRAME, Y)
    loaded = again(model, tmp_path)
    pd.testing.assert_frame_equal(loaded.sample(6, "u"), model.sample(6, "u"))
    assert loaded.feature_names_in_.tolist() == FRAME.columns.tolist()


@pytest.mark.parametrize("method", ["joint", pytest.param("auxiliary", marks=pytest.mark.slow)])
def test_convolutions_with_classes_come_back(method, tmp_path):
    rows = RNG.random((N, 8, 8))
    conv = {"encoder": "conv", "decoder": "conv", "max_epochs": 1}
    model = small(method, vae=conv).fit(rows, FEW)
    loaded = again(model, tmp_path)
    np.testing.assert_array_equal(model.predict_proba(rows), loaded.predict_proba(rows))


def test_parts_of_the_users_own_are_refused(tmp_path):
    model = small("features", classifier=SVC()).fit(X, FEW)
    with pytest.raises(wp.SettingError, match="got classifier of your own"):
        model.save(tmp_path / "few.wp")
    own = small(vae={"encoder": wp.nn.MakeMLP((16,)), "max_epochs": 1}).fit(X, FEW)
    with pytest.raises(wp.SettingError, match="got vae__encoder of your own"):
        own.save(tmp_path / "few.wp")
    assert not (tmp_path / "few.wp").exists()


CHANGES = {
    "classes_": lambda m: setattr(m, "_class_names", (2, 1, 0)),
    "calibration_": lambda m: setattr(m, "_calibration", (0.0, *m._calibration[1:])),
    "n_labelled_": lambda m: setattr(m, "n_labelled_", 0),
    "alpha_": lambda m: setattr(m, "alpha_", None),
    "_seed": lambda m: setattr(m, "_seed", -1),
}


@pytest.mark.parametrize("part", CHANGES)
def test_a_state_that_no_fit_makes_is_refused(part, tmp_path):
    model = copy.copy(fitted_by("joint"))
    CHANGES[part](model)
    with pytest.raises(wp.SettingError, match=part):
        model.save(tmp_path / "few.wp")
