"""All figures of the page on well-posedness."""

import os
from pathlib import Path

import numpy.typing as npt

from wellposed import plotting, serialise
from wellposed._errors import OutputError
from wellposed.estimators import forecast
from wellposed.plotting.canvas import check_installed

from . import _pictures as pictures
from ._conditioning import conditioning
from ._discrete import discrete
from ._divergence import divergence
from ._one_dimension import one_dimension
from ._parsimony_gap import parsimony_gap
from ._rows import as_rows, as_table
from ._trained_divergence import trained_divergence

_LATENTS, _NOISE_VARIANCE = 20, 30.0  # of the forecast: half of the latents are active


def figures(folder: str | os.PathLike[str], *, faces: npt.ArrayLike | None = None) -> list[Path]:
    """Run the recipes and write their figures as PNG: 800 pixels wide, the forecast 1100.

    The page on well-posedness shows these figures, with one exception: it shows the parsimony gap
    of Frey faces, which are not part of the library. The run takes one to three minutes.

    Parameters
    ----------
    folder : path; created if absent, and files of the same names are replaced
    faces : array-like of shape (n, d), rows for :func:`parsimony_gap`, such as Frey faces over 255

    Returns
    -------
    list of Path, the files

    Raises
    ------
    OutputError
        If the folder or a file in it cannot be written.
    DataError
        If ``faces`` are not a finite table.
    MissingPackageError
        Without matplotlib.

    Examples
    --------
    >>> figures("well-posed")  # doctest: +SKIP
    """
    check_installed("A figure")
    folder = _writable(folder)
    faces = None if faces is None else as_table(faces)  # before the long work
    digits = as_rows(None, 1797)
    drawings = {
        "divergence": pictures.divergence_figure(divergence()),
        "trained-divergence": pictures.trained_divergence_figure(trained_divergence()),
        "one-dimension": pictures.one_dimension_figure(one_dimension()),
        "discrete": pictures.discrete_figure(discrete()),
        "parsimony-gap": pictures.parsimony_gap_figure(parsimony_gap(faces)),
        "conditioning": pictures.conditioning_figure(conditioning(digits, _LATENTS)),
        "forecast": plotting.forecast(
            forecast(digits, noise_variance=_NOISE_VARIANCE, n_components=_LATENTS)
        ),
    }
    paths = []
    for name, figure in drawings.items():
        paths.append(folder / f"{name}.png")
        with serialise.replace_file(paths[-1]) as file:
            figure.savefig(file, format="png", dpi=100)
    return paths


def _writable(folder: str | os.PathLike[str]) -> Path:
    """Create the folder and check that a file can be written in it."""
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise OutputError(
            f"The figures need a folder; {folder} is a file. Name a folder; it may be new."
        )
    serialise.check_writable(folder / "divergence.png", overwrite=True)
    return folder
