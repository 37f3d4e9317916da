"""Layout of the bytes of a safetensors file: reproducible writing, and checked reading."""

import json
import math
from typing import Any

import numpy as np

from wellposed._errors import DamagedFileError, SettingError

_TYPES = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U64": np.uint64,
    "U32": np.uint32,
    "U16": np.uint16,
    "U8": np.uint8,
    "BOOL": np.bool_,
}
_NAMES = {np.dtype(kind): name for name, kind in _TYPES.items()}
_METADATA = "__metadata__"
_MOST_AXES = 32
_DEEPEST = 100  # depth of nested lists and objects; a model has about fifteen


def pack(tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> bytes:
    """Lay out tensors, the widest types first, so that each is aligned.

    Raises
    ------
    SettingError
        For an array of a type that the format does not support.
    """
    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    for name, array in arrays.items():
        if array.dtype not in _NAMES:
            raise SettingError(
                f"A file holds numbers of the types {', '.join(sorted(_TYPES))}; {name} is of "
                f"{array.dtype}. Convert it to float32."
            )
    order = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    entries: dict[str, Any] = {_METADATA: metadata}
    start = 0
    for name in order:
        array = arrays[name]
        stop = start + array.nbytes
        entries[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [start, stop],
        }
        start = stop
    head = json.dumps(entries, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    content = (arrays[name].astype(arrays[name].dtype.newbyteorder("<")) for name in order)
    return b"".join([len(head).to_bytes(8, "little"), head, *(a.tobytes() for a in content)])


def parse(text: bytes | str) -> Any:
    """Read JSON without duplicate keys, non-finite numbers or excessive nesting.

    Raises
    ------
    DamagedFileError
        For anything else.
    """
    try:
        found = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_finite,
            parse_float=_finite,
        )
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"Its header cannot be read ({type(error).__name__}).") from error
    level = [found]
    for _ in range(_DEEPEST):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return found
    raise DamagedFileError(f"Its header is nested more than {_DEEPEST} deep.")


def unpack(entries: dict[str, Any], content: bytes) -> dict[str, np.ndarray]:
    """Read the tensors that a header declares from the bytes after it.

    Raises
    ------
    DamagedFileError
        If they are of unknown types, or do not fill the bytes one after another.
    """
    tensors, end = {}, 0
    announced = {name: entry for name, entry in entries.items() if name != _METADATA}
    try:
        order = sorted(announced, key=lambda name: announced[name]["data_offsets"])
        for name in order:
            entry = announced[name]
            kind, shape = np.dtype(_TYPES[entry["dtype"]]), entry["shape"]
            start, stop = entry["data_offsets"]
            whole = all(type(n) is int and n >= 0 for n in (start, stop, *shape))
            if not whole or len(shape) > _MOST_AXES or start != end:
                raise ValueError(name)
            if stop - start != math.prod(shape) * kind.itemsize or stop > len(content):
                raise ValueError(name)
            flat = np.frombuffer(content, kind.newbyteorder("<"), math.prod(shape), start)
            if kind == np.bool_ and flat.view(np.uint8).max(initial=0) > 1:
                raise ValueError(name)
            tensors[name] = flat.astype(kind).reshape(shape)
            end = stop
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedFileError(
            f"Its header declares tensors that it does not hold ({error})."
        ) from error
    if end != len(content):
        raise DamagedFileError("It holds bytes that its header does not declare.")
    return tensors


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is given twice")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is not finite")
    return number


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
