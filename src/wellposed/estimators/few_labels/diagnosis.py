"""Diagnosis of a classifier from few labels, class by class."""

import dataclasses
from typing import Any

import numpy as np

from wellposed import evaluation
from wellposed._html import table
from wellposed.evaluation._text_table import text_table

from . import measures

_MOST, _DRAWS = 200, 32  # rows of a class, and draws of each

_HEAD = ("class", "labels", "held out", "rows", "right", "sure", "nats", "± s.e.", "active")


@dataclasses.dataclass(frozen=True)
class ClassFigures:
    """Figures of one class; NaN where one cannot be measured.

    Parameters
    ----------
    name : the class
    n_labels : rows of the fit with this label
    held_out_accuracy : share of its labels that were predicted while they were held out
    n_rows : rows of this class: by their label where labels were passed, else as predicted
    accuracy : share of them that are predicted as this class; NaN without labels
    confidence : mean probability of the predicted class over them
    nats : mean log p(x, y) of at most 200 of them; log p(x) of "features"
    standard_error : of ``nats``
    n_active : active units among the latents on these rows
    """

    name: Any
    n_labels: int
    held_out_accuracy: float
    n_rows: int
    accuracy: float
    confidence: float
    nats: float
    standard_error: float
    n_active: int


@dataclasses.dataclass(frozen=True)
class LabelDiagnosis:
    """A table of classes, and what stands out in it.

    Parameters
    ----------
    classes : figures of each class with an example
    notes : sentences, each with a remedy

    Examples
    --------
    >>> LabelDiagnosis((), ("no label is wrong",)).notes
    ('no label is wrong',)
    """

    classes: tuple[ClassFigures, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        rows: tuple[dict[str, Any], ...] = tuple(
            dict(zip(_HEAD, _cells(each), strict=True)) for each in self.classes
        )
        return "\n".join([text_table(rows), *self.notes])

    def _repr_html_(self) -> str:
        return table(" ".join(self.notes), _HEAD, [_cells(each) for each in self.classes])


def _cells(each: ClassFigures) -> tuple[str, ...]:
    return (
        str(each.name),
        str(each.n_labels),
        _percent(each.held_out_accuracy),
        str(each.n_rows),
        _percent(each.accuracy),
        _percent(each.confidence),
        "–" if np.isnan(each.nats) else f"{each.nats:.4g}",
        "–" if np.isnan(each.standard_error) else f"{each.standard_error:.2g}",
        str(each.n_active),
    )


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{share:.0%}"


def diagnose_classes(model: Any, X: Any, y: np.ndarray | None) -> LabelDiagnosis:
    """Measure each class of a fitted ``SemiSupervisedVAE``.

    Parameters
    ----------
    model : fitted
    X : rows
    y : position of each row's class among those with an example, −1 where it is unknown, or None
    """
    proba = model.predict_proba(X)[:, model._present]
    predicted = proba.argmax(axis=1)
    of_class = predicted if y is None else y
    rows, calibration = model._rows(X), model.calibration_
    figures = []
    for c, name in enumerate(model.classes_[model._present].tolist()):
        own = np.flatnonzero(of_class == c)
        held = calibration.labels == c
        right = calibration.logits[held].argmax(axis=1) == c
        nats, error, active = _densities(model, rows[own][:_MOST], c)
        figures.append(
            ClassFigures(
                name,
                int(model._label_counts[c]),
                float(right.mean()) if len(right) else float("nan"),
                len(own),
                float("nan") if y is None or not len(own) else float((predicted[own] == c).mean()),
                float(proba[own].max(axis=1).mean()) if len(own) else float("nan"),
                nats,
                error,
                active,
            )
        )
    return LabelDiagnosis(tuple(figures), _notes(tuple(figures), calibration, model.classes_))


def _densities(model: Any, rows: np.ndarray, c: int) -> tuple[float, float, int]:
    """Mean log p(x, y) with its error, and the number of active units."""
    if len(rows) < 2:
        return float("nan"), float("nan"), 0
    vae, key = model.vae_, model.vae_.key("score")
    own, given = vae.model_, rows
    if model.model_ is not None and model.model_.first is None:
        own, given = measures.conditional(model.model_, rows, np.full(len(rows), float(c)))
    collapse = evaluation.measure_collapse(own, given, key=key)
    if model.model_ is None:
        found = evaluation.estimate_log_likelihood(
            own, given, key=key, n_samples=_DRAWS, method="importance"
        )
        each = np.asarray(found.value, np.float64)
    else:
        labels, options = np.array([float(c)]), {"n_samples": _DRAWS, "key": key}
        each = measures.log_joint(model.model_, rows, labels, **options)[:, 0].astype(np.float64)
    error = each.std(ddof=1) / np.sqrt(len(each))
    return float(each.mean()), float(error), int(collapse.active_units.sum())


def _notes(
    figures: tuple[ClassFigures, ...], calibration: Any, names: np.ndarray
) -> tuple[str, ...]:
    notes = [f"Calibration: {calibration}"]
    never = [str(each.name) for each in figures if not each.n_rows]
    if never:
        notes.append(
            f"No row is of {', '.join(never)}: label more rows of it, or pass class_weight="
            '"balanced".'
        )
    poor = [str(each.name) for each in figures if each.held_out_accuracy < 0.5]
    if poor:
        notes.append(
            f"Fewer than half of the held-out labels of {', '.join(poor)} were predicted: label "
            "more of its rows."
        )
    if len(names) > len(figures):
        notes.append(
            f"{len(names) - len(figures)} declared classes have no example, and probability zero."
        )
    return tuple(notes)
