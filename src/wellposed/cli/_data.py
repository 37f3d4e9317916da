"""``wellposed data``: download data sets; describe and convert files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import typer

from wellposed._bar import Bar
from wellposed._errors import SettingError, named_features, unknown_name

from ._files import check_output, read_rows
from ._options import Data, Drop, Force, Header
from ._terminal import say

if TYPE_CHECKING:
    from wellposed.datasets import Source

data = typer.Typer(
    name="data", help="Download data sets; describe and convert files.", no_args_is_help=True
)

_MEGABYTE = 1e6
_MOST_SUSPECTS = 8  # as many as a screen has room for


@data.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="mnist or fashion-mnist.")],
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="DIR",
            help="Folder to copy the files from; no download.",
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the cache; $WELLPOSED_CACHE or the platform's cache by default.",
        ),
    ] = None,
) -> None:
    """Download a data set into the cache; the SHA-256 of each file is checked."""
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
    cache: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the cache.")] = None,
) -> None:
    """List the data sets that `fetch` can download."""
    from wellposed import datasets

    root = datasets.cache_dir() if cache is None else cache
    for name, known in sorted(datasets.DATASETS.items()):
        size = sum(file.size for file in known.files) / _MEGABYTE
        complete = all((root / name / file.name).exists() for file in known.files)
        where = f"in {root / name}" if complete else "not fetched"
        say(f"{name:14}{size:6.1f} MB  {where}  (licence: {known.licence})")


@data.command()
def info(data: Data, header: Header = None, drop: Drop = None) -> None:
    """Describe a file: shape, type, range, resolution, constant features."""
    for name, value in _description(read_rows(data, header, drop)):
        say(f"{name:20}{value}")


@data.command()
def convert(
    data: Data,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="A .npy or .npz file to write.")
    ],
    size: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="Resize each image of a folder. 64 means 64x64."),
    ] = None,
    crop: Annotated[
        str | None,
        typer.Option(metavar="HxW", help="Crop each image to this size about its centre first."),
    ] = None,
    decimal: Annotated[
        str | None,
        typer.Option(metavar="SIGN", help="Decimal sign in text: point or comma."),
    ] = None,
    header: Header = None,
    drop: Drop = None,
    force: Force = False,
) -> None:
    """Convert a table or a folder of images to an array of numbers.

    An .npz file keeps the names of columns.
    """
    from wellposed import datasets, serialise

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
    arrays: dict[str, Any] = {"X": values}
    if source.feature_names is not None:
        arrays["feature_names"] = np.array(source.feature_names)
    with serialise.replace_file(output) as file:
        if output.suffix.lower() == ".npz":
            np.savez(file, **arrays)
        else:
            np.save(file, values)
    say(f"{output} holds an array of shape {values.shape}, {values.dtype}.")


def _pixels(option: str, text: str | None) -> tuple[int, int] | None:
    """Read a side of a square, or height x width."""
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


def _description(source: "Source") -> list[tuple[str, str]]:
    """Return names and values of the figures of data that matter before fitting."""
    from wellposed import transforms

    values = source.values
    n, d = values.shape
    lines = [("shape", f"{n} rows of {d} features"), ("type", str(values.dtype))]
    if source.image_shape is not None:
        lines.append(("image shape", "x".join(map(str, source.image_shape))))
    finite = np.isfinite(values)
    if not finite.all():
        columns = named_features(np.flatnonzero(~finite.all(axis=0)), names=source.feature_names)
        gaps = f"{int((~finite).sum())} of {values.size} entries, in columns {columns}"
        lines.append(("not finite", gaps))
        return lines + _suspect_lines(source, _fill_gaps(values, finite))
    lines.append(("range", f"{values.min():.6g} to {values.max():.6g}"))
    constant = np.flatnonzero(values.min(axis=0) == values.max(axis=0))
    if constant.size < d:
        one_unit = True if source.image_shape is not None else None
        summary = transforms.summarise(values, one_unit=one_unit)
        step = summary.resolution
        low, high = step.min(), step.max()
        shown = f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g}"
        lines.append(("resolution", shown))
        scale = "one for all features" if summary.one_unit else "one a feature"
        lines.append(("scale", scale))
    lines += _suspect_lines(source, values)
    return [*lines, ("constant features", _list_features(constant, source.feature_names))]


def _list_features(constant: np.ndarray, names: Sequence[str] | None) -> str:
    if not constant.size:
        return "none"
    return f"{constant.size} ({named_features(constant, names=names)})"


def _suspect_lines(source: "Source", values: np.ndarray) -> list[tuple[str, str]]:
    """Return one line for each suspect value of a table, up to a maximum; none for images."""
    from wellposed import transforms

    if source.image_shape is not None:
        return []
    suspects = transforms.suspects(values)
    lines = [
        (
            "suspect values",
            transforms.describe_suspect(suspect, len(values), source.feature_names, source.lines),
        )
        for suspect in suspects[:_MOST_SUSPECTS]
    ]
    if len(suspects) > _MOST_SUSPECTS:
        lines.append(("suspect values", f"and {len(suspects) - _MOST_SUSPECTS} more"))
    return lines


def _fill_gaps(values: np.ndarray, finite: np.ndarray) -> np.ndarray:
    """Replace gaps by the median of the other values of their column, which is not suspect."""
    medians = [
        np.median(v[ok]) if ok.any() else 0.0 for v, ok in zip(values.T, finite.T, strict=True)
    ]
    return np.where(finite, values, medians)
