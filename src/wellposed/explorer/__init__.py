"""Explore a fitted model by hand: a page served to this machine until it is interrupted."""

from ._scene import MOST_ROWS, Scene, make_scene
from ._scene import check_model as check_model
from ._serve import check_installed as check_installed
from ._serve import serve

__all__ = [
    "MOST_ROWS",
    "Scene",
    "make_scene",
    "serve",
]


def __dir__() -> list[str]:
    return sorted(__all__)
