"""A fitted model to look into by hand: a page on this machine, served until it is interrupted."""

from ._scene import MOST_ROWS as MOST_ROWS
from ._scene import Scene as Scene
from ._scene import check_model as check_model
from ._scene import scene_of as scene_of
from ._serve import check_installed as check_installed
from ._serve import served as served
