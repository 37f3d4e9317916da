"""Options and arguments that several commands share."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Model: TypeAlias = Annotated[Path, typer.Argument(metavar="MODEL", help="A file that `fit` wrote.")]
Data: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="Rows of data: npy, npz, text (csv, txt, …), parquet, IDX, or a folder of images; or "
        "a data set by name: digits, or mnist and fashion-mnist once fetched.",
    ),
]
Header: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        help="Whether the first line of a text file names the columns. Found out by default.",
        show_default=False,
    ),
]
Drop: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN",
        help="Column of a table to leave out, by name or by position from 0; repeatable.",
        show_default=False,
    ),
]
Train: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="DATA",
        help="Rows of the training: without them overfitting and a refitted σ² stay open.",
    ),
]
Force: TypeAlias = Annotated[bool, typer.Option("--force", help="Overwrite existing outputs.")]
Seed: TypeAlias = Annotated[int, typer.Option(help="Seed of all random numbers.", min=0)]
Table: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="A .npy or .csv file. CSV on stdout by default."
    ),
]
