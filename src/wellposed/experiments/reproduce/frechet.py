"""Fréchet distances of a model's samples, in the features of a classifier of the digits."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from wellposed import datasets, evaluation, training
from wellposed.estimators import VAE

_KEY = jax.random.key(0)


class FrechetReference:
    """The features of the training images, and the classifier that computes them.

    The features are of our own classifier, not of Inception: the order of the distances can be
    compared with that of published ones, their size cannot. Samples, in the models' data units,
    range from 0 to ``whole_scale``. ``floor`` is the distance of real test images.
    """

    def __init__(self, parts: datasets.Splits, n_samples: int, *, whole_scale: float = 1.0):
        shape = parts.train.image_shape
        self.n_samples, self.whole_scale = n_samples, whole_scale
        self.classifier = training.fit_classifier(
            parts.train.values, np.asarray(parts.train.labels), key=_KEY, image_shape=shape
        )
        self.reference = self._features(parts.train.values)
        self.floor = self._distance(parts.test.values[:n_samples])

    def distances(self, vae: VAE, kinds: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
        """Return the distance of each kind of sample; a kind is the settings of ``sample``."""

        return {
            name: self.distance(vae.sample(self.n_samples, random_state=0, **settings))
            for name, settings in kinds.items()
        }

    def distance(self, rows: np.ndarray) -> float:
        """Return the distance of rows of shape (n, d) that range from 0 to ``whole_scale``."""
        return self._distance(np.clip(255.0 / self.whole_scale * np.asarray(rows), 0.0, 255.0))

    def _distance(self, pixels: np.ndarray) -> float:
        return evaluation.frechet_distance(self._features(pixels), self.reference)

    def _features(self, rows: np.ndarray) -> np.ndarray:
        return evaluation.classifier_features(self.classifier, rows)
