"""Saving a fitted imputer to one file, and rebuilding it."""

from typing import Any

import numpy as np
from sklearn.impute import MissingIndicator

from wellposed import _checks as checks
from wellposed import serialise
from wellposed._errors import DamagedFileError, SettingError

from .._file import (
    Header,
    Tensors,
    check_names,
    describe_fitted,
    describe_settings,
    rebuild_settings,
    restore,
)
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
    try:
        restore_imputer(type(imputer), header, tensors, makers, supplied)
    except DamagedFileError as error:
        raise SettingError(
            f"An imputer is saved only if it can be loaded; {error} Change that part, or rescale "
            "the data, and fit again."
        ) from error
    serialise.write(path, tensors, header)


def _header(imputer: Any, tensors: Tensors) -> Header:
    settings = settings_of(imputer)
    vae = settings.pop("vae", None)
    indicator, names = imputer.indicator_, getattr(imputer, "feature_names_in_", None)
    state = {name: getattr(imputer, name) for name in _names_of(type(imputer))}
    marked = None if indicator is None else np.asarray(indicator.features_, np.int64)
    return {
        "kind": type(imputer).__name__,
        "settings": describe_settings(settings, tensors, "settings"),
        "vae": None if vae is None else describe_settings(settings_of(vae), tensors, "vae"),
        "state": {name: serialise.describe(value, tensors, name) for name, value in state.items()},
        "indicator": serialise.describe(marked, tensors, "indicator"),
        "feature_names": None if names is None else [str(name) for name in names],
        "vaes": [_part(each, tensors, i) for i, each in enumerate(getattr(imputer, "vaes_", ()))],
    }


def _names_of(kind: Any) -> tuple[str, ...]:
    return (*_COMMON, *kind._file_state)


def _part(vae: VAE, tensors: Tensors, i: int) -> Header:
    """Header of a VAE of several, whose arrays have names of their own."""
    own: Tensors = {}
    header = describe_fitted(vae, own)
    tensors.update({f"{_prefix(i)}{name}": array for name, array in own.items()})
    return header


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
        described = rebuild_settings(header["vae"], own, makers, supplied)
        settings["vae"] = VAE(**{**VAE._setting_defaults, **described})
    imputer: Any = kind(**settings)
    state = header["state"]
    demand(set(state) == set(_names_of(kind)), "the state")
    for name, spec in state.items():
        setattr(imputer, name, serialise.rebuild(spec, own, supplied))
    _check_common(imputer)
    imputer.indicator_ = _indicator(serialise.rebuild(header["indicator"], own, supplied), imputer)
    names = header["feature_names"]
    if names is not None:
        known = len(names) == imputer.n_features_in_ and all(isinstance(n, str) for n in names)
        demand(known, "feature_names")
        imputer.feature_names_in_ = np.array(names, dtype=object)
    imputer._restore(
        [
            restore(VAE, part, _without(prefix, tensors), makers, supplied)
            for part, prefix in zip(parts, prefixes, strict=True)
        ]
    )
    return imputer


def _without(prefix: str, tensors: Tensors) -> Tensors:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


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


def demand(holds: bool, what: str) -> None:
    """Raise ``DamagedFileError`` unless a part of a file is what fitting makes."""
    if not holds:
        raise DamagedFileError(f"{what} is not what fitting makes.")
