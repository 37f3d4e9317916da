"""Streams, a drift of their rows, and the conventions of PyOD."""

import warnings

import numpy as np
import pytest

import wellposed as wp
from wellposed.estimators import PyODOutlierVAE

SMALL = wp.VAE(1, hidden=(8,), max_epochs=8, validation_folds=0, prior="standard", progress=False)


def draw(n, seed):
    """Draw rows near a line in four dimensions."""
    rng = np.random.default_rng(seed)
    return np.repeat(rng.normal(size=(n, 1)), 4, axis=1) + 0.2 * rng.normal(size=(n, 4))


X, NEW = draw(700, 0), draw(700, 1)


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
@pytest.mark.slow
def test_a_drift_is_told_and_training_goes_on():
    stream = wp.OutlierVAE(SMALL, random_state=0).partial_fit(X)
    assert stream.score_ == "log_density"
    before, epochs = stream.calibration_scores_, stream.vae_.n_epochs_
    assert not stream.drift(NEW).drifted
    with warnings.catch_warnings():
        warnings.simplefilter("error", wp.DataWarning)
        stream.partial_fit(NEW)
    assert stream.vae_.n_epochs_ == epochs + 1
    assert len(stream.calibration_scores_) == len(before) + 140
    p = stream.p_values(draw(700, 2))
    assert abs((p <= 0.1).mean() - 0.1) < 2.5 * np.sqrt(0.09 * (1 / 700 + 1 / 280))
    with pytest.warns(wp.DataWarning, match="have drifted"):
        stream.partial_fit(NEW * [1.0, 1.0, 1.0, 0.5])


@pytest.mark.filterwarnings("ignore::wellposed.TrainingWarning")
def test_the_adapter_has_the_signs_of_pyod():
    rows, new = X[:500], NEW[:100]
    detector = wp.OutlierVAE(SMALL)
    adapter = PyODOutlierVAE(0.1, detector=detector, random_state=0).fit(rows)
    own = wp.OutlierVAE(SMALL, contamination=0.1, random_state=0).fit(rows)
    np.testing.assert_array_equal(adapter.decision_scores_, -own.score_samples(rows))
    np.testing.assert_array_equal(adapter.labels_, (own.predict(rows) == -1).astype(int))
    np.testing.assert_array_equal(adapter.predict(new), (own.predict(new) == -1).astype(int))
    np.testing.assert_array_equal(adapter.predict_proba(new)[:, 0], own.p_values(new))
    assert adapter.threshold_ == -own.offset_
    with pytest.raises(AttributeError) as refusal:
        own.partial_fit(rows)
    assert "partial_fit trains the VAE alone" in str(refusal.value.__cause__)
