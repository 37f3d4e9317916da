"""Preparation of a training: checked rows and an untrained model."""

import numpy as np

from wellposed import models, noise, training, transforms

from ._amounts import hint_at_amounts
from ._build import build, check_image_shape, objective_of, plan_of, resolution_of, transform_of
from ._fitted import Fitted
from ._notices import warn_of_data, warn_of_given_noise, warn_of_suspects
from ._sizes import check_networks
from ._words import Rows
from .data.offset import split_offset
from .data.rows import open_table, seed_of, validate_rows
from .start.settings import latents_of, noise_of


def prepare(
    vae: Fitted, X: Rows, offset: np.ndarray | None = None, *, holds_out: bool = True
) -> tuple[np.ndarray, models.VAEModel]:
    """Check everything that can be checked before training, and build the model.

    Parameters
    ----------
    vae : an estimator, which gets the attributes that describe the data, such as ``n_features_in_``
    X : array-like or frame of shape (n, d), or a path
    offset : array of shape (d,) to subtract from the rows; None decides by the data
    holds_out : whether the training holds out ``validation_fraction`` of the rows

    Returns
    -------
    The rows without their offset, shape (n, d), and the untrained model.

    Raises
    ------
    DataError
        If the data are not finite numbers, never vary, or are off the transform's domain.
    SettingError
        If a setting is out of range, unknown, or at odds with another.
    """
    settings = vae.read_settings()
    objective_of(settings)
    plan_of(settings, n_rows=1)
    table = open_table(X)
    given = validate_rows(vae, table, reset=True)
    d, shape = given.shape[1], settings["image_shape"]
    shape = table.image_shape if shape is None else tuple(shape)
    check_image_shape(shape, d, table.image_shape)
    vae.keep_seed(seed_of(vae.random_state))
    names = getattr(vae, "feature_names_in_", None)
    settings["n_components"] = latents_of(settings["n_components"], *given.shape)
    setting = settings["noise"]
    # "auto" is a Gaussian: until the units of the features are known, any of them.
    settings["noise"] = noise_of(setting, one_unit=True)
    if isinstance(setting, noise.AbstractNoise):
        settings["noise"] = setting.locate(d, names)
    settings["transform"] = transforms.place(settings["transform"], d, names)
    check_networks(settings, *given.shape)
    observation = noise.resolve(settings["noise"])
    transform = transform_of(settings, observation, one_unit=False)
    vae.offset_, rows = split_offset(given, transform, observation, table.labels, offset=offset)
    one_unit = True if shape is not None else None
    summary = transforms.summarise(rows, resolution_of(settings, d), one_unit=one_unit)
    transforms.check_precision(summary, table.labels)
    if isinstance(setting, str):
        settings["noise"] = noise_of(setting, one_unit=summary.one_unit)
    fraction = settings["validation_fraction"] if holds_out else 0.0
    trained, _ = training.split_rows(len(rows), fraction, key=vae.key("fit"))
    model = build(
        settings, rows, summary, shape, key=vae.key("build"), names=table.labels, trained=trained
    )
    vae.image_shape_ = shape
    warn_of_data(summary, settings["n_components"], names)
    warn_of_suspects(given, names, shape)
    hint_at_amounts(summary, model.transform, model.noise, names, shape)
    warn_of_given_noise(model, model.transform.moments(summary, key=vae.key("build")))
    return rows, model
