"""``wellposed encode`` and ``wellposed decode``: rows to latents, and back."""

from typing import Annotated

import typer

from ._files import (
    TABLES,
    check_output,
    open_model,
    read_rows,
    read_rows_for,
    values_at,
    write_rows,
    write_table,
)
from ._options import At, Data, Drop, Force, Header, Model, Table


def encode(
    model: Model,
    data: Data,
    output: Table = None,
    header: Header = None,
    drop: Drop = None,
    force: Force = False,
) -> None:
    """Write the mean of q(z | x) for each row."""
    check_output(output, model, data, force=force, kinds=TABLES)
    vae = open_model(model)
    latents = vae.transform(read_rows_for(vae, data, header, drop))
    write_table(output, latents, [f"z{i}" for i in range(latents.shape[1])])


def decode(
    model: Model,
    latents: Annotated[str, typer.Argument(metavar="Z", help="Latents, as `encode` writes them.")],
    output: Table = None,
    at: At = None,
    force: Force = False,
) -> None:
    """Write the decoder's mean for each row of latents, in data units."""
    check_output(output, model, latents, force=force, kinds=TABLES)
    vae = open_model(model)
    given = values_at(vae, at)
    options = {} if given is None else {"covariates": given}
    rows = vae.inverse_transform(read_rows(latents).values, **options)
    write_rows(output, vae, rows)
