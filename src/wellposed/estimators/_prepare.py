"""Preparation of a training: checked rows and an untrained model."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from wellposed import models, noise, training, transforms
from wellposed._typing import PRNGKey
from wellposed.numerics import host_generator

from ._build import (
    build,
    check_domain,
    check_image_shape,
    objective_of,
    plan_of,
    resolution_of,
    start,
    transform_of,
)
from ._fitted import Fitted
from ._notices import warn_of_data, warn_of_given_noise, warn_of_suspects
from ._sizes import check_networks
from ._words import Rows
from .data.amounts import hint_at_amounts
from .data.covariates import open_to_condition, with_given
from .data.described import Described
from .data.mixed import noise_for, robust_noise
from .data.offset import split_offset
from .data.rows import seed_of, validate_rows
from .data.table import Table
from .data.weights import repeat_rows
from .start.settings import latents_of, noise_of


@dataclasses.dataclass(frozen=True, eq=False)
class Prepared:
    """Rows and an untrained model.

    Parameters
    ----------
    rows : array of shape (n, d), without their offset; NaN where an entry is missing. Those of a
        conditional model are followed by their c covariates
    model : at its start, from the rows to train on
    settings : of the estimator, those that the data decide resolved
    """

    rows: np.ndarray
    model: models.VAEModel
    settings: dict[str, Any]
    _summary: transforms.Summary
    _image_shape: tuple[int, ...] | None
    _weights: np.ndarray | None
    _key: PRNGKey
    _drawn: models.VAEModel

    def start_on(self, trained: np.ndarray) -> models.VAEModel:
        """Return the model at its start from some rows, given by their positions."""
        weights = None if self._weights is None else self._weights[trained]
        trained = repeat_rows(trained, weights)
        described = self._summary, self._image_shape, trained
        return start(self.settings, self._drawn, self.rows, *described, key=self._key)


def prepare(
    vae: Fitted,
    X: Rows,
    offset: np.ndarray | None = None,
    *,
    holds_out: bool = True,
    weights: np.ndarray | None = None,
    described: Described | None = None,
) -> Prepared:
    """Check everything that can be checked before training, and build the model.

    Parameters
    ----------
    vae : an estimator, which gets the attributes that describe the data, such as ``n_features_in_``
    X : array-like or frame of shape (n, d), or a path
    offset : array of shape (d,) to subtract from the rows; None decides by the data
    holds_out : whether the training holds out ``validation_fraction`` of the rows
    weights : array of shape (n,), above zero; None weighs all rows alike
    described : all rows, where X is a sample of them

    Raises
    ------
    DataError
        If the data are not finite numbers, never vary, or are off the transform's domain.
    SettingError
        If a setting is out of range, unknown, or at odds with another.
    """
    settings = vae.read_settings()
    _ = objective_of(settings), plan_of(settings, n_rows=1)
    table = open_to_condition(X, settings["noise"], settings["covariates"])
    settings["noise"], vae.schema_ = noise_for(settings["noise"], table.schema), table.schema
    vae.covariates_ = covariates = table.covariates
    given = validate_rows(vae, table, reset=True, gaps=settings["missing"] is not None)
    shape = _image_shape(settings["image_shape"], table)
    vae.keep_seed(seed_of(vae.random_state))
    names, setting = table.names, settings["noise"]
    _locate(settings, given.shape if described is None else described.shape(given), names)
    whole, rows = _without_offset(vae, given, settings, table, offset)
    typical = repeat_rows(rows, weights)
    summary = _summarise(typical, settings, vae, described, image=shape is not None)
    transforms.check_precision(summary, table.labels)
    if isinstance(setting, str):
        settings["noise"] = noise_of(setting, one_unit=summary.one_unit)
    key = vae.key("build")
    inputs = {"names": table.labels, "n_covariates": covariates.width if covariates else 0}
    drawn = build(settings, typical, summary, shape, key=key, **inputs)
    ends = rows if described is None else np.concatenate([rows, [summary.low, summary.high]])
    check_domain(ends, drawn.transform, drawn.noise, table.labels)
    seen = rows if whole is given else np.where(np.isnan(given), np.nan, rows)
    rows = with_given(seen, table, covariates)
    prepared = Prepared(rows, drawn, settings, summary, shape, weights, key, drawn)
    vae.image_shape_, share = shape, settings["validation_fraction"] if holds_out else 0.0
    trained, _ = training.split_rows(len(rows), share, key=vae.key("fit"))
    model = prepared.start_on(trained if described is None else described.trained)
    warn_of_data(summary, settings["n_components"], names)
    robust, sensitive = robust_noise(table.schema, setting), model.noise.sensitive(whole.shape[1])
    warn_of_suspects(whole, names, shape, robust=robust, sensitive=sensitive)
    hint_at_amounts(summary, model.transform, model.noise, names, shape)
    warn_of_given_noise(model, model.transform.moments(summary, key=key))
    return dataclasses.replace(prepared, model=model)


def _without_offset(
    vae: Fitted,
    given: np.ndarray,
    settings: dict[str, Any],
    table: Table,
    offset: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows whose gaps other rows fill, and these without their offset, which is kept."""
    observation = noise.resolve(settings["noise"])
    transform = transform_of(settings, observation, one_unit=False)
    # Statistics of single features are those of rows whose gaps other rows fill.
    whole = transforms.fill_from_columns(given, host_generator(vae.key("gaps")))
    vae.offset_, rows = split_offset(whole, transform, observation, table.labels, offset=offset)
    return whole, rows


def _summarise(
    rows: np.ndarray,
    settings: dict[str, Any],
    vae: Fitted,
    described: Described | None,
    *,
    image: bool,
) -> transforms.Summary:
    """Summarise rows without offset, or all rows, of which these are a sample."""
    resolution, one_unit = resolution_of(settings, rows.shape[1]), True if image else None
    if described is None:
        return transforms.summarise(rows, resolution, one_unit=one_unit)
    one_unit = image or described.share_levels(vae.covariates_)
    of_sample = transforms.summarise(rows, resolution, one_unit=one_unit)
    return described.summary(of_sample, vae.offset_, vae.covariates_)


def _image_shape(setting: Any, table: Table) -> tuple[int, ...] | None:
    """Return the shape of one datum: the setting, or that of the images passed."""
    shape = table.image_shape if setting is None else tuple(setting)
    check_image_shape(shape, table.values.shape[1], table.image_shape)
    return shape


def _locate(settings: dict[str, Any], shape: tuple[int, ...], names: Sequence[str] | None) -> None:
    """Resolve in the settings what the size of the data and the names of the columns decide."""
    n, d = shape
    settings["n_components"] = latents_of(settings["n_components"], n, d)
    # "auto" is a Gaussian: until the units of the features are known, any of them.
    given = settings["noise"]
    settings["noise"] = noise_of(given, one_unit=True)
    if isinstance(given, noise.AbstractNoise):
        settings["noise"] = given.locate(d, names)
    settings["transform"] = transforms.place(settings["transform"], d, names)
    check_networks(settings, n, d)
