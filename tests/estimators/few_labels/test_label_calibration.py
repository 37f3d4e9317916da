"""One temperature, from labelled rows that were held out."""

import numpy as np
from scipy.special import softmax

from wellposed.estimators.few_labels.calibration import calibrate, temperature_of

CODES = np.repeat([0, 1, 2], [8, 6, 1])


def test_the_temperature_of_logits_that_were_scaled_is_the_scale():
    rng = np.random.default_rng(0)
    logits = 2 * rng.normal(size=(20_000, 4))
    labels = np.array([rng.choice(4, p=p) for p in softmax(logits, axis=1)])
    for scale in (0.5, 1.0, 3.0):
        np.testing.assert_allclose(temperature_of(scale * logits, labels), scale, rtol=0.05)


def test_a_few_rows_that_are_all_right_do_not_make_it_zero():
    sure = np.eye(3)[[0, 1, 2]] * 5.0
    assert 0.5 < temperature_of(sure, np.arange(3)) < 1.0


def test_each_label_is_held_out_once_and_no_class_is_left_out():
    seen = []

    def logits_without(held):
        seen.append(held)
        rest = CODES[~held]
        assert set(rest.tolist()) == {0, 1, 2}
        return np.eye(3)[CODES[held]]

    found = calibrate(CODES, 3, logits_without, 4, seed=0)
    counts = np.sum(seen, axis=0)
    assert counts.tolist() == [1] * 14 + [0]
    assert len(found.labels) == 14
    assert found.accuracy == 1
    assert "1 classes have one label" in str(found)


def test_without_folds_or_rows_the_temperature_is_one_and_the_reason_is_stated():
    def never(held):
        raise AssertionError(held)

    assert "no folds were asked for" in calibrate(CODES, 3, never, 0, seed=0).reason
    single = calibrate(np.arange(3), 3, never, 5, seed=0)
    assert (single.temperature, single.n_folds) == (1.0, 0)
    assert "each class has one label" in str(single)
    stopped = calibrate(CODES, 3, lambda held: None, 3, seed=0)
    assert "interrupted" in stopped.reason
    assert stopped.temperature == 1
