"""Saving a fitted imputer to one file, and rebuilding it."""

import functools
from typing import Any

import numpy as np
from sklearn.impute import MissingIndicator

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

_COMMON = ("n_features_in_", "_seed", "_kept")


def save_imputer(imputer: Any, path: FilePath, *, overwrite: bool) -> None:
    """Write a fitted imputer to ``path``; it is rebuilt in memory first.

    No row of the data is written.

    Parameters
    ----------
    imputer : fitted
    path : file to write
    overwrite : whether to replace a file that is there

    Raises
    ------
    OutputError
        If the file cannot be written.
    SettingError
        If :func:`wellposed.load` could not rebuild the imputer, with the name of the part.
    """
    path = serialise.check_writable(path, overwrite=overwrite)
    tensors: Tensors = {}
    header = _header(imputer, tensors)
    makers, supplied = _parts_of(imputer)
    again = functools.partial(restore_imputer, type(imputer), header, tensors, makers, supplied)
    write(path, tensors, header, again, what="An imputer")


def _header(imputer: Any, tensors: Tensors) -> Header:
    settings = settings_of(imputer)
    vae = settings.pop("vae", None)
    indicator = imputer.indicator_
    marked = None if indicator is None else np.asarray(indicator.features_, np.int64)
    return {
        "kind": type(imputer).__name__,
        "settings": describe_settings(settings, tensors, "settings"),
        "vae": None if vae is None else describe_settings(settings_of(vae), tensors, "vae"),
        "state": describe_state(imputer, _names_of(type(imputer)), tensors),
        "indicator": serialise.describe(marked, tensors, "indicator"),
        "feature_names": describe_names(imputer),
        "vaes": [
            describe_part(each, tensors, _prefix(i))
            for i, each in enumerate(getattr(imputer, "vaes_", ()))
        ],
    }


def _names_of(kind: Any) -> tuple[str, ...]:
    return (*_COMMON, *kind._file_state)


def _prefix(i: int) -> str:
    return f"vaes.{i}:"


def _parts_of(imputer: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The user's own networks by role, and classes, as they would be passed to ``load``."""
    fitted = getattr(imputer, "vaes_", [])
    if not fitted:
        return {}, {}
    settings = settings_of(fitted[0])
    makers = {
        role: settings[role] for role in serialise.NETWORKS if not isinstance(settings[role], str)
    }
    parts = [(list(settings_of(each).values()), each.model_) for each in fitted]
    given = [] if imputer.vae is None else list(settings_of(imputer.vae).values())
    classes = tuple(serialise.classes_in((parts, given)))
    return makers, dict.fromkeys(serialise.ROLES, classes)


def restore_imputer(
    kind: type,
    header: Header,
    tensors: Tensors,
    makers: dict[str, Any],
    supplied: dict[str, Any],
) -> Any:
    """Rebuild an imputer, and check it.

    Parameters
    ----------
    kind : class of the imputer
    header, tensors, makers, supplied : as of :func:`wellposed.estimators._file.restore`

    Raises
    ------
    DamagedFileError
        If no fit makes such an imputer.
    """
    parts = header["vaes"]
    prefixes = [_prefix(i) for i in range(len(parts))]
    own = {n: t for n, t in tensors.items() if not n.startswith(tuple(prefixes))}
    check_names(
        (header["settings"], header["vae"] or {}, header["state"], header["indicator"]), own
    )
    settings = rebuild_settings(header["settings"], own, {}, supplied)
    if header["vae"] is not None:
        settings["vae"] = unfitted(VAE, header["vae"], own, makers, supplied)
    imputer: Any = kind(**settings)
    rebuild_state(imputer, header["state"], _names_of(kind), own, supplied)
    _check_common(imputer)
    imputer.indicator_ = _indicator(serialise.rebuild(header["indicator"], own, supplied), imputer)
    rebuild_names(imputer, header["feature_names"])
    imputer._restore(
        [
            restore(VAE, part, tensors_of_part(tensors, prefix), makers, supplied)
            for part, prefix in zip(parts, prefixes, strict=True)
        ]
    )
    return imputer


def _indicator(marked: Any, imputer: Any) -> MissingIndicator | None:
    """Return the indicator of some columns, fitted to a row with gaps in these."""
    if marked is None:
        demand(not imputer.add_indicator, "indicator_")
        return None
    d = imputer.n_features_in_
    sound = isinstance(marked, np.ndarray) and marked.dtype == np.int64 and marked.ndim == 1
    demand(sound and bool((np.diff(marked) > 0).all()), "indicator_")
    demand(bool(((marked >= 0) & (marked < d)).all()), "indicator_")
    row = np.zeros((1, d))
    row[0, marked] = np.nan
    return MissingIndicator(error_on_new=False).fit(row)


def _check_common(imputer: Any) -> None:
    settings = settings_of(imputer)
    checks.check_settings(settings, imputer._constraints)
    seeds = checks.optional(checks.whole(0, 2**32 - 1))
    checks.check("random_state", settings["random_state"], seeds)
    d, kept = imputer.n_features_in_, imputer._kept
    demand(type(d) is int and d >= 1, "n_features_in_")
    demand(type(imputer._seed) is int and 0 <= imputer._seed < 2**31, "_seed")
    sound = isinstance(kept, np.ndarray) and kept.dtype == np.bool_ and kept.shape == (d,)
    demand(sound and bool(kept.any()), "_kept")
