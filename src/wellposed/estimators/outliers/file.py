"""Saving a fitted detector to one file, and rebuilding it."""

import functools
from typing import Any

import numpy as np

from wellposed import _checks as checks
from wellposed import serialise

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

_PREFIX = "vae_:"


def save_detector(detector: Any, path: FilePath, *, overwrite: bool) -> None:
    """Write a fitted detector to ``path``; it is rebuilt in memory first.

    Parameters
    ----------
    detector : fitted
    path : file to write
    overwrite : whether to replace a file that is there

    Raises
    ------
    OutputError
        If the file cannot be written.
    SettingError
        If :func:`wellposed.load` could not rebuild the detector, with the name of the part.
    """
    path = serialise.check_writable(path, overwrite=overwrite)
    tensors: Tensors = {}
    header = _header(detector, tensors)
    settings = settings_of(detector.vae_)
    makers = {
        role: settings[role] for role in serialise.NETWORKS if not isinstance(settings[role], str)
    }
    given = [] if detector.vae is None else list(settings_of(detector.vae).values())
    classes = serialise.classes_in((list(settings.values()), detector.vae_.model_, given))
    supplied = dict.fromkeys(serialise.ROLES, tuple(classes))
    again = functools.partial(restore_detector, type(detector), header, tensors, makers, supplied)
    write(path, tensors, header, again, what="A detector")


def _header(detector: Any, tensors: Tensors) -> Header:
    settings = settings_of(detector)
    vae = settings.pop("vae")
    return {
        "kind": type(detector).__name__,
        "settings": describe_settings(settings, tensors, "settings"),
        "vae": None if vae is None else describe_settings(settings_of(vae), tensors, "vae"),
        "fitted": describe_part(detector.vae_, tensors, _PREFIX),
        "state": describe_state(detector, detector._file_state, tensors),
        "feature_names": describe_names(detector),
    }


def restore_detector(
    kind: type,
    header: Header,
    tensors: Tensors,
    makers: dict[str, Any],
    supplied: dict[str, Any],
) -> Any:
    """Rebuild a detector, and check it.

    Parameters
    ----------
    kind : class of the detector
    header, tensors, makers, supplied : as of :func:`wellposed.estimators._file.restore`

    Raises
    ------
    DamagedFileError
        If no fit makes such a detector.
    """
    own = {n: t for n, t in tensors.items() if not n.startswith(_PREFIX)}
    check_names((header["settings"], header["vae"] or {}, header["state"]), own)
    settings = rebuild_settings(header["settings"], own, {}, supplied)
    if header["vae"] is not None:
        settings["vae"] = unfitted(VAE, header["vae"], own, makers, supplied)
    detector: Any = kind(**settings)
    checks.check_settings(settings_of(detector), detector._constraints)
    seeds = checks.optional(checks.whole(0, 2**32 - 1))
    checks.check("random_state", detector.random_state, seeds)
    inner = tensors_of_part(tensors, _PREFIX)
    detector.vae_ = restore(VAE, header["fitted"], inner, makers, supplied)
    rebuild_state(detector, header["state"], detector._file_state, own, supplied)
    _check_common(detector)
    rebuild_names(detector, header["feature_names"])
    detector._check_restored()
    return detector


def _check_common(detector: Any) -> None:
    d, held, known = detector.n_features_in_, detector.calibration_scores_, detector._constants
    demand(type(d) is int and d == detector.vae_.n_features_in_, "n_features_in_")
    demand(type(detector._seed) is int and 0 <= detector._seed < 2**31, "_seed")
    demand(is_vector(held) and len(held) > 0 and not np.isnan(held).any(), "calibration_scores_")
    demand(bool((np.diff(held) >= 0).all()), "calibration_scores_")
    demand(is_vector(known) and len(known) == d, "_constants")
    demand(type(detector.offset_) is float and detector.offset_ in held, "offset_")
    share = detector.contamination_
    demand(type(share) is float and 0 < share <= 0.5, "contamination_")


def is_vector(value: Any) -> bool:
    """Whether a value is an array of float64 with one axis."""
    return isinstance(value, np.ndarray) and value.dtype == np.float64 and value.ndim == 1
