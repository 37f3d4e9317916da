"""Saving a fitted estimator of few labels to one file, and rebuilding it."""

import dataclasses
import functools
import math
from typing import Any, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from wellposed import _checks as checks
from wellposed import serialise
from wellposed._errors import SettingError
from wellposed.models.labelled import AbstractLabels, AuxiliaryEncoder, FirstStage, LabelledVAE
from wellposed.training import Outcome

from .._file import (
    Header,
    Tensors,
    check_names,
    describe_names,
    describe_part,
    describe_settings,
    describe_state,
    rebuild_names,
    rebuild_settings,
    rebuild_state,
    restore,
    tensors_of_part,
    unfitted,
    write,
)
from .._file_check import demand
from .._settings import settings_of
from .._vae import VAE
from .._words import FilePath
from .neighbours import LEFT_OUT
from .setups import settings_source

_READER = "vae_:"
_INNER = ("vae", "second_vae")
_STATE = ("n_labelled_", "alpha_", "history_", "_seed")


def save_labelled(estimator: Any, path: FilePath, *, overwrite: bool) -> None:
    """Write a fitted estimator to ``path``; it is rebuilt in memory first.

    No row is written, but of "features" the latents of all rows.

    Parameters
    ----------
    estimator : fitted
    path : file to write
    overwrite : whether to replace a file that is there

    Raises
    ------
    OutputError
        If the file cannot be written.
    SettingError
        For networks and classifiers of the user's own, which a file does not have.
    """
    path = serialise.check_writable(path, overwrite=overwrite)
    _check_own(estimator)
    tensors: Tensors = {}
    header = _header(estimator, tensors)
    parts = (list(settings_of(estimator.vae_).values()), estimator.vae_.model_, estimator.model_)
    supplied = dict.fromkeys(serialise.ROLES, tuple(serialise.classes_in(parts)))
    again = functools.partial(restore_labelled, type(estimator), header, tensors, {}, supplied)
    write(path, tensors, header, again)


def _check_own(estimator: Any) -> None:
    """Refuse parts that a file does not have."""
    neighbours = getattr(estimator, "neighbours", None)
    if neighbours is not None and estimator.method == "features":
        raise SettingError(
            'A file has no transformers, by which "features" predicts new rows; got '
            f'neighbours={neighbours!r}. Fit with method="stacked", whose predictions need none, '
            "or leave neighbours at None."
        )
    head = getattr(estimator, estimator._head)
    own = [] if head is None or isinstance(head, str) else [estimator._head]
    for name in _INNER:
        vae = getattr(estimator, name)
        vae, roles = (vae, ()) if vae is None else (settings_source(vae), serialise.NETWORKS)
        own += [f"{name}__{role}" for role in roles if not isinstance(getattr(vae, role), str)]
    if own:
        raise SettingError(
            f"A file has the classifiers and networks of this library; got {', '.join(own)} of "
            "your own. Save the weights of model_ and vae_ by equinox.tree_serialise_leaves, or "
            "leave these settings at their defaults."
        )


