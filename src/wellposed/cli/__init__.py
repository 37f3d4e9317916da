"""The command line: thin commands over the library."""

from ._app import app

__all__ = ["app"]


def __dir__() -> list[str]:
    return sorted(__all__)
