"""The conventions of PyOD: larger scores are worse, 1 is an outlier, fitted scores are kept."""

from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from .._words import Rows, Seed
from .outlier_vae import OutlierVAE


class PyODOutlierVAE(BaseEstimator):
    """:class:`OutlierVAE` with the attributes and the signs of a detector of PyOD.

    PyOD itself is not needed. Unlike its detectors, the threshold is from rows held out of
    training, so that the share of ``labels_`` need not be ``contamination``.

    Parameters
    ----------
    contamination : "auto" or a number in (0, 0.5]
    detector : None or :class:`OutlierVAE`, whose ``contamination`` and ``random_state`` are set
        here
    random_state : int, RandomState or None

    Attributes
    ----------
    detector_ : the fitted :class:`OutlierVAE`
    decision_scores_ : array of shape (n,), of the rows of the fit, larger for outliers
    threshold_ : score above which a row is an outlier
    labels_ : array of shape (n,), 1 for outliers and 0 for other rows of the fit

    Examples
    --------
    >>> PyODOutlierVAE(contamination=0.05)
    PyODOutlierVAE(contamination=0.05)
    """

    def __init__(
        self,
        contamination: float | Literal["auto"] = "auto",
        *,
        detector: OutlierVAE | None = None,
        random_state: Seed = None,
    ):
        self.contamination = contamination
        self.detector = detector
        self.random_state = random_state

    def fit(self, X: Rows, y: object = None) -> Self:
        """Fit the detector, and score the rows of the fit.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path
        y : ignored
        """
        fresh: Any = OutlierVAE() if self.detector is None else clone(self.detector)
        fresh.set_params(contamination=self.contamination, random_state=self.random_state)
        self.detector_: OutlierVAE = fresh.fit(X)
        self.decision_scores_ = self.decision_function(X)
        self.threshold_ = -self.detector_.offset_
        self.labels_ = (self.decision_scores_ > self.threshold_).astype(int)
        return self

    def decision_function(self, X: Rows) -> np.ndarray:
        """Return the score of each row, shape (n,): larger for outliers."""
        check_is_fitted(self, "detector_")
        return -self.detector_.score_samples(X)

    def predict(self, X: Rows) -> np.ndarray:
        """Return 1 for outliers and 0 for other rows, shape (n,)."""
        return (self.decision_function(X) > self.threshold_).astype(int)

    def fit_predict(self, X: Rows, y: object = None) -> np.ndarray:
        """Fit, and return ``labels_``."""
        return self.fit(X).labels_

    def predict_proba(self, X: Rows) -> np.ndarray:
        """Return p and 1 − p of each row, shape (n, 2), with p its conformal p-value.

        PyOD scales scores to [0, 1] here and calls them probabilities; a p-value is not the
        probability of being an inlier either, but it has a stated rate of false alarms.
        """
        check_is_fitted(self, "detector_")
        p = self.detector_.p_values(X)
        return np.stack([p, 1.0 - p], axis=1)
