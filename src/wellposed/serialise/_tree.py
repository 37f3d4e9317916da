"""Conversion of trees of the library's classes to JSON and tensors, and back."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from wellposed._errors import DamagedFileError, SettingError
from wellposed._version import __version__

from ._own import NeedsMakerError, check_own, own_class, role_of
from ._registry import CLASSES, WIRE_NAMES
from ._rules import fault

# Parts of a model that a file stores as arrays alone, and their settings.
NETWORKS = ("encoder", "decoder")
_PLAIN = (bool, int, str, tuple, list, dict, np.ndarray)


def leaves_by_name(tree: Any) -> Iterator[tuple[str, Any]]:
    """Yield the array leaves of a pytree with a name made of their path."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        yield jax.tree_util.keystr(path, simple=True, separator="."), leaf


def fill(
    skeleton: Any, tensors: dict[str, np.ndarray], prefix: str = "", *, exactly: bool = False
) -> Any:
    """Replace the leaves of a skeleton by the stored tensors of the same names.

    With ``exactly`` their types must be the same, and there must be no further tensors.

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
            raise DamagedFileError(f"The file must hold numbers; some in {name} are NaN.")
        return jnp.asarray(found, kind)

    tree = jax.tree_util.tree_map_with_path(pick, skeleton)
    beyond = sorted(tensors.keys() - wanted)
    if exactly and beyond:
        raise DamagedFileError(f"The file holds {beyond[0]}, which is no part of it.")
    return tree


def describe(
    value: object, tensors: dict[str, np.ndarray], name: str, role: str | None = None
) -> Any:
    """Turn a value into JSON, its arrays into entries of ``tensors`` under ``name``.

    An object of the user's own class is described by its fields, like one of the library; loading
    it needs the class. A network of the user's own is described by its arrays alone; loading it
    needs the maker that built it.

    Parameters
    ----------
    value : a number, text, array, an object of a registered class, a noise, a transform or an
        objective of the user's own, or a tuple, list or dict of those
    tensors : receives the arrays
    name : of the value, as "settings.noise"
    role : argument of ``wp.load`` that takes the class of an object which has none of its own

    Raises
    ------
    SettingError
        For a value that :func:`rebuild` cannot rebuild, with its name.
    """
    if role is not None and isinstance(value, _PLAIN) and type(value) not in _PLAIN:
        raise _no_place(name, value)  # it would be loaded as its base class
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else {"float": repr(float(value))}
    if isinstance(value, (np.integer, np.bool_)):
        return value.item()
    if isinstance(value, (np.ndarray, jax.Array)):
        return _describe_array(value, tensors, name)
    if isinstance(value, (tuple, list)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [describe(v, tensors, f"{name}.{i}", role) for i, v in enumerate(value)]}
    if isinstance(value, dict) and all(isinstance(k, str) for k in value):
        return {"dict": {k: describe(v, tensors, f"{name}.{k}", role) for k, v in value.items()}}
    if isinstance(value, dict):  # JSON would turn the keys into text
        pairs = [describe(pair, tensors, f"{name}.{pair[0]}", role) for pair in value.items()]
        return {"pairs": pairs}
    if type(value) in WIRE_NAMES:
        fields = _describe_fields(value, tensors, name, role)
        return {"class": WIRE_NAMES[type(value)], "fields": fields}
    if name.split(".")[1:2] in ([each] for each in NETWORKS) and role_of(value) is None:
        for leaf_name, leaf in leaves_by_name(value):
            if eqx.is_array(leaf):
                tensors[f"{name}.{leaf_name}"] = np.asarray(leaf)
        return {"foreign": type(value).__qualname__, "name": name}
    role = role_of(value) or role
    if role is None or not dataclasses.is_dataclass(value) or isinstance(value, type):
        raise _no_place(name, value)
    check_own(value, name)
    fields = _describe_fields(value, tensors, name, role)
    return {"own": type(value).__name__, "role": role, "name": name, "fields": fields}


def _describe_array(value: Any, tensors: dict[str, np.ndarray], name: str) -> dict[str, str]:
    while name in tensors:  # names with dots can be equal
        name += "_"
    if jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        raise SettingError(
            f"A file holds arrays of numbers; {name} is a key of jax.random. Store the seed."
        )
    tensors[name] = np.asarray(value)
    return {"array" if isinstance(value, np.ndarray) else "tensor": name}


def _describe_fields(value: Any, tensors: dict, name: str, role: str | None) -> dict[str, Any]:
    return {
        field.name: describe(getattr(value, field.name), tensors, f"{name}.{field.name}", role)
        for field in dataclasses.fields(value)
    }


def _no_place(name: str, value: object) -> SettingError:
    kind = f"an object of the class {type(value).__qualname__}"
    if callable(value) and hasattr(value, "__qualname__"):
        kind = f"the {'class' if isinstance(value, type) else 'function'} {value.__qualname__}"
    return SettingError(
        "A file holds numbers, text, arrays, tuples, lists, dicts, and dataclasses of those; "
        f"{name} is {kind}. Store what it is made of in its place, such as the name of a function."
    )


def rebuild(spec: Any, tensors: dict[str, np.ndarray], supplied: Mapping[str, Any]) -> Any:
    """Undo :func:`describe`.

    Parameters
    ----------
    spec : what :func:`describe` returned
    tensors : its arrays
    supplied : skeletons of the user's own networks, by their names in the file, and tuples of
        the user's own classes, by "noise", "transform" and "objective"

    Raises
    ------
    NeedsMakerError
        If the file needs a network or a class that was not supplied.
    DamagedFileError
        If it names an unknown class, field or tensor.
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
            return tuple(rebuild(item, tensors, supplied) for item in items)
        case {"list": list(items)}:
            return [rebuild(item, tensors, supplied) for item in items]
        case {"dict": dict(items)}:
            return {k: rebuild(v, tensors, supplied) for k, v in items.items()}
        case {"pairs": list(items)}:
            return _of_pairs([rebuild(item, tensors, supplied) for item in items])
        case {"class": str(name), "fields": dict(fields)} if name in CLASSES:
            instance = _instance(CLASSES[name], fields, tensors, supplied)
            wrong = fault(name, instance)
            if wrong:
                raise DamagedFileError(wrong)
            return instance
        case {"own": str(kind), "role": str(role), "name": str(name), "fields": dict(fields)}:
            cls = own_class(kind, role, supplied.get(role, ()), name)
            instance = _instance(cls, fields, tensors, supplied)
            check_own(instance, name)
            return instance
        case {"foreign": kind, "name": str(name)}:
            if name not in supplied:
                raise NeedsMakerError(
                    f"The file's {name} is a network of your own ({kind}), which no file can "
                    f"rebuild. Pass the maker it was built with: wp.load(path, "
                    f"{name.rsplit('.', 1)[-1]}=make)."
                )
            return fill(supplied[name], tensors, prefix=f"{name}.")
    raise DamagedFileError(
        f"The file holds {str(spec)[:80]}, which is unknown to this library ({__version__}). "
        "Open it with the version that wrote it."
    )