def _header(estimator: Any, tensors: Tensors) -> Header:
    settings = settings_of(estimator)
    if settings.get("neighbours") is not None:
        settings["neighbours"] = LEFT_OUT  # a fit is refused until they are given again
    inner = {name: settings.pop(name) for name in _INNER if name in settings}
    inner = {name: None if vae is None else settings_source(vae) for name, vae in inner.items()}
    return {
        "kind": type(estimator).__name__,
        "settings": describe_settings(_plain(settings), tensors, "settings"),
        "inner": {
            name: None if vae is None else describe_settings(settings_of(vae), tensors, name)
            for name, vae in inner.items()
        },
        "reader": describe_part(estimator.vae_, tensors, _READER),
        "model": serialise.describe(_parts(estimator), tensors, "model"),
        "state": describe_state(estimator, (*_STATE, *estimator._file_state), tensors),
        "outcome": estimator.outcome_.value,
        "feature_names": describe_names(estimator),
    }


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings whose arrays are tuples."""
    return {
        name: tuple(np.asarray(value).tolist()) if _is_sequence(value) else value
        for name, value in settings.items()
    }


def _is_sequence(value: Any) -> bool:
    return isinstance(value, (list, np.ndarray)) or hasattr(value, "to_numpy")


def _parts(estimator: Any) -> tuple[Any, ...]:
    """What a file has beside the reader: parts of the model.

    Of "features", arrays of what predicts labels from latents.
    """
    model: LabelledVAE | None = estimator.model_
    if model is None:
        return estimator._parts_of_head()
    parts: tuple[Any, ...] = (model.classifier, model.labels)
    if model.auxiliary is not None:
        parts = (*parts, model.auxiliary)
    if isinstance(model.first, FirstStage):
        parts = (*parts, model.vae, np.asarray(model.first.kept, np.int64))
    return parts


def restore_labelled(
    kind: type,
    header: Header,
    tensors: Tensors,
    makers: dict[str, Any],
    supplied: dict[str, Any],
) -> Any:
    """Rebuild an estimator, and check it.

    Parameters
    ----------
    kind : class of the estimator
    header, tensors, makers, supplied : as of :func:`wellposed.estimators._file.restore`

    Raises
    ------
    DamagedFileError
        If no fit makes such an estimator.
    """
    own = {n: t for n, t in tensors.items() if not n.startswith(_READER)}
    described = [part or {} for part in header["inner"].values()]
    check_names((header["settings"], *described, header["model"], header["state"]), own)
    settings = rebuild_settings(header["settings"], own, {}, supplied)
    for name, part in header["inner"].items():
        if part is not None:
            settings[name] = unfitted(VAE, part, own, makers, supplied)
    estimator: Any = kind(**settings)
    estimator._read_settings()
    seeds = checks.optional(checks.whole(0, 2**32 - 1))
    checks.check("random_state", estimator.random_state, seeds)
    names = (*_STATE, *estimator._file_state)
    rebuild_state(estimator, header["state"], names, own, supplied)
    estimator.outcome_ = Outcome(header["outcome"])
    reader = tensors_of_part(tensors, _READER)
    _check_state(estimator)
    estimator._check_restored()
    of_data = estimator.method != "features" and not estimator._has_two_stages
    n_given = estimator._n_given if of_data else 0
    estimator.vae_ = restore(VAE, header["reader"], reader, makers, supplied, n_given=n_given)
    _join(estimator, serialise.rebuild(header["model"], own, supplied))
    estimator.n_features_in_ = estimator.vae_.n_features_in_
    rebuild_names(estimator, header["feature_names"])
    return estimator


def _join(estimator: Any, parts: Any) -> None:
    """Put the model together, and trace what is used of it."""
    demand(isinstance(parts, tuple), "the model")
    reader: VAE = estimator.vae_
    if estimator.method == "features":
        sound = len(parts) == estimator._n_parts_of_head and all(
            isinstance(p, np.ndarray) and p.dtype.kind == "f" and bool(np.isfinite(p).all())
            for p in parts
        )
        demand(sound, f"the {estimator._head}")
        head = estimator._head_of(parts, reader.n_components_)
        estimator.model_ = None
        setattr(estimator, f"{estimator._head}_", head)
        return
    auxiliary, two = estimator.method == "auxiliary", estimator._has_two_stages
    demand(len(parts) == 2 + auxiliary + 2 * two, "the model")
    classifier, labels = parts[:2]
    demand(isinstance(labels, AbstractLabels), "the labels")
    vae, first = dataclasses.replace(reader.model_, given=None), None
    if two:
        vae, kept = parts[-2:]
        k = reader.n_components_
        sound = isinstance(kept, np.ndarray) and kept.dtype == np.int64 and kept.ndim == 1
        demand(sound and 0 < len(kept) <= k, "the latents")
        demand(bool((np.diff(kept) > 0).all() and kept[0] >= 0 and kept[-1] < k), "the latents")
        first = FirstStage(reader.model_, jnp.asarray(kept, jnp.int32))
    demand(isinstance(vae.encoder, AuxiliaryEncoder) == auxiliary, "the encoder")
    model = LabelledVAE(vae, classifier, labels, first, parts[2] if auxiliary else None)
    _trace(model, reader.n_features_in_, estimator._n_outputs)
    estimator.model_ = model


def _trace(model: LabelledVAE, d: int, n_outputs: int) -> None:
    key = jax.eval_shape(lambda: jax.random.key(0))
    row = jax.ShapeDtypeStruct((d,), jnp.result_type(float))

    def use(model: LabelledVAE, x: Any, key: Any) -> tuple[Any, ...]:
        data = model.typical_data_of(x, key=key)
        vae, draw = model.at(jnp.zeros(())), model.draw_auxiliary(data, key=key)
        z, at = vae.infer(data, key=key).q.loc, model.at_draw(draw).at(jnp.zeros(()))
        rate = jnp.zeros(()) if draw is None else draw.rate(cast(Any, vae.given), z)
        own = at.infer(data, key=key).q.loc
        return model.output(data, key=key), z, vae.decode(z).log_prob(data), own, rate

    found = eqx.filter_eval_shape(use, model, row, key)
    k = model.vae.prior.k
    demand([part.shape for part in found] == [(n_outputs,), (k,), (), (k,), ()], "the model")
    leaves = jax.tree.leaves(eqx.filter(model, eqx.is_inexact_array_like))
    demand(all(bool(np.isfinite(np.asarray(leaf)).all()) for leaf in leaves), "the model")


def _check_state(estimator: Any) -> None:
    n, alpha = estimator.n_labelled_, estimator.alpha_
    demand(type(n) is int and n >= 1, "n_labelled_")
    demand(type(estimator._seed) is int and 0 <= estimator._seed < 2**31, "_seed")
    weight = alpha is None or (type(alpha) is float and math.isfinite(alpha) and alpha >= 0)
    demand(weight and (alpha is None) == (estimator.method == "features"), "alpha_")
    history = estimator.history_
    columns = isinstance(history, dict) and all(
        isinstance(name, str) and isinstance(column, np.ndarray) and column.dtype == np.float64
        for name, column in history.items()
    )
    demand(columns, "history_")
