"""A fitted estimator as one file."""

import importlib
import os
from typing import Any

import jax
import numpy as np

from wellposed import nn, serialise
from wellposed._compiled import keep_compiled
from wellposed._errors import DamagedFileError
from wellposed._forks import check_process
from wellposed.training import Outcome

_HOMES = {"LinearVAE": "_linear_vae", "PPCA": "_ppca", "VAE": "_vae"}


def save(estimator: Any, path: str | os.PathLike, *, overwrite: bool) -> None:
    """Write a fitted estimator to ``path``: settings, model, and what ``_file_state`` names."""
    path = serialise.check_writable(path, overwrite=overwrite)
    tensors: dict[str, np.ndarray] = {}
    settings = estimator.get_params(deep=False)
    if not isinstance(settings["random_state"], (int, np.integer)):
        settings["random_state"] = None
    if settings.get("checkpoint") is not None:
        settings["checkpoint"] = os.fspath(settings["checkpoint"])
    names = getattr(estimator, "feature_names_in_", None)
    outcome = getattr(estimator, "outcome_", None)
    header = {
        "kind": type(estimator).__name__,
        "settings": {
            name: serialise.describe(value, tensors, f"settings.{name}")
            for name, value in settings.items()
        },
        "model": serialise.describe(estimator.model_, tensors, "model"),
        "state": {
            name: serialise.describe(getattr(estimator, name), tensors, name)
            for name in estimator._file_state
        },
        "outcome": None if outcome is None else outcome.value,
        "feature_names": None if names is None else [str(name) for name in names],
    }
    serialise.write(path, tensors, header)


def load(path: str | os.PathLike, **makers: Any) -> Any:
    """Load a fitted estimator; nothing in the file is executed.

    Parameters
    ----------
    path : a file written by ``save`` of an estimator
    **makers : ``encoder=``, ``decoder=``: the makers of networks of your own, which no file
        can rebuild

    Raises
    ------
    DamagedFileError
        If any byte of the file is not what was written, or its version is unknown.
    SettingError
        If it needs a maker that was not given.
    FileNotFoundError
        If there is no such file.
    """
    check_process()
    keep_compiled()
    tensors, header = serialise.read(path)
    if header.get("kind") not in _HOMES:
        raise DamagedFileError(
            f"{path} holds a {header.get('kind')}, not a model. Pass the file that save() wrote; "
            "a checkpoint is resumed by fitting with the same `checkpoint`."
        )
    return _restored(header, tensors, makers)


def _restored(header: dict, tensors: dict, makers: dict) -> Any:
    # Found by name: the estimators import this file.
    home = importlib.import_module(f"wellposed.estimators.{_HOMES[header['kind']]}")
    settings = {
        name: makers[name] if name in makers else serialise.rebuild(spec, tensors, {})
        for name, spec in header["settings"].items()
        if name in makers or not _is_foreign(spec)
    }
    estimator: Any = getattr(home, header["kind"])(**settings)
    missing = set(estimator._file_state) - set(header["state"])
    if missing:
        raise DamagedFileError(
            f"A {header['kind']}'s file must hold {', '.join(sorted(missing))}; this one does not. "
            "Open it with the version that wrote it."
        )
    for name in estimator._file_state:
        setattr(estimator, name, serialise.rebuild(header["state"][name], tensors, {}))
    foreign = _skeletons(header, tensors, estimator.n_features_in_, settings, makers)
    estimator.model_ = serialise.rebuild(header["model"], tensors, foreign)
    if header["outcome"] is not None:
        estimator.outcome_ = Outcome(header["outcome"])
    if header["feature_names"] is not None:
        estimator.feature_names_in_ = np.array(header["feature_names"], dtype=object)
    return estimator


def _is_foreign(spec: Any) -> bool:
    return isinstance(spec, dict) and "foreign" in spec


def _skeletons(header: dict, tensors: dict, d: int, settings: dict, makers: dict) -> dict[str, Any]:
    """Networks of the right shapes, by the names under which the file has their leaves."""
    own = {role: maker for role, maker in makers.items() if not isinstance(maker, str)}
    if not own:
        return {}
    k = settings["n_components"]
    n_raw = serialise.rebuild(header["model"]["fields"]["noise"], tensors, {}).n_raw
    shapes = {"encoder": (d, 2 * k), "decoder": (k, n_raw * d)}
    return {
        f"model.{role}": nn.make_checked(maker, *shapes[role], key=jax.random.key(0))
        for role, maker in own.items()
        if role in shapes
    }
