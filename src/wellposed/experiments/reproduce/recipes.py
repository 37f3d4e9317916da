"""Recipes by name: each reproduces a published table and writes it to files."""

import dataclasses
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

from wellposed._errors import unknown_name
from wellposed._typing import Progress
from wellposed.plotting.canvas import Figure, check_installed
from wellposed.serialise import replace_file

from .._training import without_warnings
from . import daiwipf, lucas_celeba, lucas_linear, lucas_mnist, rybkin, stirn, thesis
from .cells import Reproduction
from .grid_table import Job

# A recipe returns its table with one picture, or with those of its sections by file name.
Recipe: TypeAlias = Callable[[Job], tuple[Reproduction, Figure | dict[str, Figure]]]

RECIPES: dict[str, Recipe] = {
    lucas_mnist.NAME: lucas_mnist.make,
    lucas_mnist.FASHION: partial(lucas_mnist.make, name=lucas_mnist.FASHION),
    lucas_celeba.NAME: lucas_celeba.make,
    lucas_celeba.OLIVETTI: lucas_celeba.make_olivetti,
    lucas_linear.NAME: lucas_linear.make,
    rybkin.NAME: rybkin.make,
    daiwipf.NAME: daiwipf.make,
    stirn.NAME: stirn.make,
    thesis.NAME: thesis.make,
}


def reproduce(
    name: str,
    folder: str | os.PathLike[str],
    *,
    quick: bool = False,
    data: str | os.PathLike[str] | None = None,
    progress: Progress = "auto",
) -> tuple[Reproduction, list[Path]]:
    """Reproduce a published table, and write it as Markdown, JSON and a picture.

    Parameters
    ----------
    name : str, one of ``RECIPES``
    folder : path of the table and of its trainings; the same call continues after an interruption
    quick : bool, whether to train for minutes on two cores, which gives worse figures
    data : path of the folder that contains the data set's; for CelebA the folder or zip of images
    progress : bool or "auto", whether to show a bar over the trainings

    Returns
    -------
    The table and the files written.

    Raises
    ------
    SettingError
        If the name is unknown, or the folder belongs to other settings; also without matplotlib.
    DataError
        If the data have not been downloaded.
    OutputError
        If a file cannot be written.
    UnfinishedError
        After an interruption.

    Examples
    --------
    >>> "rybkin2020" in RECIPES
    True
    >>> table, files = reproduce("rybkin2020", "tables", quick=True)  # doctest: +SKIP
    """
    if name not in RECIPES:
        raise unknown_name("A recipe", name, RECIPES)
    check_installed("A reproduction")
    folder = Path(folder) / f"{name}{'-quick' if quick else ''}"
    job = Job(folder, quick, None if data is None else Path(data), progress)
    with without_warnings():
        table, pictures = RECIPES[name](job)
    if quick:
        table = dataclasses.replace(table, title=f"{table.title}, quick")
    if not isinstance(pictures, Mapping):
        pictures.suptitle(table.title, fontsize=10)
        pictures = {f"{name}.png": pictures}
    for file, figure in pictures.items():
        with replace_file(folder / file) as out:
            figure.savefig(out, format=Path(file).suffix[1:], dpi=100)
    return table, [*table.write(folder), *(folder / file for file in pictures)]
