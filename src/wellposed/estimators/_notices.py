"""Warnings about the data, the noise and the outcome of a training, and its objective."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from wellposed import models, noise, training, transforms
from wellposed._errors import (
    ConstantFeatureWarning,
    DataWarning,
    FloorWarning,
    TrainingWarning,
    named_features,
)

_LISTED = 5  # maximum number of suspects in a warning


def warn_of_data(
    summary: transforms.Summary, n_components: int, names: Sequence[Any] | None = None
) -> None:
    """Warn of features that never vary, and of more latents than features."""
    constant = np.flatnonzero(~summary.varies)
    d = len(summary.mean)
    if constant.size:
        warnings.warn(
            f"{constant.size} of {d} features never vary "
            f"({named_features(constant, names=names)}) and are modelled as their constant. Drop "
            "them if they should not count in log p(x).",
            ConstantFeatureWarning,
            stacklevel=4,
        )
    if n_components > d:
        warnings.warn(
            f"n_components={n_components} exceeds the {d} features: at most {d} latents can be "
            "active, the others will collapse. That is harmless; fewer latents train faster.",
            TrainingWarning,
            stacklevel=4,
        )


def warn_of_suspects(
    rows: np.ndarray,
    names: Sequence[Any] | None,
    image_shape: tuple[int, ...] | None,
    *,
    sensitive: np.ndarray | None = None,
    robust: str = 'noise="student-t" is robust to them',
    stacklevel: int = 4,
) -> None:
    """Warn of values far from the rest of their column, in all data but images.

    ``sensitive`` is a mask of the columns that such values may dominate, all by default; ``robust``
    says which setting of the estimator they hardly move.
    """
    if image_shape is not None or rows.shape[1] == 0:
        return
    outliers = transforms.suspects(rows)
    if sensitive is not None:
        outliers = tuple(each for each in outliers if sensitive[each.column])
    if not outliers:
        return
    listed = [
        transforms.describe_suspect(suspect, len(rows), names) for suspect in outliers[:_LISTED]
    ]
    more = f"; and {len(outliers) - _LISTED} more" if len(outliers) > _LISTED else ""
    warnings.warn(
        "Some values stand apart from all others of their column, and dominate its mean and scale: "
        f"{'; '.join(listed)}{more}. Correct codes and errors, or drop these rows; where the "
        f"values are correct, {robust}.",
        DataWarning,
        stacklevel=stacklevel,
    )


def warn_of_given_noise(model: models.VAEModel, moments: transforms.Moments) -> None:
    """Warn of a given noise variance below the rounding variance of the data."""
    observation = model.noise
    if not isinstance(observation, noise.Gaussian) or observation.kind != "given":
        return
    varies = np.asarray(moments.varies)
    floor = float(np.asarray(moments.resolution)[varies].min()) / math.sqrt(12)
    deviation = math.sqrt(float(observation.variance()))  # type: ignore[arg-type]
    if deviation < floor:
        warnings.warn(
            f"The given noise has σ = {deviation:.3g} in model units, below the data's own "
            f"rounding, resolution/√12 = {floor:.3g}: the density would be sharper than the "
            f"measurement. Give a variance above {floor**2:.3g}, or noise='shared'.",
            FloorWarning,
            stacklevel=4,
        )


_CODES = (
    " If the values are codes, they are levels: pass "
    'noise=wp.Schema.of(frame).replace(name, kind="category").'
)


def warn_of_outcome(
    run: training.Run,
    noise_variance: float | np.ndarray,
    names: Sequence[Any] | None = None,
) -> None:
    """Warn of a training that ended badly, and of noise at its floor."""
    if run.reason:
        warnings.warn(run.reason, TrainingWarning, stacklevel=3)
    variance: Any = np.asarray(noise_variance)
    resting = run.model.noise.on_floor(variance)
    if resting:
        shared = np.ndim(noise_variance) == 0
        listed = named_features(resting, names=names)
        which = "The noise" if shared else f"The noise of features {listed}"
        warnings.warn(
            f"{which} is at its floor, resolution/√12: the model predicts the data to within "
            "their rounding, and the floor, not the data, determines the density. If the "
            "resolution is finer than estimated, pass `resolution`."
            f"{'' if names is None else _CODES}",
            FloorWarning,
            stacklevel=3,
        )


def objective_of_model(vae: Any) -> tuple[float, bool] | None:
    """Return the objective at the epoch that the model is of, in nats a row.

    Parameters
    ----------
    vae : fitted VAE

    Returns
    -------
    the objective, and whether it is of rows held out: with folds it is their mean, of models that
    were trained without them. None where no epoch improved on the start, or none is recorded
    """
    if not vae.best_epoch_:
        return None
    at = vae.best_epoch_ - 1
    for name in ("held_out_objective", "objective"):
        figures = np.asarray(vae.history_[name], float)
        if at < len(figures) and np.isfinite(figures[at]):
            return float(figures[at]), name == "held_out_objective"
    return None
