"""The figures of the page on well-posedness at once, of the embedded digits by default."""

import os
from pathlib import Path
from typing import Any

from wellposed import plotting, serialise
from wellposed._errors import OutputError
from wellposed.estimators import forecast

from . import _pictures as pictures
from ._conditioning import conditioning
from ._conditioning_picture import conditioning_figure
from ._discrete import discrete
from ._divergence import divergence
from ._one_dimension import one_dimension
from ._parsimony_gap import parsimony_gap
from ._rows import as_rows, as_table
from ._trained_divergence import trained_divergence

_LATENTS, _NOISE_VARIANCE = 20, 30.0  # of the forecast: half of the latents live


def figures(folder: str | os.PathLike[str], *, faces: Any = None) -> list[Path]:
    """Run the recipes and write their figures as PNG: 800 pixels wide, the forecast 1100.

    They are those of the page on well-posedness, with one exception: the page shows the parsimony
    gap on Frey faces, which are not part of the library, and this function shows it on the
    embedded digits unless it is given ``faces``.

    Parameters
    ----------
    folder : where to write; made if it is absent, and files of the same names are replaced
    faces : rows for :func:`parsimony_gap`, such as Frey faces over 255; its default otherwise

    Returns
    -------
    the files, one a figure: a minute or two with the default, three with Frey faces

    Raises
    ------
    OutputError
        If the folder or a file in it cannot be written.
    DataError
        If ``faces`` are no finite table.
    """
    folder = _writable(folder)
    faces = None if faces is None else as_table(faces)  # before the long work
    digits = as_rows(None, 1797)
    drawn = {
        "divergence": pictures.divergence_figure(divergence()),
        "trained-divergence": pictures.trained_divergence_figure(trained_divergence()),
        "one-dimension": pictures.one_dimension_figure(one_dimension()),
        "discrete": pictures.discrete_figure(discrete()),
        "parsimony-gap": pictures.parsimony_gap_figure(parsimony_gap(faces)),
        "conditioning": conditioning_figure(conditioning(digits, _LATENTS)),
        "forecast": plotting.forecast(
            forecast(digits, noise_variance=_NOISE_VARIANCE, n_components=_LATENTS)
        ),
    }
    paths = []
    for name, figure in drawn.items():
        paths.append(folder / f"{name}.png")
        with serialise.replacing(paths[-1]) as file:
            figure.savefig(file, format="png", dpi=100)
    return paths


def _writable(folder: str | os.PathLike[str]) -> Path:
    """Make the folder, and make sure that a file can be written in it."""
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise OutputError(
            f"The figures need a folder; {folder} is a file. Name a folder, or one to be made."
        )
    serialise.check_writable(folder / "divergence.png", overwrite=True)
    return folder
