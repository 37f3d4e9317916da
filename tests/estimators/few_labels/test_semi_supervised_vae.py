"""SemiSupervisedVAE: a classifier of rows of which few have a label."""

import functools

import numpy as np
import pandas as pd
import pytest
from few_fits import FEW, FRAME, KIND, METHODS, D, N, X, fitted_by, small
from scipy.special import log_softmax, softmax
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.semi_supervised import LabelSpreading
from sklearn.svm import SVC

import wellposed as wp
from variants import slow_beside

pytestmark = pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
RNG = np.random.default_rng(1)
WORDS = np.array(["a", "b", "c"])
BRIEF = {"max_epochs": 2}


def nearest(rows):
    means = np.stack([X[c == KIND].mean(axis=0) for c in range(3)])
    return np.linalg.norm(rows[:, None] - means, axis=2).argmin(axis=1)


@pytest.fixture(scope="module", params=slow_beside(METHODS, ["features", "joint", "stacked"]))
def fitted(request):
    return fitted_by(request.param)


def test_it_predicts_the_rows_without_a_label(fitted):
    assert (fitted.predict(X) == KIND)[15:].mean() > 0.9
    assert fitted.n_labelled_ == 15
    assert fitted.score(X, KIND) > 0.9


def test_probabilities_are_those_of_the_calibrated_logits(fitted):
    found = fitted.predict_proba(X)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-12)
    t = fitted.calibration_.temperature
    np.testing.assert_allclose(found, softmax(fitted._logits(X), axis=1), rtol=1e-10)
    sharp = fitted._logits(X) * t
    np.testing.assert_allclose(np.log(found), log_softmax(sharp / t, axis=1), atol=1e-9)
    assert (found.argmax(axis=1) == fitted.predict(X)).all()
    np.testing.assert_allclose(fitted.decision_function(X), np.log(found), atol=1e-9)


def test_the_temperature_is_of_labels_that_were_held_out(fitted):
    calibration = fitted.calibration_
    assert len(calibration.labels) == 15
    assert sorted(calibration.labels.tolist()) == sorted(FEW[:15].tolist())
    assert calibration.logits.shape == (15, 3)
    assert "held out once" in str(calibration)
    assert "15" in calibration._repr_html_()


def test_transform_returns_latents(fitted):
    codes = fitted.transform(X)
    assert codes.shape == (N, 2)
    assert len(fitted.get_feature_names_out()) == 2
    assert np.isfinite(codes).all()


def test_draws_of_a_class_are_of_that_class(fitted):
    if fitted.method == "features":
        with pytest.raises(wp.SettingError, match='got method="features"'):
            fitted.sample(2, 0)
        return
    for c in range(3):
        draws = fitted.sample(200, c)
        assert draws.shape == (200, D)
        assert (nearest(draws) == c).mean() > 0.8
        assert len(np.unique(draws, axis=0)) == 200
    each = fitted.sample(3, [2, 0, 2])
    np.testing.assert_array_equal(each, fitted.sample(3, [2, 0, 2]))
    assert fitted.sample(5).shape == (5, D)


def test_log_p_of_x_is_the_sum_over_the_classes(fitted):
    if fitted.method == "features":
        with pytest.raises(wp.SettingError, match="score_samples needs a model"):
            fitted.score_samples(X[:9], 1)
        np.testing.assert_array_equal(fitted.score_samples(X[:9]), fitted.vae_.score_samples(X[:9]))
        return
    each = np.stack([fitted.score_samples(X[:9], c, 32) for c in range(3)], axis=1)
    total = fitted.score_samples(X[:9], n_samples=32)
    np.testing.assert_allclose(total, np.logaddexp.reduce(each, axis=1), rtol=1e-5)
    own = fitted.score_samples(X[:9], KIND[:9], 32)
    np.testing.assert_array_equal(own, each[np.arange(9), KIND[:9]])


def test_the_diagnosis_has_the_figures_of_each_class(fitted):
    found = fitted.diagnose(X, KIND)
    assert [each.name for each in found.classes] == [0, 1, 2]
    assert [each.n_labels for each in found.classes] == np.bincount(FEW[:15]).tolist()
    assert [each.n_rows for each in found.classes] == np.bincount(KIND).tolist()
    right = sum(each.accuracy * each.n_rows for each in found.classes) / N
    assert right == pytest.approx(fitted.score(X, KIND))
    held = sum(each.held_out_accuracy * each.n_labels for each in found.classes) / 15
    assert held == pytest.approx(fitted.calibration_.accuracy)
    assert all(np.isfinite(each.nats) and each.n_active > 0 for each in found.classes)
    assert "Held-out accuracy" in str(found)
    assert "<table" in found._repr_html_()
    guessed = fitted.diagnose(X)
    assert [each.n_rows for each in guessed.classes] == np.bincount(fitted.predict(X)).tolist()


