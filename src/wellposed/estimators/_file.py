"""Saving a fitted estimator to one file, and rebuilding it."""

from collections.abc import Iterable, Iterator
from typing import Any

import jax
import numpy as np

from wellposed import models, nn, serialise
from wellposed._errors import DamagedFileError, SettingError
from wellposed._version import __version__
from wellposed.training import Outcome

from ._file_check import check_fitted, check_settings
from ._settings import settings_of
from ._words import FilePath

Header = dict[str, Any]
Tensors = dict[str, np.ndarray]

MODELS = {
    "FactorAnalysis": models.FactorAnalysisModel,
    "LinearVAE": models.LinearVAEModel,
    "MixturePPCA": models.MixturePPCAModel,
    "PPCA": models.PPCAModel,
    "VAE": models.VAEModel,
}


def save(estimator: Any, path: FilePath, *, overwrite: bool) -> None:
    """Write a fitted estimator to ``path``: settings, model, and the attributes in ``_file_state``.

    The estimator is rebuilt in memory first, under the rules of :func:`load`. The name of a
    checkpoint is never written.

    Parameters
    ----------
    estimator : a fitted estimator
    path : file to write
    overwrite : whether to replace a file that is there

    Raises
    ------
    OutputError
        If the file cannot be written.
    SettingError
        If :func:`load` could not rebuild the estimator, with the name of the part.
    """
    path = serialise.check_writable(path, overwrite=overwrite)
    tensors: dict[str, np.ndarray] = {}
    header = describe_fitted(estimator, tensors)
    model, settings = estimator.model_, settings_of(estimator)
    makers = {role: settings[role] for role in serialise.NETWORKS if role in settings}
    supplied = {f"model.{role}": getattr(model, role) for role in makers}
    parts = (list(settings.values()), model, [getattr(estimator, n) for n in estimator._file_state])
    supplied |= dict.fromkeys(serialise.ROLES, tuple(serialise.classes_in(parts)))
    try:
        restore(type(estimator), {**header, "library": __version__}, tensors, makers, supplied)
    except DamagedFileError as error:
        raise SettingError(
            f"A model is saved only if it can be loaded; {error} Change that part, or rescale the "
            "data, and fit again."
        ) from error
    serialise.write(path, tensors, header)


def describe_fitted(estimator: Any, tensors: Tensors) -> Header:
    """Return the header of a file; its arrays become entries of ``tensors``."""
    names = getattr(estimator, "feature_names_in_", None)
    outcome = getattr(estimator, "outcome_", None)
    state = {name: getattr(estimator, name) for name in estimator._file_state}
    return {
        "kind": type(estimator).__name__,
        "settings": describe_settings(settings_of(estimator), tensors, "settings"),
        "model": serialise.describe(estimator.model_, tensors, "model"),
        "state": {name: serialise.describe(value, tensors, name) for name, value in state.items()},
        "outcome": None if outcome is None else outcome.value,
        "feature_names": None if names is None else [str(name) for name in names],
    }


def describe_settings(settings: dict[str, Any], tensors: Tensors, name: str) -> Header:
    """Return the settings of an estimator for a header, with names of arrays after ``name``.

    A generator and the name of a checkpoint are left out.
    """
    settings = dict(settings)
    if not isinstance(settings["random_state"], (int, np.integer)):
        settings["random_state"] = None
    if "checkpoint" in settings:
        settings["checkpoint"] = None
    return {
        each: serialise.describe(value, tensors, f"{name}.{each}")
        for each, value in settings.items()
    }


