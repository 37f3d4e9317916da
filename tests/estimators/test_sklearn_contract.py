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


CASES = parametrize_with_checks(
    [
        textbook_vae(
            n_components=2,
            hidden=(8,),
            max_epochs=3,
            validation_fraction=0,
            patience=None,
            random_state=0,
        ),
        wp.VAE(2, hidden=(8,), max_epochs=3, progress=False, random_state=0),
        wp.PPCA(n_components=1),
        wp.FactorAnalysis(n_components=1),
        wp.MixturePPCA(n_components=1, n_init=1, random_state=0),
        wp.LinearVAE(n_components=1, random_state=0),
        wp.GaussianImputer(random_state=0),
        wp.GaussianImputer(n_components=1, add_indicator=True, random_state=0),
        wp.VAEImputer(
            textbook_vae(1, hidden=(4,), max_epochs=2, validation_fraction=0, progress=False),
            n_models=1,
            n_samples=32,
            random_state=0,
        ),
        wp.PPCA(n_components=1, missing="ignorable"),
        wp.MixturePPCA(n_components=1, n_init=1, random_state=0, missing="ignorable"),
    ],
    expected_failed_checks=lambda estimator: BY_CHANCE if isinstance(estimator, wp.VAE) else {},
)
# Fits of rows of other shapes, dtypes and containers, which programs are compiled for. The rows
# of all estimators have one gate: PPCA is checked at it always, and test_containers.py is about it.
ROWS = {
    "check_dtype_object",
    "check_estimator_sparse_matrix",
    "check_estimators_dtypes",
}
SLOW_OF_AN_IMPUTER = {
    "check_estimator_sparse_array",
    "check_estimators_overwrite_params",
    "check_fit2d_1feature",
    "check_positive_only_tag_during_fit",
}


def is_slow(estimator, check) -> bool:
    name = check.func.__name__
    if isinstance(estimator, wp.VAE) and estimator.prior != "standard":
        return True  # the default, whose prior takes a second training
    others = (wp.VAE, wp.VAEImputer, wp.MixturePPCA, wp.GaussianImputer)
    if isinstance(estimator, others) and name in ROWS:
        return True
    if isinstance(estimator, wp.VAE) and name in BY_CHANCE:
        return True
    if isinstance(estimator, wp.VAEImputer):
        return name in SLOW_OF_AN_IMPUTER
    # A mixture with gaps is checked as one without.
    return isinstance(estimator, wp.MixturePPCA) and estimator.missing == "ignorable"


def marked(case):
    """The case of scikit-learn, slow where it is."""
    marks = getattr(case, "marks", ())
    estimator, check = getattr(case, "values", case)
    marks = (*marks, pytest.mark.slow) if is_slow(estimator, check) else marks
    return pytest.param(estimator, check, marks=marks)


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.filterwarnings("ignore::wellposed.FloorWarning")
@pytest.mark.filterwarnings("ignore::wellposed.ConstantFeatureWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.parametrize(CASES.args[0], [marked(case) for case in CASES.args[1]], **CASES.kwargs)
def test_the_estimator_keeps_the_contract(estimator, check):
    check(estimator)
