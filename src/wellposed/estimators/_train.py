"""The training of a VAE, with weights of its rows and rows to hold out."""

import numpy as np
from numpy.typing import ArrayLike

from wellposed import models, training
from wellposed._errors import SettingError

from ._build import member_of
from ._fitted import Fitted
from ._settings import settings_of
from ._words import Rows
from .data.rows import open_table
from .data.table import Table
from .data.weights import check_weights


def training_of(
    vae: Fitted,
    rows: np.ndarray,
    model: models.VAEModel,
    weights: np.ndarray | None,
    X_val: Rows | None,
) -> tuple[training.Member, np.ndarray]:
    """Return a training and its data: the rows to train on, then those given to hold out.

    Parameters
    ----------
    vae : estimator with the attributes that describe the data
    rows, model : as :func:`prepare` returns them
    weights : of the rows, with mean 1, or None
    X_val : rows to hold out, or None

    Raises
    ------
    DataError, SettingError
        For rows to hold out that the model cannot have, and for folds beside them.
    """
    settings, n, held = settings_of(vae), len(rows), None
    settings["image_shape"] = vae.image_shape_
    if X_val is not None:
        check_no_folds(settings["validation_folds"])
        further = vae.rows_of(model, X_val, to_train=True)
        rows, held = np.concatenate([rows, further]), np.arange(n, n + len(further))
        weights = None if weights is None else np.append(weights, np.ones(len(further)))
    member = member_of(settings, model, n, key=vae.key("fit"), held=held, weights=weights)
    return member, rows


def weighted_table(X: Rows, sample_weight: ArrayLike | None) -> tuple[Table, np.ndarray | None]:
    """Read the rows with a weight above zero, and scale their weights to the mean 1.

    Raises
    ------
    DataError
        As :func:`check_weights`; for rows, of weight zero included, that are not finite numbers.
    """
    table = open_table(X)
    weights = check_weights(sample_weight, len(table.values))
    if weights is None:
        return table, None
    table.check_finite()
    kept = weights > 0
    return table.take(kept), weights[kept] / weights[kept].mean()


def check_no_folds(folds: object) -> None:
    """Refuse folds where the rows to hold out are given.

    Raises
    ------
    SettingError
        Unless the setting is "auto" or 0.
    """
    if folds not in ("auto", 0):
        raise SettingError(
            "X_val are the rows that choose the epoch, and folds choose it in another way; got "
            f"X_val with validation_folds={folds}. Leave one of them out."
        )
