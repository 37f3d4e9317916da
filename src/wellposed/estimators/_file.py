"""A fitted estimator as one file."""

import os
from typing import Any

import jax
import numpy as np

from wellposed import nn, serialise
from wellposed._errors import DamagedFileError
from wellposed.training import Outcome

_STATE = ("n_features_in_", "n_epochs_", "image_shape_", "_seed")
_ARRAYS = ("noise_variance_", "history_")


def save(vae: Any, path: str | os.PathLike, *, overwrite: bool) -> None:
    """Write a fitted estimator to ``path``."""
    path = serialise.check_writable(path, overwrite=overwrite)
    tensors: dict[str, np.ndarray] = {}
    settings = vae.get_params(deep=False)
    if not isinstance(settings["random_state"], (int, np.integer)):
        settings["random_state"] = None
    if settings["checkpoint"] is not None:
        settings["checkpoint"] = os.fspath(settings["checkpoint"])
    names = getattr(vae, "feature_names_in_", None)
    header = {
        "kind": "VAE",
        "settings": {
            name: serialise.describe(value, tensors, f"settings.{name}")
            for name, value in settings.items()
        },
        "model": serialise.describe(vae.model_, tensors, "model"),
        "state": {
            name: serialise.describe(getattr(vae, name), tensors, name)
            for name in (*_STATE, *_ARRAYS)
        },
        "outcome": vae.outcome_.value,
        "feature_names": None if names is None else [str(name) for name in names],
    }
    serialise.write(path, tensors, header)


def load(path: str | os.PathLike, **makers: Any) -> Any:
    """Load a fitted estimator; nothing in the file is executed.

    Parameters
    ----------
    path : a file written by ``VAE.save``
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
    tensors, header = serialise.read(path)
    if header.get("kind") != "VAE":
        raise DamagedFileError(
            f"{path} holds a {header.get('kind')}, not a model. Pass the file that save() wrote; "
            "a checkpoint is resumed by fitting with the same `checkpoint`."
        )
    return _restored(header, tensors, makers)


def _restored(header: dict, tensors: dict, makers: dict) -> Any:
    from ._vae import VAE  # the estimator imports this file

    settings = {
        name: makers[name] if name in makers else serialise.rebuild(spec, tensors, {})
        for name, spec in header["settings"].items()
        if name in makers or not _is_foreign(spec)
    }
    vae: Any = VAE(**settings)
    state = {name: serialise.rebuild(s, tensors, {}) for name, s in header["state"].items()}
    foreign = _skeletons(header, state, settings, makers)
    vae.model_ = serialise.rebuild(header["model"], tensors, foreign)
    vae.outcome_ = Outcome(header["outcome"])
    for name in _STATE:
        setattr(vae, name, state[name])
    variance = np.asarray(state["noise_variance_"])
    vae.noise_variance_ = float(variance) if variance.ndim == 0 else variance
    vae.history_ = {name: np.asarray(column) for name, column in state["history_"].items()}
    if header["feature_names"] is not None:
        vae.feature_names_in_ = np.array(header["feature_names"], dtype=object)
    return vae


def _is_foreign(spec: Any) -> bool:
    return isinstance(spec, dict) and "foreign" in spec


def _skeletons(header: dict, state: dict, settings: dict, makers: dict) -> dict[str, Any]:
    """Networks of the right shapes, by the names under which the file has their leaves."""
    d, k = state["n_features_in_"], settings["n_components"]
    n_raw = header["model"]["fields"]["noise"]["fields"]["n_raw"]
    shapes = {"encoder": (d, 2 * k), "decoder": (k, n_raw * d)}
    return {
        f"model.{role}": nn.make_checked(maker, *shapes[role], key=jax.random.key(0))
        for role, maker in makers.items()
        if role in shapes and not isinstance(maker, str)
    }
