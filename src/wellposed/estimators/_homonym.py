"""A setting and a method under one name.

``VAE(transform="logit")`` names the map to model units, and ``vae.transform(X)`` is
scikit-learn's verb. Both words are the right ones, and scikit-learn keeps settings as attributes
of the instance, which would hide the method. A data descriptor is looked up before the instance:
reading the attribute gives the method, writing it stores the setting.
"""

from collections.abc import Callable
from typing import Any, TypeVar

C = TypeVar("C", bound=type)


class Homonym:
    """Give the method when read, keep the setting when written."""

    def __init__(self, method: Callable, name: str):
        self._method = method
        self._name = name
        self.__doc__ = method.__doc__

    def __get__(self, instance: Any, owner: type | None = None) -> Callable:
        return self._method if instance is None else self._method.__get__(instance, owner)

    def __set__(self, instance: Any, value: Any) -> None:
        vars(instance)[self._name] = value


def setting_and_method(name: str) -> Callable[[C], C]:
    """Decorate a class so that ``name`` is a constructor's setting and a method.

    A decorator, because scikit-learn replaces ``transform`` by its own wrapper while the class
    is being made.
    """

    def decorate(cls: C) -> C:
        setattr(cls, name, Homonym(getattr(cls, name), name))
        return cls

    return decorate
