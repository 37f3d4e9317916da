"""The classifier that judges samples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from wellposed import datasets, evaluation, serialise, training
from wellposed._errors import DataError, SettingError

KEY = jax.random.key(0)
SHAPE = (8, 8)


@pytest.fixture(scope="module")
def split():
    digits = datasets.load_digits()
    order = np.random.default_rng(0).permutation(len(digits.values))
    rows, labels = digits.values[order], digits.labels[order]
    return rows[:1400], labels[:1400], rows[1400:], labels[1400:]


@pytest.fixture(scope="module", params=[SHAPE, None], ids=["conv", "mlp"])
def trained(request, split):
    return training.fit_classifier(*split[:2], key=KEY, image_shape=request.param)


def test_it_tells_held_out_digits_apart(trained, split):
    assert evaluation.accuracy(trained, *split[2:]) >= 0.95


def test_its_logits_are_a_linear_function_of_its_features(trained, split):
    x = jnp.asarray(split[2][0], float)
    features = trained.features(x)
    assert features.shape == (128,)
    assert (features >= 0).all()
    np.testing.assert_allclose(trained.logits(x), trained.head(features))
    many = evaluation.classifier_features(trained, split[2][:5])
    np.testing.assert_allclose(many[0], features, rtol=1e-5, atol=1e-5)


def test_its_inputs_are_scaled_by_the_range_of_the_data(split):
    rows, labels, held_out, _ = split
    settings = {"key": KEY, "image_shape": SHAPE, "max_epochs": 1}
    one = training.fit_classifier(rows, labels, **settings)
    other = training.fit_classifier(1000.0 * rows - 500, labels, **settings)
    np.testing.assert_allclose(
        evaluation.classifier_features(one, held_out),
        evaluation.classifier_features(other, 1000.0 * held_out - 500),
        rtol=1e-3,
        atol=1e-3,
    )


def test_the_same_key_gives_the_same_classifier(split):
    settings = {"image_shape": SHAPE, "max_epochs": 2}
    one, same, other = (
        jax.tree.leaves(training.fit_classifier(*split[:2], key=key, **settings))
        for key in (KEY, KEY, jax.random.key(1))
    )
    for a, b in zip(one, same, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(one[0], other[0])


def test_the_range_of_the_data_is_not_the_optimisers(trained):
    assert float(trained.low) == 0
    assert float(trained.span) == 16


def test_classes_may_be_words_or_far_numbers(split):
    rows, labels, held_out, truth = split
    for names in (np.array([f"digit {i}" for i in range(10)]), 1000 * np.arange(10) - 7):
        found = training.fit_classifier(rows, names[labels], key=KEY, max_epochs=3)
        assert evaluation.accuracy(found, held_out, names[truth]) > 0.9
        assert found.classes == tuple(names.tolist())


def test_fewer_rows_than_a_batch():
    rows = np.array([[0.0, 1.0], [1.0, 0.0], [0.9, 0.1]])
    found = training.fit_classifier(rows, ["a", "b", "b"], key=KEY, max_epochs=200)
    np.testing.assert_array_equal(evaluation.predict_classes(found, rows), ["a", "b", "b"])


def test_extreme_inputs_stay_finite(trained):
    x = jnp.asarray([[1e30] * 64, [-1e30] * 64])
    assert np.isfinite(evaluation.classifier_features(trained, x)).all()


def test_it_is_stored_and_rebuilt(trained, split, tmp_path):
    tensors = {}
    spec = serialise.describe(trained, tensors, "classifier")
    serialise.write(tmp_path / "classifier.wp", tensors, {"classifier": spec})
    tensors, header = serialise.read(tmp_path / "classifier.wp")
    again = serialise.rebuild(header["classifier"], tensors, {})
    np.testing.assert_array_equal(
        evaluation.classifier_features(again, split[2]),
        evaluation.classifier_features(trained, split[2]),
    )
    assert again.classes == trained.classes


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (np.zeros((4, 2)), np.zeros(3), "one label a row"),
        (np.zeros((4, 2)), np.zeros(4, int), "two classes or more"),
        (np.zeros((4, 2)), np.arange(4) / 3, "whole numbers or words"),
        (np.full((4, 2), np.nan), np.arange(4), "finite"),
    ],
)
def test_rows_without_their_labels_are_refused(X, y, words):
    with pytest.raises(DataError, match=words):
        training.fit_classifier(X, y, key=KEY)


def test_settings_out_of_range_are_refused(split):
    rows, labels = split[:2]
    with pytest.raises(SettingError, match="64"):
        training.fit_classifier(rows, labels, key=KEY, image_shape=(9, 8))
    with pytest.raises(SettingError, match="batch_size"):
        training.fit_classifier(rows, labels, key=KEY, batch_size="large")
    with pytest.raises(SettingError, match="max_epochs"):
        training.fit_classifier(rows, labels, key=KEY, max_epochs=0)
    with pytest.raises(SettingError, match="learning_rate"):
        training.fit_classifier(rows, labels, key=KEY, max_epochs=2, learning_rate=1e30)
