"""What a classifier makes of each datum."""

from typing import Any

import jax
import numpy as np

from wellposed._budget import at_once
from wellposed._typing import Point, PRNGKey
from wellposed.models import Classifier

from .._rows import over_rows

_ROWS = 1024  # at most, at once


def classifier_features(classifier: Classifier, rows: Any) -> np.ndarray:
    """Features h(x) of each row: (n, d) data units to (n, f)."""
    return _mapped(_features, classifier, rows)


def predict_classes(classifier: Classifier, rows: Any) -> np.ndarray:
    """The most probable class of each row, shape (n,)."""
    found = _mapped(_logits, classifier, rows).argmax(axis=1)
    return np.asarray(classifier.classes)[found]


def accuracy(classifier: Classifier, rows: Any, labels: Any) -> float:
    """Share of rows of shape (n, d) whose most probable class is their label."""
    return float((predict_classes(classifier, rows) == np.asarray(labels)).mean())


def _mapped(visit: Any, classifier: Classifier, rows: Any) -> np.ndarray:
    unused = jax.random.key(0)  # nothing is drawn
    return over_rows(visit, classifier, rows, key=unused, chunk=at_once(np.shape(rows)[1], _ROWS))


def _features(classifier: Classifier, x: Point, *, key: PRNGKey) -> jax.Array:
    del key
    return classifier.features(x)


def _logits(classifier: Classifier, x: Point, *, key: PRNGKey) -> jax.Array:
    del key
    return classifier.logits(x)
