"""Features, classes and accuracy of a classifier."""

from typing import Any

import jax
import numpy as np
from numpy.typing import ArrayLike

from wellposed._budget import at_once
from wellposed._typing import Point, PRNGKey
from wellposed.models import Classifier

from .._rows import over_rows

_ROWS = 1024  # largest number of rows at a time


def classifier_features(classifier: Classifier, rows: ArrayLike) -> np.ndarray:
    """Compute the features h(x) of each row.

    Parameters
    ----------
    classifier : result of :func:`wellposed.training.fit_classifier`
    rows : array of shape (n, d), data units

    Returns
    -------
    array of shape (n, f): the last hidden layer

    Examples
    --------
    >>> from wellposed.training import fit_classifier
    >>> classifier = fit_classifier(X, kind, key=key, max_epochs=2)
    >>> len(classifier_features(classifier, X))
    150
    """
    return _map(_features, classifier, rows)


def predict_classes(classifier: Classifier, rows: ArrayLike) -> np.ndarray:
    """Return the most probable class of each row.

    Parameters
    ----------
    classifier : result of :func:`wellposed.training.fit_classifier`
    rows : array of shape (n, d), data units

    Returns
    -------
    array of shape (n,)

    Examples
    --------
    >>> from wellposed.training import fit_classifier
    >>> classifier = fit_classifier(X, kind, key=key, max_epochs=2)
    >>> predict_classes(classifier, X).shape
    (150,)
    """
    return np.asarray(classifier.classes)[_map(_logits, classifier, rows).argmax(axis=1)]


def accuracy(classifier: Classifier, rows: ArrayLike, labels: ArrayLike) -> float:
    """Return the share of rows whose most probable class is their label.

    Parameters
    ----------
    classifier : result of :func:`wellposed.training.fit_classifier`
    rows : array of shape (n, d), data units
    labels : array of shape (n,)

    Examples
    --------
    >>> from wellposed.training import fit_classifier
    >>> classifier = fit_classifier(X, kind, key=key, max_epochs=20)
    >>> 0 <= accuracy(classifier, X, kind) <= 1
    True
    """
    return float((predict_classes(classifier, rows) == np.asarray(labels)).mean())


def _map(visit: Any, classifier: Classifier, rows: ArrayLike) -> np.ndarray:
    unused = jax.random.key(0)  # no random draws
    return over_rows(visit, classifier, rows, key=unused, chunk=at_once(np.shape(rows)[1], _ROWS))


def _features(classifier: Classifier, x: Point, *, key: PRNGKey) -> jax.Array:
    del key
    return classifier.features(x)


def _logits(classifier: Classifier, x: Point, *, key: PRNGKey) -> jax.Array:
    del key
    return classifier.logits(x)
