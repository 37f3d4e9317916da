"""Calibration of probabilities by one temperature, on labelled rows that were held out."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from wellposed._html import table

_LIMITS = np.log(0.02), np.log(50.0)
# Standard deviation of log T beforehand: of a few rows that are all predicted right, the likelihood
# of T has no maximum.
_PRIOR = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class LabelCalibration:
    """The temperature T of softmax(logits/T), and the held-out rows that it is from.

    Parameters
    ----------
    temperature : T; above one the logits were too sure
    labels : position of each held-out row's class among those with an example, shape (m,)
    logits : of these rows, by trainings that had not seen their labels, shape (m, C)
    n_folds : number of further trainings; 0 for none
    reason : how T came about, in a sentence

    Examples
    --------
    >>> logits = np.array([[2.0, 0.0], [0.0, 1.0]])
    >>> LabelCalibration(1.5, np.array([0, 1]), logits, 5, "").temperature
    1.5
    """

    temperature: float
    labels: np.ndarray
    logits: np.ndarray
    n_folds: int
    reason: str

    @property
    def accuracy(self) -> float:
        """Share of the held-out rows whose class has the largest logit; NaN without any."""
        if not len(self.labels):
            return float("nan")
        return float((self.logits.argmax(axis=1) == self.labels).mean())

    def __str__(self) -> str:
        text = f"T = {self.temperature:.3g}. {self.reason}"
        if not len(self.labels):
            return text
        return f"{text} Held-out accuracy {self.accuracy:.1%} of {len(self.labels)} labels."

    def _repr_html_(self) -> str:
        row = (self.temperature, self.accuracy, len(self.labels), self.n_folds)
        return table(self.reason, ("temperature", "accuracy", "labels", "folds"), (row,))


def uncalibrated(n_classes: int, reason: str) -> LabelCalibration:
    """Return T = 1, without held-out rows."""
    return LabelCalibration(1.0, np.empty(0, np.int64), np.empty((0, n_classes)), 0, reason)


def calibrate(
    codes: np.ndarray,
    n_classes: int,
    logits_without: Callable[[np.ndarray], np.ndarray | None],
    n_folds: int,
    *,
    seed: int,
) -> LabelCalibration:
    """Hold out each label once, and choose the temperature of the logits of these rows.

    The rows themselves stay in the training, as rows without a label. A class with one label keeps
    it in every fold. No label is used beyond those of the fit.

    Parameters
    ----------
    codes : class of each labelled row, shape (l,)
    n_classes : C
    logits_without : the logits, (m, C), of m labelled rows, by a training without their labels;
        the argument is the mask of these rows. None where the training was interrupted
    n_folds : number of folds; fewer where no class has as many labels
    seed : of the folds
    """
    counts = np.bincount(codes, minlength=n_classes)
    movable = np.flatnonzero(counts[codes] > 1)
    n_folds = min(n_folds, int(counts.max()))
    if n_folds < 2 or not len(movable):
        why = "no folds were asked for" if n_folds < 1 else "each class has one label"
        return uncalibrated(n_classes, f"Not calibrated: {why}.")
    fold_of = _folds(codes, movable, n_folds, seed)
    labels, logits = [], []
    for fold in range(n_folds):
        held = fold_of == fold
        if not held.any():
            continue
        found = logits_without(held)
        if found is None:
            return uncalibrated(n_classes, "Not calibrated: the training was interrupted.")
        labels.append(codes[held])
        logits.append(found)
    kept, rows = np.concatenate(labels), np.concatenate(logits)
    single = int((counts == 1).sum())
    reason = f"Each of {len(kept)} labels was held out once, in {len(logits)} folds"
    reason += f"; {single} classes have one label, which never was." if single else "."
    return LabelCalibration(temperature_of(rows, kept), kept, rows, len(logits), reason)


def temperature_of(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the most probable T given held-out rows, with log T ~ N(0, ½²) beforehand.

    Parameters
    ----------
    logits : array of shape (m, C)
    labels : array of shape (m,), positions of the classes

    Examples
    --------
    >>> sure = np.array([[8.0, 0.0]] * 4)
    >>> temperature_of(sure, np.array([0, 0, 1, 0])) > 2
    True
    """

    def loss(log_t: float) -> float:
        each = log_softmax(logits / np.exp(log_t), axis=1)[np.arange(len(labels)), labels]
        return float(-each.sum() + 0.5 * (log_t / _PRIOR) ** 2)

    found: Any = minimize_scalar(loss, bounds=_LIMITS, method="bounded")
    return float(np.exp(found.x))


def _folds(codes: np.ndarray, movable: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    """Return the fold that each labelled row is held out in, or −1; classes are spread evenly."""
    generator = np.random.default_rng(seed)
    order = movable[generator.permutation(len(movable))]
    order = order[np.argsort(codes[order], kind="stable")]
    fold_of = np.full(len(codes), -1)
    fold_of[order] = np.arange(len(order)) % n_folds
    return fold_of


def is_calibration(parts: Any, n_classes: int) -> bool:
    """Whether the fields of a :class:`LabelCalibration` are those of a fit with n classes."""
    match parts:
        case (float(t), np.ndarray() as labels, np.ndarray() as logits, int(), str()):
            shapes = logits.shape == (len(labels), n_classes) and labels.ndim == 1
            kinds = labels.dtype == np.int64 and logits.dtype.kind == "f"
            whole = bool(((labels >= 0) & (labels < n_classes)).all())
            inside = bool(np.exp(_LIMITS[0]) <= t <= np.exp(_LIMITS[1]))
            return inside and shapes and kinds and whole
    return False
