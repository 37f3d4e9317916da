"""A fitted estimator as one file."""

import dataclasses
import importlib
import os
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from wellposed import models, nn, serialise
from wellposed._compiled import keep_compiled
from wellposed._errors import DamagedFileError, SettingError
from wellposed._forks import check_process
from wellposed._version import __version__
from wellposed.training import Outcome

from ._file_check import check_fitted, check_settings
from ._settings import settings_of

_MODELS = {
    "LinearVAE": models.LinearVAEModel,
    "PPCA": models.PPCAModel,
    "VAE": models.VAEModel,
}


def save(
    estimator: Any, path: str | os.PathLike, *, overwrite: bool, without: tuple[str, ...] = ()
) -> None:
    """Write a fitted estimator to ``path``: settings, model, and what ``_file_state`` names.

    The estimator is rebuilt in memory first, under the rules of :func:`load`. The name of a
    checkpoint is never written.

    Parameters
    ----------
    estimator : a fitted estimator
    path : file to write
    overwrite : whether to replace a file that is there
    without : names of the state that are left out, and are None in the loaded estimator

    Raises
    ------
    OutputError
        If the file cannot be written.
    SettingError
        If :func:`load` could not rebuild the estimator, with the name of the part.
    """
    path = serialise.check_writable(path, overwrite=overwrite)
    tensors: dict[str, np.ndarray] = {}
    header = _described(estimator, tensors, without)
    model, settings = estimator.model_, settings_of(estimator)
    makers = {role: settings[role] for role in serialise.NETWORKS if role in settings}
    supplied = {f"model.{role}": getattr(model, role) for role in makers}
    parts = (list(settings.values()), model, [getattr(estimator, n) for n in estimator._file_state])
    supplied |= dict.fromkeys(serialise.ROLES, tuple(serialise.classes_in(parts)))
    try:
        _restored({**header, "library": __version__}, tensors, makers, supplied)
    except DamagedFileError as error:
        raise SettingError(
            f"A model is saved only if it can be loaded; {error} Change that part, or rescale the "
            "data, and fit again."
        ) from error
    serialise.write(path, tensors, header)


def _described(
    estimator: Any, tensors: dict[str, np.ndarray], without: tuple[str, ...]
) -> dict[str, Any]:
    """Return the header of a file; its arrays become entries of ``tensors``."""
    settings = settings_of(estimator)
    if not isinstance(settings["random_state"], (int, np.integer)):
        settings["random_state"] = None
    if "checkpoint" in settings:
        settings["checkpoint"] = None
    names = getattr(estimator, "feature_names_in_", None)
    outcome = getattr(estimator, "outcome_", None)
    state = {name: getattr(estimator, name) for name in estimator._file_state}
    state |= dict.fromkeys(without)
    return {
        "kind": type(estimator).__name__,
        "settings": {
            name: serialise.describe(value, tensors, f"settings.{name}")
            for name, value in settings.items()
        },
        "model": serialise.describe(estimator.model_, tensors, "model"),
        "state": {name: serialise.describe(value, tensors, name) for name, value in state.items()},
        "outcome": None if outcome is None else outcome.value,
        "feature_names": None if names is None else [str(name) for name in names],
    }


def load(
    path: str | os.PathLike,
    *,
    encoder: Any = None,
    decoder: Any = None,
    noise: Any = None,
    transform: Any = None,
    objective: Any = None,
) -> Any:
    """Load a fitted estimator; nothing in the file is executed.

    The file is checked to hold a model that ``fit`` can have made, whoever wrote it. Its
    ``checkpoint`` is None: a file names no other file to be written.

    Parameters
    ----------
    path : a file written by ``save`` of an estimator
    encoder, decoder : makers ``make(n_in, n_out, *, key)`` of networks of your own, of which a
        file has the arrays alone; not used where the file needs none
    noise, transform, objective : classes of your own, of which a file has the fields alone: a
        class, a function without arguments that makes an object of it, or a tuple of those; not
        used where the file needs none. Classes are found by their names; their ``__init__`` is
        not called.

    Raises
    ------
    DamagedFileError
        If any byte of the file is not what was written, its version is unknown, or it holds no
        model that ``fit`` makes.
    SettingError
        If it needs a maker or a class that was not given.
    FileNotFoundError
        If there is no such file.
    """
    check_process()
    keep_compiled()
    networks = {"encoder": encoder, "decoder": decoder}
    makers = {role: maker for role, maker in networks.items() if maker is not None}
    roles = {"noise": noise, "transform": transform, "objective": objective}
    own = {role: given for role, given in roles.items() if given is not None}
    supplied = {role: serialise.own_classes(role, given) for role, given in own.items()}
    tensors, header = serialise.read(path)
    kind = header.get("kind")
    if not isinstance(kind, str) or kind not in _MODELS:
        raise DamagedFileError(
            f"{path} holds a {str(kind)[:40]}, not a model. Pass the file that save() wrote; "
            "a checkpoint is resumed by fitting with the same `checkpoint`."
        )
    try:
        return _restored(header, tensors, makers, supplied)
    except (DamagedFileError, serialise.NeedsMakerError) as error:
        raise type(error)(f"{path}: {error}") from error
    # A file can hold anything, and a part of a model that does not fit another can fail anyhow.
    except Exception as error:
        raise DamagedFileError(
            f"{path} holds no model that fitting makes: {type(error).__name__}: {error} Take it "
            "from a backup, save it again, or open it with the version that wrote it "
            f"({header['library'][:40]})."
        ) from error