def _of_pairs(pairs: list[Any]) -> dict[Any, Any]:
    keys = [pair[0] for pair in pairs if isinstance(pair, tuple) and len(pair) == 2]
    if len(keys) < len(pairs) or any(type(key) not in (int, str, float, bool) for key in keys):
        raise DamagedFileError("The file holds a mapping whose keys are no numbers and no text.")
    return dict(pairs)


def _instance(cls: type, spec: dict, tensors: dict, supplied: Mapping[str, Any]) -> Any:
    fields: Any = {field.name: field for field in dataclasses.fields(cls)}
    absent = {n: f.default for n, f in fields.items() if n not in spec}
    if not spec.keys() <= fields.keys() or dataclasses.MISSING in absent.values():
        remedy = "Open it with the version that wrote it."
        if cls not in WIRE_NAMES:
            remedy = "Pass the class as it was when the model was saved."
        raise DamagedFileError(
            f"{cls.__name__} has the fields {sorted(fields)}; the file has {sorted(spec)}. {remedy}"
        )
    # Without __init__, as Equinox unflattens, since the stored fields are its result. A field that
    # a later version added has its default.
    instance = object.__new__(cls)
    for name in fields:
        value = absent[name] if name in absent else rebuild(spec[name], tensors, supplied)
        object.__setattr__(instance, name, value)
    return instance