def test_declared_classes_without_an_example_never_win():
    words = np.where(FEW >= 0, WORDS[np.maximum(FEW, 0)], None)
    column = pd.Categorical(words, ["z", "c", "b", "a"])
    model = small(vae=BRIEF).fit(X, column)
    found = model.predict_proba(X)
    assert model.classes_.tolist() == ["a", "b", "c", "z"]
    assert found.shape == (N, 4)
    np.testing.assert_array_equal(found[:, 3], 0.0)
    assert "z" not in model.predict(X)
    with pytest.raises(wp.DataError, match="classes with an example, 'a', 'b', 'c'"):
        model.sample(2, "z")
    same = small(vae=BRIEF).fit(X, FEW)
    np.testing.assert_array_equal(WORDS[same.predict(X)], model.predict(X))


def test_hidden_labels_cannot_leak():
    """The array of labels is all that a fit sees; those of other rows are not in it."""
    one = small(vae=BRIEF).fit(X, FEW)
    other = small(vae=BRIEF).fit(X, np.where(FEW >= 0, FEW, np.nan))
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


def test_alpha_is_that_of_one_label():
    automatic = small(vae={"validation_fraction": 0.0, "max_epochs": 1}).fit(X, FEW)
    assert automatic.alpha_ == pytest.approx(10 * N / 15)
    given = small(alpha=7.0, vae={"max_epochs": 1})
    assert given.fit(X, FEW).alpha_ == 7
    assert given.fit(X[:200], FEW[:200]).alpha_ == 7


def test_all_rows_with_a_label_are_a_supervised_fit():
    model = small(vae={"max_epochs": 20}).fit(X, KIND)
    assert (model.predict(X) == KIND).mean() > 0.95


def test_a_class_with_one_label_is_kept_in_all_folds():
    y = FEW.copy()
    y[np.flatnonzero(FEW == 2)[1:]] = -1
    model = small("features", calibration_folds=3).fit(X, y)
    assert "1 classes have one label" in str(model.calibration_)
    assert 2 in model.predict(X)


@pytest.mark.parametrize("prior", ["empirical", "learned", [0.2, 0.3, 0.5]], ids=str)
def test_the_class_prior_is_the_one_that_is_set(prior):
    model = small(class_prior=prior, vae={"max_epochs": 2}).fit(X, FEW)
    found = np.exp(np.asarray(model.model_.labels.log_prior))
    shares = np.bincount(FEW[:15]) / 15
    wanted = {"empirical": shares, "learned": found}.get(str(prior), np.array([0.2, 0.3, 0.5]))
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    assert (np.ptp(found) > 0) is np.True_


@pytest.mark.parametrize(
    "method", ["features", "stacked", pytest.param("auxiliary", marks=pytest.mark.slow)]
)
def test_a_frozen_vae_is_used_as_it_was_fitted(method):
    vae = wp.VAE(2, hidden=(16,), prior="standard", max_epochs=40, random_state=3).fit(X)
    settings = {"progress": False, "random_state": 0, "calibration_folds": 0}
    if method != "features":
        settings["second_vae"] = wp.VAE(1, hidden=(8,), max_epochs=2)
    model = wp.SemiSupervisedVAE(method, vae=FrozenEstimator(vae), **settings).fit(X, FEW)
    np.testing.assert_array_equal(model.transform(X), vae.transform(X))
    for other in ("joint", "auxiliary"):
        with pytest.raises(wp.SettingError, match="A frozen vae must be a fitted"):
            wp.SemiSupervisedVAE(other, vae=FrozenEstimator(vae)).fit(X, FEW)
    with pytest.raises(wp.SettingError, match="A frozen vae must be a fitted"):
        wp.SemiSupervisedVAE(method, vae=FrozenEstimator(wp.VAE())).fit(X, FEW)


def test_the_first_of_two_vaes_has_a_normal_prior():
    vae = wp.VAE(2, hidden=(16,), prior="mixture", max_epochs=2, random_state=0).fit(X)
    with pytest.raises(wp.SettingError, match="must be N\\(0, I\\)"):
        wp.SemiSupervisedVAE("stacked", vae=FrozenEstimator(vae)).fit(X, FEW)


