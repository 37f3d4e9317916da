"""scikit-learn's own contract."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import wellposed as wp

INNER = wp.VAE(
    2, hidden=(8,), max_epochs=20, learning_rate=0.02, validation_fraction=0, progress=False
)


COMMON = {"vae": INNER, "progress": False, "random_state": 0}


FAILURES = {
    "check_classifiers_classes": "its classes are -1 and 1, and -1 is no label here",
    **{
        f"check_sample_weight_equivalence_on_{kind}_data": "batches and draws of z are random"
        for kind in ("dense", "sparse")
    },
}


OF_FEATURES = {
    "features": {
        "check_class_weight_classifiers": "refused: its default classifier has no weights of rows, "
        "and class_prior in their place",
    }
}


def _method(estimator):
    return getattr(estimator, "method", "")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.WellposedWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [
        wp.LabelSpread(),
        wp.SemiSupervisedVAE("joint", calibration_folds=0, **COMMON),
        wp.SemiSupervisedVAE("auxiliary", calibration_folds=0, **COMMON),
        wp.SemiSupervisedVAE("features", calibration_folds=0, **COMMON),
        wp.SemiSupervisedRegressor("joint", **COMMON),
    ],
    expected_failed_checks=lambda estimator: FAILURES | OF_FEATURES.get(_method(estimator), {}),
)
def test_the_estimator_keeps_the_contract(estimator, check):
    check(estimator)
