"""Explore a fitted model by hand: a page served to this machine until it is interrupted."""

from ._scene import MOST_ROWS, Scene, check_model, make_scene
from ._serve import check_installed, serve

__all__ = [
    "MOST_ROWS",
    "Scene",
    "check_installed",
    "check_model",
    "make_scene",
    "serve",
]


def __dir__() -> list[str]:
    return sorted(__all__)
