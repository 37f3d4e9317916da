"""scikit-learn's own contract of detectors of outliers, whole."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import wellposed as wp

# These checks count the outliers among the rows of the fit. A threshold that gives an exact share
# of them comes from training scores. test_outlier_vae.py tests the share of held-out rows.
HELD_OUT = {
    f"check_outliers_{of}": "the threshold is from rows held out of training"
    for of in ("train", "fit_predict")
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.filterwarnings("ignore::wellposed.FloorWarning")
@pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [
        wp.OutlierVAE(
            wp.VAE(1, hidden=(4,), max_epochs=2, validation_folds=0, progress=False),
            n_samples=16,
            random_state=0,
        ),
    ],
    expected_failed_checks=lambda estimator: HELD_OUT,
)
def test_the_detector_keeps_the_contract(estimator, check):
    check(estimator)