def test_spread_labels_are_refused_beside_gaps():
    gaps = X.copy()
    gaps[3, 0] = np.nan
    vae = wp.VAE(2, hidden=(16,), max_epochs=1, missing="ignorable")
    settings = {"vae": vae, "calibration_folds": 0, "progress": False}
    with pytest.raises(wp.SettingError, match="have no neighbours"):
        wp.SemiSupervisedVAE("joint", spread_share=0.5, **settings).fit(gaps, FEW)
    assert wp.SemiSupervisedVAE("joint", **settings).fit(gaps, FEW).alpha_ > 100


def test_an_auxiliary_variable_is_of_the_data_or_of_latents():
    alone = small("auxiliary", vae={"max_epochs": 2}).fit(X, FEW)
    assert alone.model_.first is None
    assert alone.vae_.model_.n_covariates == 3
    second = wp.VAE(1, hidden=(8,), max_epochs=2)
    model = small("auxiliary", second_vae=second, vae={"max_epochs": 2}).fit(X, FEW)
    assert model.model_.first.model is model.vae_.model_
    np.testing.assert_array_equal(model.transform(X), model.vae_.transform(X))
    for each, k in ((alone, 2), (model, 1)):
        encoder = each.model_.vae.encoder
        assert encoder.first.layers[-1].bias.shape == (2 * k,)  # q(a | x): a is as long as z
        assert np.abs(each.model_.auxiliary.layers[-1].bias).max() > 0  # trained


def test_class_weights_move_the_predictions():
    weighted = functools.partial(small, "features", classifier=LogisticRegression())
    y = np.where(KIND == 2, 1, KIND)
    close = 0.15 * X + RNG.normal(size=X.shape)
    shares = [
        (weighted(class_weight={0: w, 1: 1 / w}).fit(close, y).predict(close) == 0).mean()
        for w in (0.1, 10.0)
    ]
    assert shares[0] < shares[1]


@pytest.mark.parametrize("classifier", [SVC(), LabelSpreading(gamma=1.0)], ids=str)
def test_any_classifier_takes_the_latents(classifier):
    model = small("features", classifier=classifier, calibration_folds=3).fit(X, FEW)
    assert (model.predict(X) == KIND).mean() > 0.85
    assert type(model.classifier_) is type(classifier)
    assert not hasattr(classifier, "classes_")


def test_several_draws_of_each_labelled_row():
    model = small("features", features=5, classifier=SVC()).fit(X, FEW)
    assert model.classifier_.shape_fit_[0] == 75


@pytest.mark.parametrize("method", ["joint", pytest.param("auxiliary", marks=pytest.mark.slow)])
def test_gaps_are_integrated_out_as_by_the_vae(method):
    gaps = np.where(RNG.random(X.shape) < 0.15, np.nan, X)
    model = small(method, vae={"missing": "ignorable"}).fit(gaps, FEW)
    assert (model.predict(gaps) == KIND).mean() > 0.8
    with pytest.raises(wp.DataError, match="NaN"):
        small().fit(gaps, FEW)


def test_a_frame_of_several_kinds():
    frame, model = FRAME, small().fit(FRAME, FEW)
    assert model.feature_names_in_.tolist() == ["u", "v", "kind", "amount"]
    drawn = model.sample(6, 0)
    assert list(drawn.columns) == list(frame.columns)
    assert (model.predict(frame) == KIND).mean() > 0.8
    shuffled = frame[["v", "u", "kind", "amount"]]
    np.testing.assert_array_equal(model.predict(shuffled), model.predict(frame))


@pytest.mark.parametrize(
    ("noise", "method"),
    [
        ("conditional", "joint"),
        *(
            pytest.param(name, method, marks=pytest.mark.slow)
            for method in ("joint", "auxiliary")
            for name in ("feature", "student-t", "bernoulli", "discretized-gaussian")
        ),
    ],
)
def test_noise_of_each_kind(noise, method):
    rows = X if noise in ("conditional", "feature", "student-t") else (X > 0).astype(float)
    model = small(method, vae={"noise": noise, "max_epochs": 3}).fit(rows, FEW)
    assert np.isfinite(model.score_samples(rows[:5], n_samples=8)).all()
    assert np.isfinite(model.predict_proba(rows)).all()


