"""The classifier and the judgement of samples on MNIST: minutes, so marked slow."""

import jax
import numpy as np
import pytest

import wellposed as wp
from wellposed import evaluation, training

pytestmark = pytest.mark.slow


def test_real_digits_are_near_and_noise_is_far(shared_data):
    folder = shared_data("mnist")
    images, held_out = (
        wp.datasets.read(folder / f"{part}-images-idx3-ubyte.gz").values
        for part in ("train", "t10k")
    )
    labels, truth = (
        wp.datasets.read_labels(folder / f"{part}-labels-idx1-ubyte.gz")
        for part in ("train", "t10k")
    )
    classifier = training.fit_classifier(
        images, labels, key=jax.random.key(0), image_shape=(28, 28)
    )
    assert evaluation.accuracy(classifier, held_out, truth) >= 0.985
    # Each pixel's own mean and spread, and nothing of their neighbours.
    draws = np.random.default_rng(0).normal(images.mean(0), images.std(0), held_out.shape)
    found = wp.sample_quality(
        np.clip(draws, 0, 255),
        images,
        features=classifier,
        held_out=held_out,
        n_resamples=5,
        key=jax.random.key(1),
    )
    assert found.frechet_ratio > 100
    assert found.drawn.recall.value < 0.01
    assert found.held_out.precision.value > 0.8
    assert found.held_out.recall.value > 0.8
    assert evaluation.artefact_bands(held_out, (28, 28), full=255).share == 0
