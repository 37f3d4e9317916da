"""Trees of our own classes as JSON and tensors, and back."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from wellposed._errors import DamagedFileError, SettingError
from wellposed._version import __version__

from ._registry import CLASSES, WIRE_NAMES
from ._rules import fault


class NeedsMakerError(SettingError):
    """A network that no file can rebuild lacks its maker, or the maker does not fit."""


def leaves_by_name(tree: Any) -> Iterator[tuple[str, Any]]:
    """Yield the array leaves of a pytree with a name made of their path."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        yield jax.tree_util.keystr(path, simple=True, separator="."), leaf


def fill(
    skeleton: Any, tensors: dict[str, np.ndarray], prefix: str = "", *, exactly: bool = False
) -> Any:
    """Put stored tensors into the places of a skeleton's leaves, by name.

    ``exactly`` wants their types to be the same, and no tensors beyond them.

    Raises
    ------
    DamagedFileError
        If a leaf is missing, of another shape, or of no type that becomes the skeleton's.
    """
    wanted = set()

    def pick(path: Any, leaf: Any) -> Any:
        if not eqx.is_array(leaf):
            return leaf
        name = prefix + jax.tree_util.keystr(path, simple=True, separator=".")
        wanted.add(name)
        found = tensors.get(name)
        if found is None or found.shape != jnp.shape(leaf):
            has = "nothing" if found is None else f"shape {found.shape}"
            raise DamagedFileError(
                f"The file must hold {name} of shape {jnp.shape(leaf)}; it holds {has}. "
                "Give the same networks as when it was saved."
            )
        kind = np.dtype(jnp.result_type(leaf))
        if found.dtype != kind and (exactly or found.dtype.kind != kind.kind):
            raise DamagedFileError(
                f"The file must hold {name} of type {kind}; it is of type {found.dtype}."
            )
        if kind.kind == "f" and np.isnan(found).any():
            raise DamagedFileError(f"The file must hold numbers; in {name} some are none (NaN).")
        return jnp.asarray(found, kind)

    tree = jax.tree_util.tree_map_with_path(pick, skeleton)
    beyond = sorted(tensors.keys() - wanted)
    if exactly and beyond:
        raise DamagedFileError(f"The file holds {beyond[0]}, which has no place.")
    return tree


def describe(value: Any, tensors: dict[str, np.ndarray], name: str) -> Any:
    """Turn a value into JSON, its arrays into entries of ``tensors`` under ``name``.

    A network of a class that is not ours is described by its leaves alone: loading it needs the
    maker that built it.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else {"float": repr(float(value))}
    if isinstance(value, (np.integer, np.bool_)):
        return value.item()
    if isinstance(value, (np.ndarray, jax.Array)):
        while name in tensors:  # names with dots in them can meet
            name += "_"
        tensors[name] = np.asarray(value)
        return {"array" if isinstance(value, np.ndarray) else "tensor": name}
    if isinstance(value, (tuple, list)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [describe(v, tensors, f"{name}.{i}") for i, v in enumerate(value)]}
    if isinstance(value, dict) and all(isinstance(k, str) for k in value):
        return {"dict": {k: describe(v, tensors, f"{name}.{k}") for k, v in value.items()}}
    if isinstance(value, dict):  # JSON would make text of the keys
        return {"pairs": [describe(pair, tensors, f"{name}.{pair[0]}") for pair in value.items()]}
    if type(value) in WIRE_NAMES:
        fields = {
            field.name: describe(getattr(value, field.name), tensors, f"{name}.{field.name}")
            for field in dataclasses.fields(value)
        }
        return {"class": WIRE_NAMES[type(value)], "fields": fields}
    for leaf_name, leaf in leaves_by_name(value):
        if eqx.is_array(leaf):
            tensors[f"{name}.{leaf_name}"] = np.asarray(leaf)
    return {"foreign": type(value).__qualname__, "name": name}


def rebuild(spec: Any, tensors: dict[str, np.ndarray], foreign: dict[str, Any]) -> Any:
    """Undo :func:`describe`; ``foreign`` holds, by name, skeletons of the user's own networks.

    Raises
    ------
    NeedsMakerError
        If the file needs a network that was not given.
    DamagedFileError
        If it names a class, a field or a tensor that is not ours.
    """
    if not isinstance(spec, (dict, list)):
        return spec
    match spec:
        case {"float": "inf" | "-inf" | "nan" as text}:
            return float(text)
        case {"tensor": str(name)} if name in tensors:
            return jnp.asarray(tensors[name])
        case {"array": str(name)} if name in tensors:
            return tensors[name]
        case {"tuple": list(items)}:
            return tuple(rebuild(item, tensors, foreign) for item in items)
        case {"list": list(items)}:
            return [rebuild(item, tensors, foreign) for item in items]
        case {"dict": dict(items)}:
            return {k: rebuild(v, tensors, foreign) for k, v in items.items()}
        case {"pairs": list(items)}:
            return _of_pairs([rebuild(item, tensors, foreign) for item in items])
        case {"class": str(name), "fields": dict(fields)} if name in CLASSES:
            return _instance(CLASSES[name], fields, tensors, foreign)
        case {"foreign": kind, "name": str(name)}:
            if name not in foreign:
                raise NeedsMakerError(
                    f"The file's {name} is a network of your own ({kind}), which no file can "
                    f"rebuild. Pass the maker it was built with: wp.load(path, "
                    f"{name.rsplit('.', 1)[-1]}=make)."
                )
            return fill(foreign[name], tensors, prefix=f"{name}.")
    raise DamagedFileError(
        f"The file holds {str(spec)[:80]}, which this library ({__version__}) does not know. "
        "Open it with the version that wrote it."
    )


def _of_pairs(pairs: list[Any]) -> dict[Any, Any]:
    keys = [pair[0] for pair in pairs if isinstance(pair, tuple) and len(pair) == 2]
    if len(keys) < len(pairs) or any(type(key) not in (int, str, float, bool) for key in keys):
        raise DamagedFileError("The file holds a mapping whose keys are no numbers and no text.")
    return dict(pairs)


def _instance(cls: type, spec: dict, tensors: dict, foreign: dict) -> Any:
    fields: Any = {field.name: field for field in dataclasses.fields(cls)}
    absent = {n: f.default for n, f in fields.items() if n not in spec}
    if not spec.keys() <= fields.keys() or dataclasses.MISSING in absent.values():
        raise DamagedFileError(
            f"{cls.__name__} has the fields {sorted(fields)}; the file has {sorted(spec)}. "
            "Open it with the version that wrote it."
        )
    # As Equinox itself unflattens: no __init__, since the stored fields are its result. A field
    # that came later has its default.
    instance = object.__new__(cls)
    for name in fields:
        value = absent[name] if name in absent else rebuild(spec[name], tensors, foreign)
        object.__setattr__(instance, name, value)
    wrong = fault(WIRE_NAMES[cls], instance)
    if wrong:
        raise DamagedFileError(f"The file was not written by this library: {wrong}")
    return instance