@pytest.mark.slow
def test_images_with_convolutions(digits):
    images = digits[:120].reshape(-1, 8, 8)
    y = [*wp.datasets.load_digits().labels[:60], *[-1] * 60]
    conv = {"encoder": "conv", "decoder": "conv", "max_epochs": 1}
    model = small(vae=conv).fit(images, y)
    assert model.sample(2, 3).shape == (2, 64)
    assert model.predict_proba(images).shape == (120, 10)


@pytest.mark.slow
def test_the_vae_of_features_is_given_covariates(tmp_path):
    """The second batch is shifted: without the covariate its rows are near another class."""
    rng = np.random.default_rng(3)
    batch, kind = np.repeat(["first", "second"], 150), rng.integers(2, size=300)
    rows = rng.normal(size=(300, 3)) * 0.5 + 4.0 * kind[:, None] * [1, 0, 0]
    frame = pd.DataFrame(rows + 4.0 * (batch == "second")[:, None], columns=list("uvw"))
    frame["batch"] = batch
    y = np.where((np.arange(300) < 12), kind, -1)  # labels in the first batch alone
    settings = {"n_components": 2, "max_epochs": 60}
    model = small("features", vae={**settings, "covariates": ["batch"]}).fit(frame, y)
    assert model.n_features_in_ == 3
    right = (model.predict(frame) == kind)[batch == "second"].mean()
    without = small("features", vae=settings).fit(frame[["u", "v", "w"]], y)
    assert (
        right > 0.95 > (without.predict(frame[["u", "v", "w"]]) == kind)[batch == "second"].mean()
    )
    model.save(tmp_path / "few.wp")
    again = wp.load(tmp_path / "few.wp")
    np.testing.assert_array_equal(again.predict_proba(frame), model.predict_proba(frame))
    assert np.isfinite(model.score_samples(frame, n_samples=4)).all()
    assert "0" in str(model.diagnose(frame, kind))


def test_it_is_cloned_and_equal_fits_are_equal():
    a = small(vae=BRIEF)
    b = clone(a)
    assert b.get_params()["vae__hidden"] == (16,)
    np.testing.assert_array_equal(a.fit(X, FEW).predict_proba(X), b.fit(X, FEW).predict_proba(X))


def test_a_checkpoint_resumes(tmp_path):
    file = tmp_path / "few.checkpoint"
    whole = small(checkpoint=file, vae=BRIEF).fit(X, FEW)
    again = small(checkpoint=file, vae=BRIEF).fit(X, FEW)
    np.testing.assert_array_equal(whole.predict_proba(X), again.predict_proba(X))
    with pytest.raises(wp.SettingError, match="other data or settings"):
        small(checkpoint=file, vae=BRIEF).fit(X + 1, FEW)


BAD = {
    "method must be one of": {"method": "tsvm"},
    "alpha must be": {"alpha": -1.0},
    "class_prior must be one of": {"class_prior": "flat"},
    "class_prior must be a probability": {"class_prior": [0.5, 0.5]},
    "class_weight must be None": {"class_weight": "heavy"},
    "second_vae is the second of two": {"second_vae": wp.VAE()},
    "got second_vae with objective='iwae'": {
        "method": "auxiliary",
        "second_vae": wp.VAE(objective="iwae"),
    },
    "objective='iwae'": {"vae": {"objective": "iwae"}},
    "prior='flow'": {"vae": {"prior": "flow"}},
    "labelled rows has no covariates": {"vae": {"covariates": [0]}},
    "encoder_steps=3": {"vae": {"encoder_steps": 3}},
    'classifier of method="features"': {"method": "features", "classifier": "mlp"},
}


@pytest.mark.parametrize("message", BAD, ids=str)
def test_bad_settings_are_refused_with_a_remedy(message):
    with pytest.raises(wp.SettingError, match=message):
        small(**BAD[message]).fit(X, FEW)
    with pytest.raises(wp.SettingError, match="vae must be a wellposed"):
        wp.SemiSupervisedVAE(vae="wide").fit(X, FEW)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))]
)
def test_no_seed_ends_in_nan(seed):
    y = np.where(np.arange(N) < 4, np.array([0, 1, 0, 1, *[-1] * (N - 4)]), -1)
    model = small(random_state=seed, vae={"max_epochs": 5, "noise": "conditional"}).fit(X, y)
    assert model.outcome_ is not wp.training.Outcome.nonfinite
    assert np.isfinite(model.predict_proba(1e3 * X)).all()
