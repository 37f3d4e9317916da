"""Recipes by name: each makes a published table anew and writes it down."""

import dataclasses
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from wellposed._errors import unknown_name
from wellposed.serialise import replacing

from .._training import silenced
from . import _daiwipf, _lucas_celeba, _lucas_linear, _lucas_mnist, _rybkin, _stirn, thesis
from ._cells import Reproduction

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Each takes a folder, ``quick``, ``data`` and ``progress``, and draws one picture of its table, or
# those of its sections by their names.
RECIPES: dict[str, Callable[..., tuple[Reproduction, "Figure | Mapping[str, Figure]"]]] = {
    _lucas_mnist.NAME: _lucas_mnist.make,
    _lucas_mnist.FASHION: partial(_lucas_mnist.make, name=_lucas_mnist.FASHION),
    _lucas_celeba.NAME: _lucas_celeba.make,
    _lucas_celeba.OLIVETTI: _lucas_celeba.make_olivetti,
    _lucas_linear.NAME: _lucas_linear.make,
    _rybkin.NAME: _rybkin.make,
    _daiwipf.NAME: _daiwipf.make,
    _stirn.NAME: _stirn.make,
    thesis.NAME: thesis.make,
}


def reproduce(
    name: str,
    folder: str | os.PathLike[str],
    *,
    quick: bool = False,
    data: str | os.PathLike[str] | None = None,
    progress: bool | str = "auto",
) -> tuple[Reproduction, list[Path]]:
    """Make a published table anew, and write it as Markdown, JSON and a picture.

    Parameters
    ----------
    name : one of ``RECIPES``
    folder : where the table goes; the trainings leave their states in it, so that the same call
        goes on where one was stopped
    quick : minutes on two cores, and figures that fall short of the published ones
    data : folder with the data set's folder in it, the cache of ``wellposed data fetch`` by
        default; for CelebA the folder or zip of images
    progress : a bar over the trainings: "auto", True or False

    Returns
    -------
    the table, and the files

    Raises
    ------
    SettingError
        For an unknown name, and a folder that belongs to other settings.
    DataError
        If the data have not been fetched.
    UnfinishedError
        After an interruption.
    """
    if name not in RECIPES:
        raise unknown_name("A recipe", name, RECIPES)
    trainings = Path(folder) / f"{name}{'-quick' if quick else ''}"
    with silenced():
        made, drawn = RECIPES[name](trainings, quick=quick, data=data, progress=progress)
    if quick:
        made = dataclasses.replace(made, title=f"{made.title}, quick")
    pictures = drawn if isinstance(drawn, Mapping) else {f"{name}.png": drawn}
    for file, figure in pictures.items():
        if not isinstance(drawn, Mapping):
            figure.suptitle(made.title, fontsize=10)
        with replacing(trainings / file) as out:
            figure.savefig(out, format=Path(file).suffix[1:], dpi=100)
    return made, [*made.write(trainings), *(trainings / file for file in pictures)]
