"""Neighbours among points of the user's own: which labels they spread, new rows, files."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import wellposed as wp
from wellposed.estimators.few_labels import classifier
from wellposed.estimators.few_labels.neighbours import spread_labels

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
RNG = np.random.default_rng(0)
N = 160
KIND = RNG.integers(2, size=N)
X = np.column_stack([0.2 * RNG.normal(size=N) + 2 * KIND, 6 * RNG.normal(size=(N, 2))])
FEW = np.where(np.arange(N) < 12, KIND, -1)
NEW_KIND = np.arange(60) % 2
NEW = np.column_stack([0.2 * RNG.normal(size=60) + 2 * NEW_KIND, 6 * RNG.normal(size=(60, 2))])


class Middle(TransformerMixin, BaseEstimator):
    """Rows less their mean, cut to some columns."""

    def __init__(self, columns=1):
        self.columns = columns

    def fit(self, X, y=None):
        assert y is None
        self.mean_, self.n_rows_ = X.mean(axis=0), len(X)
        return self

    def transform(self, X):
        return (X - self.mean_)[:, : self.columns]


def small(method, **settings):
    two = {"second_vae": wp.VAE(1, hidden=(4,), max_epochs=1)} if method == "stacked" else {}
    common = {"calibration_folds": 0, "progress": False, "random_state": 0}
    vae = wp.VAE(2, hidden=(8,), max_epochs=2, prior="standard")
    return wp.SemiSupervisedVAE(method, **{"vae": vae, **common, **two, **settings})


@pytest.fixture(scope="module")
def vae():
    return wp.VAE(2, hidden=(8,), prior="standard", max_epochs=5, random_state=3).fit(X)


@pytest.mark.parametrize("method", ["features", pytest.param("stacked", marks=pytest.mark.slow)])
def test_the_usual_points_give_what_none_gives_bit_for_bit(method, vae):
    frozen = FrozenEstimator(vae)
    units = small("features", vae=frozen).fit(X, FEW).classifier_.units
    latents = FunctionTransformer(lambda rows: vae.transform(rows) @ units)
    settings = {"vae": frozen, "calibration_folds": 2}
    expected = small(method, **settings).fit(X, FEW)
    for same in (latents, [latents], [None]):
        found = small(method, **settings, neighbours=same).fit(X, FEW)
        np.testing.assert_array_equal(found.predict_proba(NEW), expected.predict_proba(NEW))
        np.testing.assert_array_equal(found.calibration_.logits, expected.calibration_.logits)


def test_new_rows_follow_the_column_that_separates():
    model = small("features", neighbours=Middle()).fit(X, FEW)
    (fitted,) = model.neighbours_
    assert fitted.n_rows_ == N
    np.testing.assert_allclose(fitted.mean_, X.mean(axis=0))
    np.testing.assert_array_equal(model.predict(NEW), NEW_KIND)
    usual = small("features").fit(X, FEW)
    assert (usual.predict(NEW) != NEW_KIND).mean() > 0.1


@pytest.mark.parametrize("method", ["joint", "stacked"])
@pytest.mark.slow
def test_networks_get_labels_along_the_column_that_separates(method, monkeypatch):
    spread = []

    def record(*parts, **settings):
        fitted, labels = spread_labels(*parts, **settings)
        spread.append(labels)
        return fitted, labels

    monkeypatch.setattr(classifier, "spread_labels", record)
    for given in (Middle(), FunctionTransformer(lambda rows: rows[:, 1:])):
        small(method, neighbours=given).fit(X, FEW)
    known = np.where(FEW < 0, np.nan, FEW)
    filled = np.stack([labels(known) for labels in spread])
    got = ~np.isnan(filled)
    assert (got.mean(axis=1) > 0.8).all()
    share = [(each == KIND)[has].mean() for each, has in zip(filled, got, strict=True)]
    assert share[0] == 1.0
    assert share[1] < 0.8


def test_graphs_of_a_list_are_averaged():
    points = RNG.normal(size=(50, 5))
    y, new = np.where(np.arange(50) < 8, np.arange(50) % 2, -1), RNG.normal(size=(9, 5))
    both = wp.LabelSpread(alpha=0.9, blocks=(2, 3)).fit(points, y)
    parts = [wp.LabelSpread(alpha=0.9).fit(p, y) for p in (points[:, :2], points[:, 2:])]
    graph = (parts[0]._graph + parts[1]._graph).toarray() / 2
    known = (y[:, None] == [0, 1]).astype(float)
    reached = 0.1 * np.linalg.solve(np.eye(50) - 0.9 * graph, known)
    shares = reached / reached.sum(axis=0)
    shares /= shares.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(both.transduction_, shares, atol=1e-5)
    for part in parts:
        part.transduction_ = both.transduction_
    said = [p.predict_proba(n) for p, n in zip(parts, (new[:, :2], new[:, 2:]), strict=True)]
    np.testing.assert_allclose(both.predict_proba(new), np.mean(said, axis=0))


def test_a_list_joins_the_latents_and_the_transformer():
    model = small("features", neighbours=[None, PCA(2, random_state=0), Middle(1)]).fit(X, FEW)
    assert model.classifier_.blocks == (2, 2, 1)
    assert model.neighbours_[0] is None
    assert model.predict_proba(NEW).shape == (60, 2)


def test_it_is_cloned_and_its_settings_are_set():
    given = Middle(2)
    model = clone(small("features", neighbours=given))
    assert model.get_params()["neighbours__columns"] == 2
    model.set_params(neighbours__columns=1).fit(X, FEW)
    assert model.neighbours_[0] is not model.neighbours
    assert not hasattr(model.neighbours, "mean_")
    model.set_params(neighbours=None).fit(X, FEW)
    assert not hasattr(model, "neighbours_")


def test_a_classifier_of_spread_labels_keeps_its_settings():
    spread = wp.LabelSpread(n_neighbors=4, alpha=0.7)
    model = small("features", classifier=spread, neighbours=Middle()).fit(X, FEW)
    assert (model.classifier_.n_neighbors, model.classifier_.alpha) == (4, 0.7)


@pytest.mark.slow
def test_rows_with_gaps_have_neighbours_by_a_transformer_that_takes_them():
    gaps = X.copy()
    gaps[3, 1] = np.nan
    vae = wp.VAE(2, hidden=(4,), max_epochs=1, missing="ignorable")
    filled = make_pipeline(SimpleImputer(), Middle())
    model = small("joint", vae=vae, neighbours=filled, spread_share=0.5).fit(gaps, FEW)
    assert len(model.neighbours_) == 1
    with pytest.raises(wp.SettingError, match="have no neighbours"):
        small("joint", vae=vae, neighbours=[None, filled]).fit(gaps, FEW)
    with pytest.raises(wp.SettingError, match="1 of them NaN or inf"):
        small("joint", vae=vae, neighbours=FunctionTransformer()).fit(gaps, FEW)


def test_columns_of_a_frame_are_those_of_the_fit_in_their_order():
    frame = pd.DataFrame(X, columns=list("uvw"))
    frame["kind"] = np.where(RNG.random(N) < 0.5, "yes", "no")
    model = small("features", neighbours=Middle()).fit(frame, FEW)
    assert model.neighbours_[0].mean_.shape == (4,)
    shuffled = frame[["kind", "w", "u", "v"]]
    np.testing.assert_array_equal(model.predict_proba(shuffled), model.predict_proba(frame))
    np.testing.assert_array_equal(model.predict(frame), KIND)


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"neighbours": 3}, "neighbours must be a transformer of scikit-learn.*got 3"),
        ({"neighbours": PCA}, "neighbours must be a transformer"),
        ({"neighbours": []}, "neighbours must be a transformer"),
        ({"neighbours": Middle(), "classifier": LogisticRegression()}, "beside classifier="),
        ({"neighbours": FunctionTransformer(np.ravel)}, r"160 rows to as many points.*\(480,\)"),
    ],
)
def test_refusals(settings, rule):
    with pytest.raises(wp.SettingError, match=rule):
        small("features", **settings).fit(X, FEW)


def test_neighbours_that_would_not_be_used_are_refused():
    with pytest.raises(wp.SettingError, match="spread_share=0, which spreads none"):
        small("joint", neighbours=Middle(), spread_share=0).fit(X, FEW)
    with pytest.raises(wp.SettingError, match=r"blocks must be whole numbers .* 3 columns; got"):
        wp.LabelSpread(blocks=(1, 1)).fit(X, FEW)
    changing = FunctionTransformer(lambda rows: rows[:, : 1 + (len(rows) == N)])
    model = small("features", neighbours=changing).fit(X, FEW)
    with pytest.raises(wp.SettingError, match="2 columns to the rows of the fit, and 1 to these"):
        model.predict(NEW)


def test_a_file_has_the_networks_and_not_the_transformers(tmp_path):
    with pytest.raises(wp.SettingError, match='A file has no transformers, by which "features"'):
        small("features", neighbours=Middle()).fit(X, FEW).save(tmp_path / "few.wp")
    assert not (tmp_path / "few.wp").exists()
    model = small("joint", neighbours=[None, Middle()]).fit(X, FEW)
    model.save(tmp_path / "few.wp")
    loaded = wp.load(tmp_path / "few.wp")
    np.testing.assert_array_equal(loaded.predict_proba(NEW), model.predict_proba(NEW))
    loaded.save(tmp_path / "few.wp")
    with pytest.raises(wp.SettingError, match="got 'left out of the file'"):
        loaded.fit(X, FEW)
    loaded.set_params(neighbours=None).fit(X, FEW)
