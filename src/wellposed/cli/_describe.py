"""A table of numbers in a few lines."""

from typing import Any

import numpy as np

from wellposed import transforms
from wellposed._errors import named_features

_SHOWN = 8  # suspects


def description(source: Any) -> list[tuple[str, str]]:
    """Name and value of what is worth knowing of data before fitting."""
    values = source.values
    n, d = values.shape
    lines = [("shape", f"{n} rows of {d} features"), ("type", str(values.dtype))]
    if source.image_shape is not None:
        lines.append(("image shape", "x".join(map(str, source.image_shape))))
    finite = np.isfinite(values)
    if not finite.all():
        columns = named_features(np.flatnonzero(~finite.all(axis=0)), names=source.feature_names)
        gaps = f"{int((~finite).sum())} of {values.size} entries, in columns {columns}"
        lines.append(("not finite", gaps))
        return lines + _suspect_lines(source, _filled(values, finite))
    lines.append(("range", f"{values.min():.6g} to {values.max():.6g}"))
    constant = np.flatnonzero(values.min(axis=0) == values.max(axis=0))
    if constant.size < d:
        one_unit = True if source.image_shape is not None else None
        summary = transforms.summarise(values, one_unit=one_unit)
        step = summary.resolution
        low, high = step.min(), step.max()
        shown = f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g}"
        lines.append(("resolution", shown))
        scale = "one for all features" if summary.one_unit else "one a feature"
        lines.append(("scale", scale))
    lines += _suspect_lines(source, values)
    return [*lines, ("constant features", _named(constant, source.feature_names))]


def _named(constant: np.ndarray, names: Any) -> str:
    if not constant.size:
        return "none"
    return f"{constant.size} ({named_features(constant, names=names)})"


def _suspect_lines(source: Any, values: np.ndarray) -> list[tuple[str, str]]:
    """One line for each suspect, as many as a screen shows; images have none."""
    if source.image_shape is not None:
        return []
    found = transforms.suspects(values)
    lines = [
        (
            "suspect values",
            transforms.described(suspect, len(values), source.feature_names, source.lines),
        )
        for suspect in found[:_SHOWN]
    ]
    if len(found) > _SHOWN:
        lines.append(("suspect values", f"and {len(found) - _SHOWN} more"))
    return lines


def _filled(values: np.ndarray, finite: np.ndarray) -> np.ndarray:
    """Gaps replaced by a value of their column that is not suspect: the median of the others."""
    middle = [
        np.median(v[ok]) if ok.any() else 0.0 for v, ok in zip(values.T, finite.T, strict=True)
    ]
    return np.where(finite, values, middle)
