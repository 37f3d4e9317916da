"""Recipes by name: each makes a published table anew and writes it down."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wellposed import datasets
from wellposed._errors import WellposedError, unknown_name

from . import _lucas_mnist as lucas_mnist
from ._cells import Reproduction
from ._picture import over_noise

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Made = tuple[Reproduction, "Figure"]


class UnfinishedError(WellposedError):
    """A recipe was interrupted; the same call with the same folder goes on."""


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
    data : folder with the data set's folder in it; the cache of ``wellposed data fetch`` by default
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
    folder = Path(folder)
    trainings = folder / f"{name}{'-quick' if quick else ''}"
    made, figure = RECIPES[name](trainings, quick=quick, data=data, progress=progress)
    picture = trainings / f"{name}.png"
    figure.savefig(picture, dpi=100)
    return made, [*made.write(trainings), picture]


def _lucas_mnist(folder: Path, *, quick: bool, data: Any, progress: bool | str) -> Made:
    parts = datasets.load("mnist", cache=data)
    found = lucas_mnist.grid(
        parts.train.values,
        parts.test.values,
        quick=quick,
        folder=folder / "trainings",
        progress=progress,
    )
    if not found.complete:
        raise UnfinishedError(
            f"{len(found.rows)} trainings have ended and are kept in {folder}; the same command "
            "goes on from there."
        )
    made = lucas_mnist.reproduction(found, lucas_mnist.template(quick=quick), quick=quick)
    return made, over_noise(made, lucas_mnist.VARIANCES)


RECIPES: dict[str, Callable[..., Made]] = {lucas_mnist.NAME: _lucas_mnist}