def load_like(path: str | os.PathLike, template: Any) -> Any:
    """Load an estimator whose own networks and classes are those of a template's settings."""
    settings = settings_of(template)
    own = {
        role: tuple(serialise.own_classes(role, settings[role]))
        for role in serialise.ROLES
        if dataclasses.is_dataclass(settings.get(role))
    }
    makers = {
        role: settings[role]
        for role in serialise.NETWORKS
        if not isinstance(settings.get(role, ""), str)
    }
    return load(path, **makers, **own)


def _restored(header: dict, tensors: dict, makers: dict, supplied: dict) -> Any:
    """Rebuild an estimator, and check it.

    ``makers`` are of the user's networks, by role; ``supplied`` is as
    :func:`wellposed.serialise.rebuild` takes it, but for networks yet to be made.
    """
    # Found by name: the estimators import this file.
    kind = getattr(importlib.import_module("wellposed.estimators"), header["kind"])
    _check_names(header, tensors)
    settings = _settings(header, tensors, makers, supplied)
    estimator: Any = kind(**settings)
    # What came after the first files has a default.
    state = {**getattr(kind, "_file_defaults", {}), **header["state"]}
    missing, unknown = (
        ", ".join(sorted(names))
        for names in (set(kind._file_state) - state.keys(), state.keys() - set(kind._file_state))
    )
    if missing or unknown:
        rule = f"must hold {missing}; this one does not" if missing else f"has no {unknown[:80]}"
        raise DamagedFileError(
            f"A {header['kind']}'s file {rule}. Open it with the version that wrote it."
        )
    for name, spec in state.items():
        setattr(estimator, name, serialise.rebuild(spec, tensors, supplied))
    d = estimator.n_features_in_
    if getattr(estimator, "offset_", 0.0) is None:  # a file from before columns had offsets
        estimator.offset_ = np.zeros(d)
    check_settings(kind, estimator.get_params(deep=False), d)
    supplied = {**_skeletons(header, tensors, d, makers, supplied), **supplied}
    estimator.model_ = serialise.rebuild(header["model"], tensors, supplied)
    if type(estimator.model_) is not _MODELS[header["kind"]]:
        raise DamagedFileError(f"A {header['kind']}'s file must hold its model; it does not.")
    if header["outcome"] is not None:
        estimator.outcome_ = Outcome(header["outcome"])
    check_fitted(estimator)
    names = header["feature_names"]
    if names is not None:
        if len(names) != d or not all(isinstance(name, str) for name in names):
            raise DamagedFileError(f"The file must name {d} features.")
        estimator.feature_names_in_ = np.array(names, dtype=object)
    return estimator


def _settings(header: dict, tensors: dict, makers: dict, supplied: dict) -> dict[str, Any]:
    settings = {
        name: makers[name] if name in makers else serialise.rebuild(spec, tensors, supplied)
        for name, spec in header["settings"].items()
        if name in makers or not _is_foreign(spec)
    }
    if "checkpoint" in settings:
        settings["checkpoint"] = None
    return settings


def _check_names(header: dict, tensors: dict) -> None:
    """Refuse tensors that nothing in the header asks for."""
    parts = (header["settings"], header["model"], header["state"])
    exact, prefixes = set(), set()
    for spec in _specs(parts):
        name = spec.get("tensor", spec.get("array"))
        exact |= {name} if isinstance(name, str) else set()
        prefixes |= {f"{spec.get('name')}."} if "foreign" in spec else set()
    beyond = [n for n in tensors if n not in exact and not n.startswith(tuple(prefixes))]
    if beyond:
        raise DamagedFileError(f"The file holds {beyond[0]}, which has no place in its model.")


def _specs(value: Any) -> Iterator[dict]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, (dict, list)):
            yield from _specs(inner)


def _is_foreign(spec: Any) -> bool:
    return isinstance(spec, dict) and "foreign" in spec


def _skeletons(header: dict, tensors: dict, d: int, makers: dict, supplied: dict) -> dict[str, Any]:
    """Networks of the right shapes, by the names under which the file has their leaves."""
    own = {
        role: maker
        for role, maker in makers.items()
        if not isinstance(maker, str) and f"model.{role}" not in supplied
    }
    if not own:
        return {}
    fields = header["model"]["fields"]
    k = serialise.rebuild(fields["prior"], tensors, supplied).k
    n_raw = serialise.rebuild(fields["noise"], tensors, supplied).n_raw
    shapes = {"encoder": (d, 2 * k), "decoder": (k, n_raw * d)}
    try:
        return {
            f"model.{role}": nn.make_network(maker, *shapes[role], key=jax.random.key(0))
            for role, maker in own.items()
        }
    except SettingError as error:
        raise serialise.NeedsMakerError(str(error)) from error
