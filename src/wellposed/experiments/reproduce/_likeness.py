"""Fréchet distances of a model's samples, in the features of a classifier of the digits."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from wellposed import datasets, evaluation, training
from wellposed.estimators import VAE

_KEY = jax.random.key(0)


class Likeness:
    """What samples are compared with: features of training images, one classifier for all.

    Features are of our own classifier, not of Inception: orders are comparable with published
    ones, numbers are not. Samples, in the models' data units, span 0 to ``whole_scale``.
    """

    def __init__(self, parts: datasets.Splits, n_samples: int, *, whole_scale: float = 1.0):
        shape = parts.train.image_shape
        self.n_samples, self.whole_scale = n_samples, whole_scale
        self.classifier = training.fit_classifier(
            parts.train.values, parts.train.labels, key=_KEY, image_shape=shape
        )
        self.reference = self._features(parts.train.values)
        self.floor = evaluation.frechet_distance(
            self._features(parts.test.values[:n_samples]), self.reference
        )

    def of(self, vae: VAE, kinds: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
        """Fréchet distance of each kind of sample, put back into grey levels."""
        found = {}
        for name, settings in kinds.items():
            rows = vae.sample(self.n_samples, random_state=0, **settings)
            pixels = np.clip(255.0 / self.whole_scale * np.asarray(rows), 0.0, 255.0)
            found[name] = evaluation.frechet_distance(self._features(pixels), self.reference)
        return found

    def _features(self, rows: np.ndarray) -> np.ndarray:
        return evaluation.classifier_features(self.classifier, rows)
