"""Classifiers of scikit-learn on the latents of a VAE."""

import dataclasses
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.utils.validation import has_fit_parameter

from wellposed import evaluation
from wellposed._errors import SettingError

from .._vae import VAE
from ..data.table import Table
from .lengths import units_of
from .spreading import LabelSpread

_SEMI_SUPERVISED = ("LabelPropagation", "LabelSpreading", "LabelSpread", "SelfTrainingClassifier")
_SMALLEST = 1e-12  # probability whose logarithm is taken


@dataclasses.dataclass(frozen=True, eq=False)
class Features:
    """Latents of all rows.

    Parameters
    ----------
    means : E[z | x], shape (n, k)
    scales : standard deviations of q(z | x), shape (n, k)
    draws : draws of q(z | x) for the labelled rows, shape (s, n, k); s may be zero
    """

    means: np.ndarray
    scales: np.ndarray
    draws: np.ndarray

    @classmethod
    def of(cls, vae: VAE, table: Table, n_draws: int, *, seed: int) -> "Features":
        """Encode rows by a fitted VAE; 0 draws are the means alone."""
        rows, key = vae.rows(table), vae.key("score")
        mean, scale, _ = evaluation.posteriors(vae.model_, rows, key=key)
        noise = np.random.default_rng(seed).normal(size=(n_draws, *mean.shape))
        return cls(mean, scale, (mean + scale * noise).astype(mean.dtype))

    def units(self, vae: VAE, table: Table) -> np.ndarray:
        """Return what latents are multiplied by for distances, of the VAE that encoded the rows."""
        return units_of(vae, self.means, self.scales, vae.rows(table))

    def fit(
        self,
        classifier: Any,
        labels: np.ndarray,
        of_classes: np.ndarray,
        weights: np.ndarray | None,
    ) -> Any:
        """Fit a clone of a classifier.

        Parameters
        ----------
        classifier : of scikit-learn
        labels : of each row, NaN where it has none, shape (n,)
        of_classes : weight of the class of each row, shape (n,); used where they differ
        weights : of each row, shape (n,), or None
        """
        fresh: Any = classifier
        if not (hasattr(fresh, "fit") and is_classifier(fresh)):
            raise SettingError(
                f'classifier of method="features" must be a classifier of scikit-learn; got '
                f"{fresh!r}. Pass one, such as sklearn.svm.SVC()."
            )
        fresh, known = clone(fresh), np.flatnonzero(~np.isnan(labels))
        if type(fresh).__name__ in _SEMI_SUPERVISED:
            self._check_whole(fresh, of_classes[known])
            codes = np.where(np.isnan(labels), -1, labels).astype(int)
            if isinstance(classifier, LabelSpread):
                known_graph = hasattr(classifier, "transduction_")  # it is of these rows
                graph = classifier if known_graph else fresh.of_graph(self.means)
                return graph.relabelled(codes, weights)
            if weights is not None:
                check_takes_weights(fresh, "sample_weight")
            return fresh.fit(self.means, codes)
        rows, repeats = self.means[known], max(1, len(self.draws))
        own = of_classes[known] if weights is None else of_classes[known] * weights[known]
        if len(self.draws):
            rows = self.draws[:, known].reshape(-1, rows.shape[1])
        y, own = np.tile(labels[known], repeats).astype(int), np.tile(own, repeats)
        if np.ptp(own) == 0:
            return fresh.fit(rows, y)
        check_takes_weights(fresh, "class_weight" if weights is None else "sample_weight")
        return fresh.fit(rows, y, sample_weight=own)

    def _check_whole(self, classifier: Any, weights: np.ndarray) -> None:
        """Refuse what a classifier of all rows does not use."""
        name = type(classifier).__name__
        if len(self.draws):
            raise SettingError(
                f'features must be "mean" for a classifier of all rows, such as {name}; got '
                f"{len(self.draws)} draws. Pass a classifier of labelled rows, such as "
                "sklearn.linear_model.LogisticRegression()."
            )
        if np.ptp(weights) > 0:
            raise SettingError(
                f"class_weight needs a classifier with sample weights; {name} has none. Give "
                "class_prior in its place, or another classifier."
            )


def check_takes_weights(predictor: Any, setting: str) -> None:
    """Refuse a classifier or regressor without weights of rows, for a setting that needs them."""
    name = type(predictor).__name__
    if name in _SEMI_SUPERVISED or not has_fit_parameter(predictor, "sample_weight"):
        raise SettingError(
            f"{setting} needs a predictor with sample weights; {name} has none. Leave "
            f"{setting} at None, or pass another predictor."
        )


def logits_of(classifier: Any, rows: np.ndarray, n_classes: int) -> np.ndarray:
    """Return logits of a fitted classifier, shape (n, classes).

    Its decision function; a classifier without one has the logarithm of its probabilities.
    """
    if hasattr(classifier, "decision_function"):
        found = np.asarray(classifier.decision_function(rows), np.float64)
        if found.ndim == 1:
            found = np.stack([-0.5 * found, 0.5 * found], axis=1)
    elif hasattr(classifier, "predict_proba"):
        found = np.log(np.maximum(classifier.predict_proba(rows), _SMALLEST))
    else:
        found = 10.0 * (classifier.predict(rows)[:, None] == classifier.classes_)
    if found.shape[1] == n_classes:
        return found
    # A training that has not seen all classes.
    whole = np.full((len(rows), n_classes), found.min() - 10.0)
    whole[:, np.asarray(classifier.classes_, int)] = found
    return whole
