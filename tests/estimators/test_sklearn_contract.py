"""scikit-learn's own contract, whole."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import wellposed as wp
from textbook import textbook_vae

# A row of weight 2 and a row given twice have the same expected gradient, and other batches and
# draws of z. test_validation_rows.py tests what is exact: a weight of zero, a common scale.
BY_CHANCE = {
    f"check_sample_weight_equivalence_on_{kind}_data": "batches and draws of z are random"
    for kind in ("dense", "sparse")
}


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
        wp.GaussianImputer(random_state=0),
        wp.GaussianImputer(n_components=1, add_indicator=True, random_state=0),
        wp.VAEImputer(
            wp.VAE(1, hidden=(4,), max_epochs=2, progress=False),
            n_models=1,
            n_samples=32,
            random_state=0,
        ),
        wp.PPCA(n_components=1, missing="ignorable"),
        wp.MixturePPCA(n_components=1, n_init=1, random_state=0, missing="ignorable"),
    ],
    expected_failed_checks=lambda estimator: BY_CHANCE if isinstance(estimator, wp.VAE) else {},
)
def test_the_estimator_keeps_the_contract(estimator, check):
    check(estimator)
