"""A setting and a method with the same name.

``VAE(transform="logit")`` names the map to model units, and ``vae.transform(X)`` is scikit-learn's
method. scikit-learn stores settings as attributes of the instance, which would hide the method. A
data descriptor has precedence over the instance: reading the attribute gives the method, writing it
stores the setting.
"""

from collections.abc import Callable
from typing import Any, TypeVar

C = TypeVar("C", bound=type)


class Homonym:
    """Descriptor that returns the method when read, and stores the setting when written."""

    def __init__(self, method: Callable, name: str):
        self._method = method
        self._name = name
        self.__doc__ = method.__doc__

    def __get__(self, instance: Any, owner: type | None = None) -> Callable:
        return self._method if instance is None else self._method.__get__(instance, owner)

    def __set__(self, instance: Any, value: Any) -> None:
        vars(instance)[self._name] = value


def setting_and_method(name: str) -> Callable[[C], C]:
    """Decorate a class so that ``name`` is both a setting of the constructor and a method.

    A decorator runs after scikit-learn has replaced ``transform`` by its own wrapper.
    """

    def decorate(cls: C) -> C:
        setattr(cls, name, Homonym(getattr(cls, name), name))
        return cls

    return decorate
