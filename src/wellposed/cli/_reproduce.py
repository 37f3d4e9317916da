"""``wellposed reproduce``: a published table made anew, the published figure beside ours."""

from pathlib import Path
from typing import Annotated

import typer

from ._terminal import say

# Written out, since to ask the recipes would load all that they train with.
_NAMES = (
    *(f"lucas2019-{data}" for data in ("mnist", "fashion", "celeba", "olivetti", "linear")),
    *("rybkin2020", "daiwipf2019", "stirn2020", "thesis"),
)


def _completed(begun: str) -> list[str]:
    """Names that begin so, for the shell."""
    return [name for name in _NAMES if name.startswith(begun)]


def reproduce(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help=", ".join(_NAMES), autocompletion=_completed)
    ],
    folder: Annotated[
        Path,
        typer.Option("--folder", "-o", metavar="DIR", help="Where the table and its trainings go."),
    ] = Path("reproduced"),
    quick: Annotated[
        bool, typer.Option("--quick", help="Minutes on two cores, instead of hours.")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="PATH",
            help="A folder with mnist/ or the like in it, the cache of `wellposed data fetch` by "
            "default; for CelebA the folder or zip of images.",
        ),
    ] = None,
) -> None:
    """Make a published table anew: Markdown, JSON and its pictures.

    Stopped at any moment, the same command goes on where it was.
    """
    from wellposed.serialise import check_apart

    trainings = folder / f"{name}{'-quick' if quick else ''}"
    for suffix in (".md", ".json", ".png"):
        check_apart(trainings / f"{name}{suffix}", data)
    from rich.console import Console
    from rich.markdown import Markdown

    from wellposed.experiments.reproduce import reproduce as made_anew

    made, files = made_anew(name, folder, quick=quick, data=data)
    Console().print(Markdown(made.markdown()))
    for path in files:
        say(f"Wrote {path}")
