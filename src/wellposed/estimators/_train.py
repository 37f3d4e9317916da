"""The training of a VAE, with weights of its rows and rows to hold out."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from wellposed import training
from wellposed._errors import SettingError

from ._build import member_of
from ._fitted import Fitted
from ._prepare import Prepared
from ._settings import settings_of
from ._words import Rows
from .data.covariates import open_to_condition
from .data.table import Table
from .data.weights import check_weights
from .start.settings import folds_of


def training_of(
    vae: Fitted, prepared: Prepared, weights: np.ndarray | None = None, X_val: Rows | None = None
) -> tuple[training.Member, np.ndarray]:
    """Return a training and its data: the rows to train on, then those given to hold out.

    Parameters
    ----------
    vae : estimator with the attributes that describe the data
    prepared : its rows and its model
    weights : of the rows, with mean 1, or None
    X_val : rows to hold out, or None

    Raises
    ------
    DataError, SettingError
        For rows to hold out that the model cannot have, folds beside them, or folds that cannot be.
    """
    settings, rows, n = settings_of(vae), prepared.rows, len(prepared.rows)
    settings["image_shape"], key = vae.image_shape_, vae.key("fit")
    if X_val is None:
        n_folds, held = folds_of(settings, n), None
    else:
        check_no_folds(settings["validation_folds"])
        further = vae.rows_of(prepared.model, X_val, to_train=True)
        rows, held = np.concatenate([rows, further]), np.arange(n, n + len(further))
        weights = None if weights is None else np.append(weights, np.ones(len(further)))
        n_folds = 0
    model, folds = prepared.model, ()
    if n_folds:
        parts = training.split_folds(n, n_folds, key=key)
        others = [np.setdiff1d(np.arange(n), part) for part in parts]
        starts = [prepared.start_on(other) for other in others]
        model, folds = prepared.start_on(np.arange(n)), tuple(zip(parts, starts, strict=True))
    member = member_of(settings, model, n, key=key, n_folds=n_folds)
    return dataclasses.replace(member, folds=folds, held=held, weights=weights), rows


def trainer(
    vae: Fitted, prepared: Prepared, weights: np.ndarray | None, X_val: Rows | None
) -> Callable[..., training.Run]:
    """Return the function of ``callbacks`` that runs the training of :func:`training_of`."""
    member, data = training_of(vae, prepared, weights, X_val)
    settings = settings_of(vae)
    fit = training.fit_folds if member.folds else training.fit_member
    options = {name: settings[name] for name in ("checkpoint", "progress")}
    return functools.partial(fit, member, data, mesh=mesh_of(settings), **options)


def mesh_of(settings: dict[str, Any]) -> training.DataMesh | None:
    """Return the devices that the settings name; None for one device.

    Raises
    ------
    SettingError
        If JAX finds fewer, or several processes would each draw a seed of their own.
    """
    if settings["devices"] is None:
        return None
    mesh = training.DataMesh.of(settings["devices"], settings["shards"])
    if mesh.n_processes > 1 and settings["random_state"] is None:
        raise SettingError(
            f"The {mesh.n_processes} processes of a training need one seed; got random_state=None. "
            "Pass a number, as random_state=0."
        )
    return mesh


def weighted_table(
    X: Rows,
    noise: object,
    sample_weight: ArrayLike | None,
    covariates: object = None,
    *,
    gaps: bool,
) -> tuple[Table, np.ndarray | None]:
    """Read the rows with a weight above zero, and scale their weights to the mean 1.

    Parameters
    ----------
    X : rows to fit a model to
    noise, covariates : settings of the estimator
    sample_weight : array of shape (n,), or None
    gaps : whether entries may be missing

    Raises
    ------
    DataError
        As :func:`check_weights`; for rows, of weight zero included, that are not finite numbers.
    """
    table = open_to_condition(X, noise, covariates)
    weights = check_weights(sample_weight, len(table.values))
    if weights is None:
        return table, None
    if gaps:
        table.check_gaps(observed=False)
    else:
        table.check_finite(ignorable=True)
    kept = weights > 0
    table = table.take(kept)
    if table.covariates is not None and table.given is not None:
        table = dataclasses.replace(table, covariates=table.covariates.fit(table.given))
    return table, weights[kept] / weights[kept].mean()


def check_no_folds(folds: object, given: str = "X_val") -> None:
    """Refuse folds beside what chooses the epoch in another way.

    Parameters
    ----------
    folds : the setting
    given : what is passed to ``fit``: rows to hold out, or a source, which holds out a share

    Raises
    ------
    SettingError
        Unless the setting is "auto" or 0.
    """
    if folds not in ("auto", 0):
        raise SettingError(
            f"Folds choose the epoch in one way, and {given} in another; got {given} with "
            f"validation_folds={folds}. Leave one of them out."
        )
