"""Rows that arrive in pieces: training goes on, and a drift of the p-values is told."""

import warnings
from typing import Any

import numpy as np

from wellposed import evaluation
from wellposed._errors import DataWarning, SettingError
from wellposed.evaluation import Uniformity

from .._settings import settings_of
from ..data.table import Table
from .calibration import split, threshold_of

_WINDOW = 2_000  # calibration rows that are kept, the newest


def warn_of_drift(found: Uniformity) -> None:
    """Warn if p-values of new rows are not uniform."""
    if not found.drifted:
        return
    warnings.warn(
        f"Rows should come from where the rows of the fit came from; {found} The rates of false "
        "alarms no longer hold. Look at the rows with explain(), and fit again if they are normal.",
        DataWarning,
        stacklevel=4,
    )


def can_advance(detector: Any) -> bool:
    """Whether a detector has a score that a piece of a stream can be added to.

    Raises
    ------
    SettingError
        If not: other scores have parts that are fitted to all rows at once.
    """
    score = getattr(detector, "score_", settings_of(detector)["score"])
    if score in ("auto", "log_density"):
        return True
    raise SettingError(
        f'partial_fit trains the VAE alone; got score="{score}", which has parts that are fitted '
        'to all rows at once. Pass score="log_density", or call fit.'
    )


def advance(detector: Any, table: Table) -> None:
    """Train a detector by log p(x) on a piece of a stream, and calibrate it anew.

    A fifth of the piece joins the calibration rows, of which the newest 2,000 are kept, and all of
    these are scored again.
    """
    vae, generator = detector.vae_, np.random.default_rng(detector._seed)
    parts = split(len(table.values), "auto", generator, with_reference=False)
    new = np.asarray(vae.rows(table.take(parts.held)), np.float64)
    vae.partial_fit(table.take(parts.trained))
    kept = np.concatenate([detector._kept_rows, new])[-_WINDOW:]
    found = evaluation.estimate_log_likelihood(
        vae.model_,
        kept,
        key=vae.key("score"),
        n_samples=int(detector.n_samples),
        method="importance",
    )
    scores = np.sort(np.asarray(found.value, np.float64))
    threshold = threshold_of(scores, detector.contamination)
    detector._kept_rows, detector._cells = kept, None
    detector.calibration_scores_ = scores
    detector.offset_, detector.contamination_ = threshold.offset, threshold.share
