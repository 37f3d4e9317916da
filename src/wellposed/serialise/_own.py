"""Classes of the user's own: a file stores their fields, and the caller passes the class."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np

from wellposed._errors import SettingError
from wellposed.noise import AbstractNoise
from wellposed.objectives import AbstractObjective
from wellposed.transforms import AbstractTransform

from ._registry import WIRE_NAMES

# The arguments of ``wp.load`` that take classes.
ROLES: dict[str, type] = {
    "noise": AbstractNoise,
    "objective": AbstractObjective,
    "transform": AbstractTransform,
}


class NeedsMakerError(SettingError):
    """A user-defined part lacks its class or its maker, or the one passed does not fit."""


def role_of(value: object) -> str | None:
    """Return the argument of ``wp.load`` that takes the class of a value, or None."""
    return next((role for role, base in ROLES.items() if isinstance(value, base)), None)


def own_classes(role: str, given: object) -> tuple[type, ...]:
    """Return the user's own classes in the value of an argument.

    Parameters
    ----------
    role : name of the argument
    given : a class, an object, a function of no arguments that makes an object, or a tuple or
        list of those. An object stands for its own class and the classes of its fields.

    Raises
    ------
    NeedsMakerError
        For anything else.
    """
    if isinstance(given, (tuple, list)):
        return tuple(cls for each in given for cls in own_classes(role, each))
    if isinstance(given, type):
        return (given,)
    if dataclasses.is_dataclass(given):
        return tuple(classes_in(given))
    made = given() if isinstance(given, Callable) else given
    if not dataclasses.is_dataclass(made) or isinstance(made, type):
        raise NeedsMakerError(
            f"{role} must be a class, a function without arguments that makes an object of it, or "
            f"a tuple of those; got {given!r}. Pass the class: wp.load(path, {role}=Mine)."
        )
    return tuple(classes_in(made))


def own_class(name: str, role: str, supplied: Iterable[type], place: str) -> type:
    """Return the class of a given name among those that the caller passed.

    Raises
    ------
    NeedsMakerError
        If there is none, naming the argument.
    """
    named = {cls for cls in supplied if cls.__name__ == name and dataclasses.is_dataclass(cls)}
    if len(named) == 1:
        return named.pop()
    if named:
        raise NeedsMakerError(
            f"Classes of your own are found by their names; two are called {name}. Rename one."
        )
    others = [cls.__name__ for cls in supplied]
    argument = f"({', '.join([*others, name])})" if others else name
    got = f"; got {', '.join(others)}" if others else ""
    raise NeedsMakerError(
        f"The file's {place} is an object of your own class {name}, and no file holds a class"
        f"{got}. Pass it: wp.load(path, {role}={argument})."
    )


def check_own(value: Any, place: str) -> None:
    """Refuse an object of a user-defined class that its fields do not describe, or non-numbers.

    Raises
    ------
    SettingError
        Naming the class and the field.
    """
    cls = type(value).__name__
    names = {field.name for field in dataclasses.fields(value)}
    beyond = sorted(getattr(value, "__dict__", {}).keys() - names)
    if beyond:
        raise SettingError(
            f"A file holds the fields of a dataclass; {place} is a {cls} with the attribute "
            f"{beyond[0]}, which is no field. Declare it: `{beyond[0]}: float`."
        )
    for name in names:
        field = getattr(value, name)
        if _has_nan(field):
            raise SettingError(
                f"{name} of {cls} must hold numbers; some are NaN. Change them, and fit again."
            )


def _has_nan(field: object) -> bool:
    if isinstance(field, float):
        return field != field
    floating = isinstance(field, (np.ndarray, jax.Array)) and jax.numpy.issubdtype(
        field.dtype, np.floating
    )
    return floating and bool(np.isnan(np.asarray(field)).any())


def classes_in(value: object) -> Iterator[type]:
    """Yield the user's own dataclasses in a value and in its parts."""
    if isinstance(value, (tuple, list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from classes_in(inner)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        if type(value) not in WIRE_NAMES:
            yield type(value)
        for field in dataclasses.fields(value):
            yield from classes_in(getattr(value, field.name, None))
