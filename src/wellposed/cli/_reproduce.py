"""``wellposed reproduce``: a published table, recomputed, beside the published figures."""

from pathlib import Path
from typing import Annotated

import typer

from ._terminal import say

# Written out, since the import of the recipes loads all that they train with.
_NAMES = (
    *(f"lucas2019-{data}" for data in ("mnist", "fashion", "celeba", "olivetti", "linear")),
    *("rybkin2020", "daiwipf2019", "stirn2020", "thesis"),
)


def _complete(start: str) -> list[str]:
    """Return the names that begin with ``start``, for completion in a shell."""
    return [name for name in _NAMES if name.startswith(start)]


def reproduce(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help=", ".join(_NAMES), autocompletion=_complete)
    ],
    folder: Annotated[
        Path,
        typer.Option("--folder", "-o", metavar="DIR", help="Folder for table and trainings."),
    ] = Path("reproduced"),
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Minutes on two cores, not hours."),
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="PATH",
            help="Folder that contains mnist/ and the like; by default the cache of `wellposed "
            "data fetch`. For CelebA the folder or zip file of images.",
        ),
    ] = None,
) -> None:
    """Recompute a published table: Markdown, JSON and its pictures.

    After an interruption, the same command continues.
    """
    from wellposed.serialise import check_apart

    trainings = folder / f"{name}{'-quick' if quick else ''}"
    for suffix in (".md", ".json", ".png"):
        check_apart(trainings / f"{name}{suffix}", data)
    from rich.console import Console
    from rich.markdown import Markdown

    from wellposed.experiments.reproduce import reproduce as recompute

    table, files = recompute(name, folder, quick=quick, data=data)
    Console().print(Markdown(table.markdown()))
    for path in files:
        say(f"Wrote {path}")
