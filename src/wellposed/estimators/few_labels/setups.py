"""Setups of the methods that train networks: a VAE of the data, or one of another's latents."""

import copy
import dataclasses
from typing import Any, NamedTuple

import jax
import numpy as np
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator

from wellposed import evaluation
from wellposed._errors import SettingError
from wellposed._typing import PRNGKey
from wellposed.latents import StandardNormal
from wellposed.models.labelled import AbstractLabels, Codes, FirstStage, LabelledVAE
from wellposed.numerics import host_generator

from .._build import plan_of
from .._prepare import prepare
from .._vae import VAE
from ..data.table import Table
from . import measures
from .build import labelled_model
from .lengths import units_of
from .train import Setup, hold_out

_MOST_POINTS = 40  # principal components
_INFORMED = 0.1  # standard deviation of the means of a latent, in those of its prior


@dataclasses.dataclass(frozen=True, eq=False)
class Problem:
    """What networks with labels are fitted to.

    Parameters
    ----------
    table : the rows
    labels : p(y) and the family of q(y | x)
    target : the label of each row, NaN where it has none
    classifier : network of q(y | x), or None
    alpha : weight of a label, or "auto"
    auxiliary : whether the model has an auxiliary variable
    key : PRNG key
    weights : of the rows, with mean 1, or None
    """

    table: Table
    labels: AbstractLabels
    target: np.ndarray
    classifier: Any
    alpha: float | str
    auxiliary: bool
    key: PRNGKey
    weights: np.ndarray | None = None


class Ready(NamedTuple):
    """What is fitted before a label is used.

    Parameters
    ----------
    reader : VAE that reads rows; fitted where it is the first of two
    setup : of the training with labels
    first : the first stage, or None
    """

    reader: VAE
    setup: Setup
    first: FirstStage | None


def settings_source(vae: VAE | FrozenEstimator | None) -> VAE:
    """Return the VAE that has the settings: that passed, or frozen, or one of the defaults."""
    if vae is None:
        return VAE()
    return vae.estimator if isinstance(vae, FrozenEstimator) else vae


def fresh_vae(
    vae: VAE | FrozenEstimator | None, defaults: dict[str, Any], seed: int, **settings: Any
) -> VAE:
    """Return an unfitted VAE with the settings of one that was passed, or else the defaults.

    A frozen one is returned as it is fitted.
    """
    if isinstance(vae, FrozenEstimator):
        return copy.copy(vae.estimator)
    made: Any = VAE(**defaults) if vae is None else clone(vae)
    return made.set_params(random_state=seed, **settings)


def joint_setup(vae: VAE, problem: Problem) -> Ready:
    """Set up a VAE of the data and their labels; ``vae`` is unfitted."""
    return Ready(vae, _setup(vae, problem), None)


def stacked_setup(vae: VAE, second: VAE, problem: Problem) -> Ready:
    """Fit a VAE to all rows without their labels, and set up a second one of draws of its latents.

    The draws are fresh at every visit of a row. Latents without information are left out.

    Parameters
    ----------
    vae, second : unfitted
    problem : of the rows
    """
    first, (mean, scale) = fit_first(vae, problem.table, problem.weights)
    draws = mean + scale * host_generator(problem.key).normal(size=mean.shape)
    setup = _setup(second, dataclasses.replace(problem, table=Table(draws)))
    codes = np.concatenate([mean, scale], axis=1).astype(np.float32)
    model = _with_first(setup.model, Codes(mean.shape[1]))
    return Ready(vae, dataclasses.replace(setup, model=model, rows=codes), first)


def ensure_fitted(vae: VAE, table: Table, weights: np.ndarray | None) -> VAE:
    """Fit a VAE to rows with weights, or None, unless it is fitted."""
    return vae if hasattr(vae, "model_") else vae.fit(table, sample_weight=weights)


def points_of(ready: Ready, *, seed: int) -> np.ndarray:
    """Return a point for each row, shape (n, m): rows that are alike are near.

    The means of the first VAE's latents, in lengths of the rows that they decode to; without one
    the principal components of the rows in model units.
    """
    setup = ready.setup
    if ready.first is not None:
        kept, k = np.asarray(ready.first.kept), ready.reader.n_components_
        whole = np.zeros((2, len(setup.rows), k), setup.rows.dtype)
        whole[:, :, kept] = np.split(setup.rows, 2, axis=1)
        return whole[0] @ units_of(ready.reader, *whole)
    mapped = measures.model_units(setup.model, setup.rows, key=jax.random.key(seed))
    return PCA(min(_MOST_POINTS, *mapped.shape), random_state=seed).fit_transform(mapped)


def fit_first(
    vae: VAE, table: Table, weights: np.ndarray | None
) -> tuple[FirstStage, tuple[np.ndarray, np.ndarray]]:
    """Fit a VAE to rows; return it as a first stage, and mean and scale of its latents.

    Raises
    ------
    SettingError
        If no latent has information, or p(z) of a fitted VAE is not N(0, I).
    """
    ensure_fitted(vae, table, weights)
    if not isinstance(vae.model_.prior, StandardNormal):
        raise SettingError(
            "p(z) of the first of two VAEs must be N(0, I), which the second one replaces; got "
            f'{vae.model_.prior.notation}. Fit it with prior="standard".'
        )
    mean, scale, _ = evaluation.posteriors(vae.model_, vae.rows(table), key=vae.key("score"))
    kept = np.flatnonzero(mean.std(axis=0) > _INFORMED)
    if not len(kept):
        raise SettingError(
            f"The latents of the first VAE must have information about the data; all "
            f"{mean.shape[1]} have collapsed. See wellposed.diagnose of a VAE with these settings, "
            "or train it for longer."
        )
    stage = FirstStage(vae.model_, jax.device_put(kept.astype(np.int32)))
    return stage, (mean[:, kept], scale[:, kept])


def finish(model: LabelledVAE, first: FirstStage | None) -> LabelledVAE:
    """Return a trained model of the data: its first stage reads these in place of codes."""
    return model if first is None else _with_first(model, first)


def _with_first(model: LabelledVAE, first: FirstStage | Codes) -> LabelledVAE:
    return dataclasses.replace(model, first=first)


def _setup(vae: VAE, problem: Problem) -> Setup:
    # At the linear solution z explains what y should, and y stays without use.
    vae.set_params(linear_start=False)
    prepared = prepare(vae, problem.table, holds_out=False, weights=problem.weights)
    settings, n = prepared.settings, len(prepared.rows)
    settings["image_shape"] = vae.image_shape_
    held_key, model_key, fit_key = jax.random.split(problem.key, 3)
    held = hold_out(problem.target, settings["validation_fraction"], key=held_key)
    start = prepared.model
    if len(held):
        start = prepared.start_on(np.setdiff1d(np.arange(n), held))
    parts = problem.labels, problem.classifier
    auxiliary = problem.auxiliary
    model = labelled_model(vae, start, settings, *parts, auxiliary=auxiliary, key=model_key)
    rows = prepared.rows
    rows = rows if rows.dtype.kind == "f" else rows.astype(np.float32)
    unbounded = settings["allow_unbounded"]
    return Setup(
        model, rows, held, plan_of(settings, n), fit_key, problem.alpha, unbounded, problem.weights
    )