def restore(
    kind: type,
    header: Header,
    tensors: Tensors,
    makers: dict[str, Any],
    supplied: dict[str, Any],
    *,
    n_given: int = 0,
) -> Any:
    """Rebuild an estimator, and check it.

    Parameters
    ----------
    kind : class of the estimator
    header, tensors : of the file
    makers : of the user's networks, by role
    supplied : as :func:`wellposed.serialise.rebuild` takes it, without networks yet to be made
    n_given : as of :func:`check_fitted`

    Raises
    ------
    DamagedFileError
        If no fit makes such an estimator.
    """
    check_names((header["settings"], header["model"], header["state"]), tensors)
    settings = {
        **getattr(kind, "_setting_defaults", {}),
        **rebuild_settings(header["settings"], tensors, makers, supplied),
    }
    estimator: Any = kind(**settings)
    # Attributes that later versions added have defaults.
    state = {**getattr(kind, "_file_defaults", {}), **header["state"]}
    for name in getattr(kind, "_file_dropped", ()):  # of older versions
        state.pop(name, None)
    _check_state(kind, header["kind"], state)
    for name, spec in state.items():
        setattr(estimator, name, serialise.rebuild(spec, tensors, supplied))
    d = estimator.n_features_in_
    if getattr(estimator, "offset_", 0.0) is None:  # a file of a version without offsets
        estimator.offset_ = np.zeros(d)
    check_settings(kind, estimator.get_params(deep=False), d)
    supplied = {**_skeletons(header, tensors, d, makers, supplied), **supplied}
    estimator.model_ = serialise.rebuild(header["model"], tensors, supplied)
    if type(estimator.model_) is not MODELS[header["kind"]]:
        raise DamagedFileError(f"A {header['kind']}'s file must hold its model; it does not.")
    if header["outcome"] is not None:
        estimator.outcome_ = Outcome(header["outcome"])
    check_fitted(estimator, n_given)
    names = header["feature_names"]
    if names is not None:
        if len(names) != d or not all(isinstance(name, str) for name in names):
            raise DamagedFileError(f"The file must name {d} features.")
        estimator.feature_names_in_ = np.array(names, dtype=object)
    return estimator


def _check_state(kind: Any, name: str, state: Header) -> None:
    """Refuse a file with other attributes than those that the estimator has."""
    missing, unknown = (
        ", ".join(sorted(names))
        for names in (set(kind._file_state) - state.keys(), state.keys() - set(kind._file_state))
    )
    if missing or unknown:
        rule = f"must hold {missing}; this one does not" if missing else f"has no {unknown[:80]}"
        raise DamagedFileError(f"A {name}'s file {rule}. Open it with the version that wrote it.")


def rebuild_settings(
    described: Header, tensors: Tensors, makers: dict[str, Any], supplied: dict[str, Any]
) -> dict[str, Any]:
    """Undo :func:`describe_settings`; networks without a maker are left out."""
    settings = {
        name: makers[name] if name in makers else serialise.rebuild(spec, tensors, supplied)
        for name, spec in described.items()
        if name in makers or not _is_foreign(spec)
    }
    if "checkpoint" in settings:
        settings["checkpoint"] = None
    return settings


def check_names(parts: Iterable[Any], tensors: Tensors) -> None:
    """Refuse tensors to which no part of the header refers."""
    exact, prefixes = set(), set()
    for spec in _specs(list(parts)):
        name = spec.get("tensor", spec.get("array"))
        exact |= {name} if isinstance(name, str) else set()
        prefixes |= {f"{spec.get('name')}."} if "foreign" in spec else set()
    beyond = [n for n in tensors if n not in exact and not n.startswith(tuple(prefixes))]
    if beyond:
        raise DamagedFileError(f"The file holds {beyond[0]}, which is no part of its model.")


def _specs(value: Any) -> Iterator[Header]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, (dict, list)):
            yield from _specs(inner)


def _is_foreign(spec: Any) -> bool:
    return isinstance(spec, dict) and "foreign" in spec


def _skeletons(
    header: Header, tensors: Tensors, d: int, makers: dict[str, Any], supplied: dict[str, Any]
) -> dict[str, Any]:
    """Networks of the right shapes, by the prefixes of the names of their leaves in the file."""
    own = {
        role: maker
        for role, maker in makers.items()
        if not isinstance(maker, str) and f"model.{role}" not in supplied
    }
    if not own:
        return {}
    fields = header["model"]["fields"]
    k = serialise.rebuild(fields["prior"], tensors, supplied).k
    observation = serialise.rebuild(fields["noise"], tensors, supplied)
    given = serialise.rebuild(fields.get("given"), tensors, supplied)
    c = 0 if given is None else len(given)
    shapes = {
        "encoder": (observation.encoder_width(d) + c, 2 * k),
        "decoder": (k + c, observation.n_raw * d),
    }
    try:
        return {
            f"model.{role}": nn.make_network(maker, *shapes[role], key=jax.random.key(0))
            for role, maker in own.items()
        }
    except SettingError as error:
        raise serialise.NeedsMakerError(str(error)) from error
