"""``wellposed data``: public data sets, and a look into a file."""

from pathlib import Path
from typing import Annotated

import typer

from ._options import Data, Drop, Header
from ._terminal import say

data = typer.Typer(name="data", help="Fetch data sets; look into files.", no_args_is_help=True)

_MEGABYTE = 1e6


@data.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="mnist or fashion-mnist.")],
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="Copy the files from a folder instead."),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where to keep it; $WELLPOSED_CACHE or the platform's cache by default.",
        ),
    ] = None,
) -> None:
    """Bring a data set into the cache, every file checked by its SHA-256."""
    from wellposed import datasets

    from ._transfer_bar import TransferBar

    with TransferBar() as bar:
        folder = datasets.fetch(name, source=source, cache=cache, progress=bar.update)
    say(
        f"{name} is in {folder}. Fit it with:\n"
        f"  wellposed fit {folder / 'train-images-idx3-ubyte.gz'} -o {name}.wp --components 20"
    )


@data.command("list")
def list_known(
    cache: Annotated[Path | None, typer.Option(metavar="DIR", help="The cache.")] = None,
) -> None:
    """List the data sets that `fetch` knows."""
    from wellposed import datasets

    root = datasets.cache_dir() if cache is None else cache
    for name, known in sorted(datasets.DATASETS.items()):
        size = sum(file.size for file in known.files) / _MEGABYTE
        here = all((root / name / file.name).exists() for file in known.files)
        where = f"in {root / name}" if here else "not fetched"
        say(f"{name:14}{size:6.1f} MB  {where}  (licence: {known.licence})")


@data.command()
def info(data: Data, header: Header = None, drop: Drop = None) -> None:
    """Say what a file holds: shape, type, range, resolution, constant features."""
    from ._describe import description
    from ._inputs import read_rows

    for name, value in description(read_rows(data, header, drop)):
        say(f"{name:20}{value}")
