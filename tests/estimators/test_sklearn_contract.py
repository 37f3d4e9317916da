"""scikit-learn's own contract, whole."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import wellposed as wp
from textbook import textbook_vae


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.filterwarnings("ignore::wellposed.FloorWarning")
@pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [
        textbook_vae(
            n_components=2,
            hidden=(8,),
            max_epochs=3,
            validation_fraction=0,
            patience=None,
            random_state=0,
        ),
        wp.PPCA(n_components=1),
        wp.FactorAnalysis(n_components=1),
        wp.MixturePPCA(n_components=1, n_init=1, random_state=0),
        wp.LinearVAE(n_components=1, random_state=0),
    ]
)
def test_the_estimator_keeps_the_contract(estimator, check):
    check(estimator)
