"""Saving a fitted estimator to one file, and rebuilding it."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from wellposed import models, nn, serialise
from wellposed._errors import DamagedFileError, SettingError
from wellposed._version import __version__
from wellposed.training import Outcome

from ._file_check import check_fitted, check_settings, demand
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
    kind, own = type(estimator), {**header, "library": __version__}
    write(path, tensors, header, lambda: restore(kind, own, tensors, makers, supplied))


def write(
    path: Path,
    tensors: Tensors,
    header: Header,
    rebuild: Callable[[], object],
    *,
    what: str = "A model",
) -> None:
    """Write a file, if it can be loaded.

    Parameters
    ----------
    path : of the file
    tensors, header : its content
    rebuild : makes the estimator of that content
    what : noun of the message

    Raises
    ------
    OutputError
        If the file cannot be written.
    SettingError
        If the content is of no estimator that a fit makes.
    """
    try:
        rebuild()
    except DamagedFileError as error:
        raise SettingError(
            f"{what} is saved only if it can be loaded; {error} Change that part, or rescale the "
            "data, and fit again."
        ) from error
    serialise.write(path, tensors, header)


def describe_fitted(estimator: Any, tensors: Tensors) -> Header:
    """Return the header of a file; its arrays become entries of ``tensors``."""
    outcome = getattr(estimator, "outcome_", None)
    return {
        "kind": type(estimator).__name__,
        "settings": describe_settings(settings_of(estimator), tensors, "settings"),
        "model": serialise.describe(estimator.model_, tensors, "model"),
        "state": describe_state(estimator, estimator._file_state, tensors),
        "outcome": None if outcome is None else outcome.value,
        "feature_names": describe_names(estimator),
    }


def describe_state(estimator: Any, names: Iterable[str], tensors: Tensors) -> Header:
    """Return attributes of an estimator for a header; their arrays become entries of a file."""
    return {name: serialise.describe(getattr(estimator, name), tensors, name) for name in names}


def rebuild_state(
    estimator: Any, state: Header, names: Iterable[str], tensors: Tensors, supplied: dict[str, Any]
) -> None:
    """Undo :func:`describe_state` of these names."""
    demand(set(state) == set(names), "the state")
    for name, spec in state.items():
        setattr(estimator, name, serialise.rebuild(spec, tensors, supplied))


def describe_names(estimator: Any) -> list[str] | None:
    """Return the names of the columns for a header, None where they have none."""
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def rebuild_names(estimator: Any, names: list[str] | None) -> None:
    """Undo :func:`describe_names` of an estimator with ``n_features_in_``."""
    if names is None:
        return
    demand(
        len(names) == estimator.n_features_in_ and all(isinstance(n, str) for n in names),
        "feature_names",
    )
    estimator.feature_names_in_ = np.array(names, dtype=object)


def describe_part(estimator: Any, tensors: Tensors, prefix: str) -> Header:
    """Return the header of a fitted estimator within a file; names of its arrays have a prefix."""
    own: Tensors = {}
    header = describe_fitted(estimator, own)
    tensors.update({f"{prefix}{name}": array for name, array in own.items()})
    return header


def tensors_of_part(tensors: Tensors, prefix: str) -> Tensors:
    """Return the arrays of :func:`describe_part`, by their own names."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


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
    estimator = unfitted(kind, header["settings"], tensors, makers, supplied)
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
    rebuild_names(estimator, header["feature_names"])
    return estimator


def unfitted(
    kind: type,
    described: Header,
    tensors: Tensors,
    makers: dict[str, Any],
    supplied: dict[str, Any],
) -> Any:
    """Return an estimator with the settings of a file, those that it does not have as they were."""
    settings = rebuild_settings(described, tensors, makers, supplied)
    return kind(**{**getattr(kind, "_setting_defaults", {}), **settings})


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
