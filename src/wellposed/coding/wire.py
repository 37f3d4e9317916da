"""Integer models as bytes: a header in JSON, then the arrays."""

import json
import struct
from typing import Any

import numpy as np

from wellposed._errors import DamagedFileError

_MAGIC = b"WPIM\x01"
_KINDS = ("i1", "<i2", "<i4", "<i8")
_MOST_DEPTH = 20


def pack(state: dict[str, Any]) -> bytes:
    """Return a tree of dicts, lists, strings, whole numbers and integer arrays as bytes.

    Each array has the smallest type of integers that holds it. Equal trees give equal bytes.

    Examples
    --------
    >>> unpack(pack({"a": np.array([1, -300]), "b": [2, None]}))
    {'a': array([   1, -300]), 'b': [2, None]}
    """
    arrays: list[bytes] = []
    header = json.dumps(_described(state, arrays), sort_keys=True, separators=(",", ":")).encode()
    return b"".join([_MAGIC, struct.pack("<I", len(header)), header, *arrays])


def unpack(data: bytes) -> dict[str, Any]:
    """Undo :func:`pack`.

    Raises
    ------
    DamagedFileError
        For bytes that are no integer model.
    """
    start = len(_MAGIC) + 4
    if data[: len(_MAGIC)] != _MAGIC or len(data) < start:
        raise DamagedFileError(_damaged("they begin with other bytes"))
    end = start + struct.unpack("<I", data[len(_MAGIC) : start])[0]
    try:
        header = json.loads(data[start:end])
        state, used = _restored(header, data, end, 0)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedFileError(_damaged(str(error))) from error
    if used != len(data) or not isinstance(state, dict):
        raise DamagedFileError(_damaged("their length differs from the header's"))
    return state


def _described(value: Any, arrays: list[bytes]) -> Any:
    if isinstance(value, dict):
        # In the order of their names, which is that of the header too.
        return {name: _described(value[name], arrays) for name in sorted(value)}
    if isinstance(value, list | tuple):
        return [_described(each, arrays) for each in value]
    if not isinstance(value, np.ndarray):
        return value
    kind = next(kind for kind in _KINDS if _holds(kind, value))
    arrays.append(np.ascontiguousarray(value).astype(kind).tobytes())
    return {"": [kind, *value.shape]}


def _holds(kind: str, value: np.ndarray) -> bool:
    limits = np.iinfo(kind)
    return not value.size or bool(value.min() >= limits.min and value.max() <= limits.max)


def _restored(value: Any, data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """Return a described value and the end of its arrays in ``data``."""
    if depth > _MOST_DEPTH:
        raise ValueError("the header is too deep")
    if isinstance(value, dict) and "" in value:
        kind, *shape = value[""]
        if kind not in _KINDS or any(type(n) is not int or n < 0 for n in shape):
            raise ValueError(f"an array is described as {value['']}")
        count = int(np.prod(shape, dtype=object))
        end = at + count * np.dtype(kind).itemsize
        if end > len(data):
            raise ValueError("arrays are missing")
        array = np.frombuffer(data, kind, count, at).astype(np.int64)
        return array.reshape(shape), end
    if isinstance(value, dict):
        out: Any = {}
        for name in sorted(value):
            out[name], at = _restored(value[name], data, at, depth + 1)
        return out, at
    if isinstance(value, list):
        out = []
        for each in value:
            restored, at = _restored(each, data, at, depth + 1)
            out.append(restored)
        return out, at
    return value, at


def _damaged(why: str) -> str:
    return (
        f"An integer model must be bytes as to_bytes() writes them; {why}. Take the file from its "
        "source again."
    )
