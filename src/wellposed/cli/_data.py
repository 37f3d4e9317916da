"""``wellposed data``: public data sets, and a look into a file."""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import typer

from wellposed._bar import Bar
from wellposed._errors import SettingError, unknown_name

from ._options import Data, Drop, Force, Header
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

    with Bar(0, "auto", "bytes") as bar:

        def show(file: str, done: int, total: int) -> None:
            bar.show(done, file, total)

        folder = datasets.fetch(name, source=source, cache=cache, progress=show)
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


@data.command()
def convert(
    data: Data,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="A .npy or .npz file to write.")
    ],
    size: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="Resize each image of a folder; 64 is 64x64."),
    ] = None,
    crop: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="Cut this centre out of each image before."),
    ] = None,
    decimal: Annotated[
        str | None,
        typer.Option(metavar="SIGN", help="Sign before fractions in text: point or comma."),
    ] = None,
    header: Header = None,
    drop: Drop = None,
    force: Force = False,
) -> None:
    """Write what a file or a folder holds as an array: images of one size, plain numbers.

    An .npz file keeps the names of columns.
    """
    from wellposed import datasets, serialise

    from ._outputs import check_output

    check_output(output, force=force, kinds=(".npy", ".npz"))
    source = datasets.read(
        data,
        header=header,
        drop=drop or (),
        decimal=_sign(decimal),
        size=_pixels("--size", size),
        crop=_pixels("--crop", crop),
    )
    values = source.values if source.image_shape is None else source.images
    names: dict[str, Any] = (
        {} if source.feature_names is None else {"feature_names": list(source.feature_names)}
    )
    with serialise.replacing(output) as file:
        if output.suffix.lower() == ".npz":
            np.savez(file, X=values, **names)
        else:
            np.save(file, values)
    say(f"{output} holds an array of shape {values.shape}, {values.dtype}.")


def _pixels(option: str, text: str | None) -> tuple[int, int] | None:
    """Read a side, or height x width."""
    if text is None:
        return None
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isascii() and side.isdigit() for side in sides):
        raise SettingError(
            f"{option} must be a number of pixels, or height and width; got {text!r}. "
            f"Write it as in {option} 64, or {option} 64x48."
        )
    return int(sides[0]), int(sides[-1])


def _sign(text: str | None) -> Literal[".", ","] | None:
    signs: dict[str, Literal[".", ","]] = {"point": ".", ".": ".", "comma": ",", ",": ","}
    if text is None or text in signs:
        return signs.get(text or "")
    raise unknown_name("--decimal", text, ("point", "comma"))
