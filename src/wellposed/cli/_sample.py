"""``wellposed sample``: new data from a fitted model."""

from pathlib import Path
from typing import Annotated

import typer

from ._files import (
    TABLES,
    check_images,
    check_output,
    is_picture,
    open_model,
    pixels_of,
    values_at,
    write_images,
    write_rows,
)
from ._options import At, Force, Model

_HOW = "ancestral draws from p(x|z); mean gives μ(z); coupled gives μ(z) + α σ(z)."


def sample(
    model: Model,
    number: Annotated[int, typer.Option("-n", "--number", help="Number of draws.", min=1)] = 16,
    how: Annotated[str, typer.Option(help=_HOW)] = "ancestral",
    alpha: Annotated[float, typer.Option(help="α of coupled.")] = 1.0,
    at: At = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Seed; that of the model by default.", min=0, show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A .npy, .csv or, for images, .png file. CSV on stdout by default.",
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Draw new data from a model."""
    check_output(output, model, force=force, kinds=(*TABLES, ".png"))
    vae = open_model(model)
    if is_picture(output):
        check_images(vae, output)
    given = values_at(vae, at)
    options = {} if given is None else {"covariates": given}
    draws = vae.sample(number, how, alpha=alpha, random_state=seed, **options)
    if output is not None and is_picture(output):
        write_images(output, pixels_of(vae, draws), vae.image_shape_)
    else:
        write_rows(output, vae, draws)
