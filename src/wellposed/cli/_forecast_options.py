"""The options of ``wellposed forecast``."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Components: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--components",
        "-k",
        help="Number of latents; every direction of the data by default.",
        show_default=False,
    ),
]
NoiseVariance: TypeAlias = Annotated[
    float | None,
    typer.Option(
        help="σ², in the units that the data have after --divide-by and --transform; the best "
        "one by default.",
        metavar="VARIANCE",
        show_default=False,
    ),
]
Beta: TypeAlias = Annotated[float, typer.Option(help="Weight of the KL; only 1 is the ELBO.")]
DivideBy: TypeAlias = Annotated[
    float,
    typer.Option(
        help="Divide the data by this first. 255 takes pixels to 0…1, where published σ² of "
        "MNIST are stated.",
        metavar="X",
    ),
]
Transform: TypeAlias = Annotated[
    str,
    typer.Option(help="Data units to model units: identity, standardize or logit.", metavar="NAME"),
]
Resolution: TypeAlias = Annotated[
    str,
    typer.Option(
        help="Smallest step of the measurement, as in the file, or auto: the floor of σ².",
        metavar="STEP",
    ),
]
Output: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="A .png file for the figure or a .csv file for the whole table; repeatable.",
        show_default=False,
    ),
]
