"""Commands that apply a fitted model: sample, score, encode, decode."""

from pathlib import Path
from typing import Annotated

import typer

from ._options import Data, Drop, Force, Header, Model, Table

_HOW = "ancestral draws from p(x|z); mean shows μ(z); coupled shows μ(z) + α σ(z)."
_METHOD = (
    "importance sampling, the default; ais anneals; exact for linear decoders, and the only one of "
    "PPCA and LinearVAE; auto is exact where it can be, and anneals the rows on which importance "
    "sampling is not to be believed."
)
_PRIOR = (
    "Where z comes from: standard is N(0, I); aggregate a Gaussian mixture fitted to the training "
    "data's codes; second-stage a second VAE trained on them, in a minute or two."
)


def score(
    model: Model,
    data: Data,
    output: Table = None,
    samples: Annotated[int, typer.Option(help="Draws of z a row, used exactly.")] = 128,
    method: Annotated[str | None, typer.Option(help=_METHOD, show_default=False)] = None,
    header: Header = None,
    drop: Drop = None,
    force: Force = False,
) -> None:
    """Estimate log p(x) of each row, in nats and in the units of DATA.

    CSV has the columns log_p, standard_error (of the Monte Carlo estimate),
    effective_sample_size and pareto_k; npy has log_p alone.
    """
    from ._inputs import aligned, open_model, read_rows
    from ._outputs import TABLES, check_output
    from ._scores import show_mean, write_scores

    check_output(output, model, data, force=force, kinds=TABLES)
    options = {} if method is None else {"method": method}
    vae = open_model(model)
    found = vae.log_likelihood(aligned(read_rows(data, header, drop), vae), samples, **options)
    write_scores(output, found)
    show_mean(found)


def encode(
    model: Model,
    data: Data,
    output: Table = None,
    header: Header = None,
    drop: Drop = None,
    force: Force = False,
) -> None:
    """Write the mean of q(z | x) for each row."""
    from ._inputs import aligned, open_model, read_rows
    from ._outputs import TABLES, check_output, write_table

    check_output(output, model, data, force=force, kinds=TABLES)
    vae = open_model(model)
    latents = vae.transform(aligned(read_rows(data, header, drop), vae))
    write_table(output, latents, [f"z{i}" for i in range(latents.shape[1])])


def decode(
    model: Model,
    latents: Annotated[str, typer.Argument(metavar="Z", help="Latents, as `encode` wrote them.")],
    output: Table = None,
    force: Force = False,
) -> None:
    """Write the decoder's mean at each latent, in data units."""
    from ._inputs import feature_columns, open_model, read_rows
    from ._outputs import TABLES, check_output, write_table

    check_output(output, model, latents, force=force, kinds=TABLES)
    vae = open_model(model)
    rows = vae.inverse_transform(read_rows(latents).values)
    write_table(output, rows, feature_columns(vae, rows.shape[1]))


def sample(
    model: Model,
    number: Annotated[int, typer.Option("-n", "--number", help="How many.", min=1)] = 16,
    how: Annotated[str, typer.Option(help=_HOW)] = "ancestral",
    alpha: Annotated[float, typer.Option(help="α of coupled.")] = 1.0,
    prior: Annotated[str, typer.Option(help=_PRIOR)] = "standard",
    seed: Annotated[
        int | None, typer.Option(help="The model's own by default.", min=0, show_default=False)
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
    from ._inputs import feature_columns, open_model
    from ._outputs import TABLES, check_output, write_table
    from ._picture import check_images, is_picture, write_images

    check_output(output, model, force=force, kinds=(*TABLES, ".png"))
    vae = open_model(model)
    if is_picture(output):
        check_images(vae, output)
    drawn = vae.sample(number, how, prior=prior, alpha=alpha, random_state=seed)
    if output is not None and is_picture(output):
        write_images(output, drawn, vae.image_shape_)
    else:
        write_table(output, drawn, feature_columns(vae, drawn.shape[1]))
