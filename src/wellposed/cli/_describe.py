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
        return [*lines, ("not finite", f"{int((~finite).sum())} of {values.size} entries")]
    lines.append(("range", f"{values.min():.6g} to {values.max():.6g}"))
    constant = np.flatnonzero(values.min(axis=0) == values.max(axis=0))
    if constant.size < d:
        step = transforms.summarise(values).resolution
        low, high = step.min(), step.max()
        shown = f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g}"
        lines.append(("resolution", shown))
    if source.image_shape is None:
        lines += _suspect_lines(values, source.feature_names)
    named = f"{constant.size} ({named_features(constant)})" if constant.size else "none"
    return [*lines, ("constant features", named)]


def _suspect_lines(values: Any, names: Any) -> list[tuple[str, str]]:
    """One line for each suspect, as many as a screen shows."""
    found = transforms.suspects(values)
    lines = [
        ("suspect values", transforms.described(suspect, len(values), names))
        for suspect in found[:_SHOWN]
    ]
    if len(found) > _SHOWN:
        lines.append(("suspect values", f"and {len(found) - _SHOWN} more"))
    return lines
