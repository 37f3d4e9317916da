"""Imputers in files: what is loaded fills and draws as what was saved."""

import json

import numpy as np
import pandas as pd
import pytest

import wellposed as wp
from wellposed.serialise import _file

RNG = np.random.default_rng(0)
WHOLE = np.repeat(RNG.normal(size=(120, 2)), 2, axis=1) + 0.3 * RNG.normal(size=(120, 4))
X = np.where(RNG.random(WHOLE.shape) < 0.2, np.nan, WHOLE)
NEW = np.where(RNG.random(WHOLE.shape) < 0.5, np.nan, WHOLE)[:30]
SMALL = {"hidden": (8,), "max_epochs": 2, "progress": False, "prior": "standard"}
pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")


def gaussian(**settings):
    return wp.GaussianImputer(ridge=2.0, random_state=0, **settings)


def again(imputer, folder):
    path = folder / "imputer.wp"
    imputer.save(path)
    return wp.load(path)


def assert_same(a, b, X):
    np.testing.assert_array_equal(a.transform(X), b.transform(X))
    np.testing.assert_array_equal(a.draw(X, 3), b.draw(X, 3))
    for end, other in zip(a.predict_interval(X), b.predict_interval(X), strict=True):
        np.testing.assert_array_equal(end, other)
    assert a.get_feature_names_out().tolist() == b.get_feature_names_out().tolist()


SETTINGS = [{}, {"bootstrap": False}, {"n_components": 1}, {"add_indicator": True}]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_gaussian_imputer_is_the_same(settings, tmp_path):
    imputer = gaussian(**settings).fit(X)
    loaded = again(imputer, tmp_path)
    assert_same(imputer, loaded, NEW)
    np.testing.assert_array_equal(imputer.covariance_, loaded.covariance_)
    assert repr(loaded) == repr(imputer)


def test_no_row_of_the_data_is_in_the_file(tmp_path):
    gaussian().fit(X).save(tmp_path / "imputer.wp")
    tensors, _ = _file.read(tmp_path / "imputer.wp")
    assert max(array.size for array in tensors.values()) <= 16
    observed = set(X[~np.isnan(X)].tolist())
    assert not observed & {v for array in tensors.values() for v in array.ravel().tolist()}


def test_names_empty_columns_and_codes_of_gaps_are_kept(tmp_path):
    rows = np.column_stack([np.where(np.isnan(X), -9.0, X), np.full(len(X), -9.0)])
    frame = pd.DataFrame(rows, columns=list("abcde"))
    imputer = gaussian(missing_values=-9.0, add_indicator=True).fit(frame)
    loaded = again(imputer, tmp_path)
    assert_same(imputer, loaded, frame)
    assert loaded.missing_values == -9.0
    assert loaded.feature_names_in_.tolist() == list("abcde")
    with pytest.raises(ValueError, match="feature names"):
        loaded.transform(frame[["b", "a", "c", "d", "e"]])


@pytest.mark.slow
def test_several_vaes_are_in_one_file(tmp_path):
    imputer = wp.VAEImputer(wp.VAE(1, **SMALL), n_models=2, n_samples=16, random_state=0).fit(X)
    loaded = again(imputer, tmp_path)
    assert len(loaded.vaes_) == 2
    assert loaded.vae.get_params() == imputer.vae.get_params()
    assert_same(imputer, loaded, NEW)


@pytest.mark.slow
def test_a_frame_of_several_kinds_comes_back_in_kind(tmp_path):
    frame = pd.DataFrame(NEW, columns=list("abcd"))
    frame["level"] = pd.Categorical(np.where(WHOLE[:30, 0] > 0, "high", "low"))
    frame["yes"] = pd.array(WHOLE[:30, 1] > 0, dtype="boolean")
    frame.loc[[0, 3], "level"] = None
    frame.loc[[1, 4], "yes"] = None
    vae = wp.VAE(1, **SMALL)
    imputer = wp.VAEImputer(vae, n_models=2, n_samples=16, random_state=0).fit(frame)
    loaded = again(imputer, tmp_path)
    pd.testing.assert_frame_equal(loaded.transform(frame), imputer.transform(frame))
    for a, b in zip(loaded.draw(frame, 2), imputer.draw(frame, 2), strict=True):
        pd.testing.assert_frame_equal(a, b)


def forged(path, change):
    """The file with its header or arrays changed, and a checksum that is right again."""
    tensors, header = _file.read(path)
    change(tensors, header)
    for key in ("version", "library"):
        header.pop(key)
    _file.write(path, tensors, header)


def _zero_covariance(tensors, header):
    del header
    tensors[next(name for name in tensors if name.endswith("covariance"))][:] = 0.0


def _beyond(tensors, header):
    del header
    tensors["more"] = np.zeros(3)


FORGERIES = {
    "a covariance of zero": _zero_covariance,
    "an array that nothing names": _beyond,
    "no state": lambda tensors, header: header["state"].clear(),
    "a wrong setting": lambda tensors, header: header["settings"].update(tol=-1.0),
    "columns of another number": lambda tensors, header: header["state"].update(n_features_in_=3),
    "an indicator that no setting asks for": lambda tensors, header: header.update(
        indicator={"array": "_kept"}
    ),
    "too few bootstraps": lambda tensors, header: header["state"].update(_bootstraps={"list": []}),
    "other names": lambda tensors, header: header.update(feature_names=["a"]),
    "a VAE": lambda tensors, header: header.update(vaes=[{}]),
    "of another kind": lambda tensors, header: header.update(kind="VAEImputer"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_what_fitting_does_not_make_is_refused(name, tmp_path):
    path = tmp_path / "imputer.wp"
    gaussian().fit(X).save(path)
    forged(path, FORGERIES[name])
    with pytest.raises(wp.DamagedFileError):
        wp.load(path)


def test_a_changed_byte_is_refused(tmp_path):
    path = tmp_path / "imputer.wp"
    gaussian().fit(X).save(path)
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(wp.DamagedFileError, match="checksum"):
        wp.load(path)


def test_the_header_is_strict_json_and_equal_imputers_have_equal_bytes(tmp_path):
    imputer = gaussian().fit(X)
    imputer.save(tmp_path / "a.wp")
    gaussian().fit(X).save(tmp_path / "b.wp")
    assert (tmp_path / "a.wp").read_bytes() == (tmp_path / "b.wp").read_bytes()
    _, header = _file.read(tmp_path / "a.wp")
    json.dumps(header, allow_nan=False)


def test_an_imputer_that_is_not_fitted_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match="not fitted"):
        gaussian().save(tmp_path / "imputer.wp")
