"""Labels, levels and single values as JSON, each of them back as it was."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from wellposed._errors import DataError


def packed(value: Any, where: str) -> Any:
    """Return a value as JSON: text as itself, others with a letter for their type.

    Raises
    ------
    DataError
        For types that have no letter. ``where`` begins the message.
    """
    if isinstance(value, str):
        return str(value)
    if value is None:
        return None
    letter = _missing(value)
    if letter is not None:
        return [letter]
    if isinstance(value, (bool, np.bool_)):
        return ["b", int(value)]
    if isinstance(value, (int, np.integer)):
        return ["i", str(int(value))]
    if isinstance(value, float) or type(value) in (np.float32, np.float16):
        return ["f", float(value).hex()]
    raise DataError(
        f"{where} must be text, numbers, truth values or missing; got {str(value)[:60]!r}, a "
        f"{type(value).__name__}. Convert it with astype(str)."
    )


def unpacked(value: Any) -> Any:
    """Return the value that :func:`packed` wrote; a ValueError for other JSON."""
    if value is None or isinstance(value, str):
        return value
    letter, *rest = value
    if letter == "b":
        return bool(rest[0])
    if letter == "i":
        return int(rest[0])
    if letter == "f":
        return float.fromhex(rest[0])
    if letter == "nan":
        return float("nan")
    pandas: Any = sys.modules["pandas"]
    return {"NA": pandas.NA, "NaT": pandas.NaT}[letter]


def codes_of(cells: Iterable[Any], where: str) -> tuple[np.ndarray, list[Any]]:
    """Number the different values of a column in the order in which they appear.

    Returns
    -------
    int array of shape (n,), of as few bytes as the number of values needs; the values as JSON
    """
    levels: dict[str, int] = {}
    packed_levels: list[Any] = []
    known: dict[Any, int] = {}
    codes = []
    for cell in cells:
        # Equal values of different types, such as 1 and True, are apart.
        key = cell if isinstance(cell, str) else (type(cell), repr(cell))
        code = known.get(key)
        if code is None:
            value = packed(cell, where)
            code = levels.setdefault(json.dumps(value), len(levels))
            if code == len(packed_levels):
                packed_levels.append(value)
            known[key] = code
        codes.append(code)
    return narrow(codes, len(packed_levels)), packed_levels


def narrow(codes: Sequence[int] | np.ndarray, n_levels: int) -> np.ndarray:
    """Return codes, of which −1 is missing, in as few bytes as they need."""
    kind = next(k for k in ("<i1", "<i2", "<i4", "<i8") if n_levels - 1 <= np.iinfo(k).max)
    return np.asarray(codes, kind)


def _missing(value: Any) -> str | None:
    """Return the letter of a missing value that is not None."""
    name = type(value).__name__
    if name in ("NAType", "NaTType"):
        return name.removesuffix("Type")
    return "nan" if isinstance(value, (float, np.floating)) and value != value else None
