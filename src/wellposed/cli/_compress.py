"""``wellposed compress`` and ``wellposed decompress``: rows to a small file, and back."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from wellposed._errors import DamagedFileError, SettingError

from ._files import check_output, open_model
from ._kinds import check_kind, read_to_compress, write_npy, write_rows
from ._options import Data, Drop, Force, Header, Progress
from ._terminal import say

ModelOption = Annotated[
    Path | None,
    typer.Option("--model", "-m", metavar="MODEL", help="A file that `fit` wrote."),
]


Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="A .wpz file to write.")
]
IncludeModel = Annotated[bool, typer.Option("--include-model", help="Put the model into the file.")]
BlockRows = Annotated[
    int | None, typer.Option(help="Rows a block, 8 MiB by default.", min=1, show_default=False)
]
Verify = Annotated[
    bool, typer.Option("--verify", help="Decode the file and compare before keeping it.")
]
Estimate = Annotated[
    bool, typer.Option("--estimate", help="Print the ELBO, the size and its parts; write nothing.")
]
TargetBits = Annotated[
    float | None,
    typer.Option(
        metavar="BITS",
        help="Quantise the latents to this many bits a row, on average.",
        show_default=False,
    ),
]
TargetRmse = Annotated[
    float | None,
    typer.Option(
        metavar="ERROR",
        help="Quantise the latents to this root mean squared error, in the units of DATA.",
        show_default=False,
    ),
]
KeepResidual = Annotated[
    bool,
    typer.Option(
        "--keep-residual", help="With a target: keep what is missing, so that nothing is lost."
    ),
]


def compress(
    data: Data,
    output: Output = None,
    model: ModelOption = None,
    include_model: IncludeModel = False,
    block_rows: BlockRows = None,
    verify: Verify = False,
    estimate: Estimate = False,
    target_bits: TargetBits = None,
    target_rmse: TargetRmse = None,
    keep_residual: KeepResidual = False,
    header: Header = None,
    drop: Drop = None,
    force: Force = False,
    progress: Progress = None,
) -> None:
    """Compress rows, by a model or without: exactly, or with loss down to a target."""
    from wellposed import serialise
    from wellposed.estimators.compression.estimate import estimate_compression
    from wellposed.estimators.compression.files import compress_into
    from wellposed.estimators.compression.lossy import Target

    shown = "auto" if progress is None else progress
    if output is None and not estimate:
        raise SettingError("The file to write must be named. Pass -o FILE.wpz, or --estimate.")
    target = Target(target_bits, target_rmse, keep_residual)
    if estimate and target.is_lossy:
        raise SettingError(
            "--estimate compares an exact file with the ELBO; a target was given too. Write the "
            "file: its size and its error are printed."
        )
    check_output(output, data, model, force=force, kinds=(".wpz",))
    vae = None if model is None else open_model(model)
    rows = read_to_compress(data, header, drop)
    if estimate:
        if vae is None:
            raise SettingError("--estimate compares a file with the ELBO. Pass --model MODEL.")
        say(estimate_compression(vae, rows, block_rows=block_rows, progress=shown))
        return
    assert output is not None
    settings: Any = {"include_model": include_model, "block_rows": block_rows, "verify": verify}
    with serialise.replace_file(output) as file:
        sizes = compress_into(file, vae, rows, progress=shown, target=target, **settings)
    say(f"{output}: {_described(sizes, verified=verify)}.", err=True)


def _described(sizes: Any, *, verified: bool) -> str:
    inside = f" ({sizes.model:,} of them the model)" if sizes.model else ""
    parts = [f"{sizes.rows:,} bytes to {sizes.file:,}{inside}"]
    if sizes.rows:
        parts[0] += f", {sizes.file / sizes.rows:.1%}"
    if sizes.bits is not None:
        parts.append(f"{sizes.bits:.4g} bits a row, RMSE {sizes.rmse:.4g}")
    if verified:
        parts.append("decoded and as reported" if sizes.is_changed else "decoded and equal")
    return "; ".join(parts)


def decompress(
    data: Annotated[Path, typer.Argument(metavar="FILE", help="A .wpz file.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A .npy or .npz file of an array, a .csv or .parquet file of a table, or a "
            "folder of images.",
        ),
    ],
    model: ModelOption = None,
    skip_damaged: Annotated[
        bool, typer.Option("--skip-damaged", help="Leave out the rows of damaged blocks.")
    ] = False,
    without_residual: Annotated[
        bool,
        typer.Option(
            "--without-residual", help="Write the model's reconstruction, not what completes it."
        ),
    ] = False,
    force: Force = False,
    progress: Progress = None,
) -> None:
    """Write the rows of a compressed file: the same types and shapes, and values if it is exact."""
    from wellposed.coding.container import ARRAY, Reader
    from wellposed.estimators.compression.files import blocks_of, rows_of

    check_kind(output)
    if output.suffix:
        check_output(output, data, model, force=force)
    elif output.is_dir() and any(output.iterdir()) and not force:
        raise SettingError(f"{output} is a folder with files in it. Pass --force, or another name.")
    vae = None if model is None else open_model(model)
    shown: Any = "auto" if progress is None else progress
    errors: Any = "skip" if skip_damaged else "raise"
    residual = not without_residual
    with data.open("rb") as file:
        reader = Reader(file)
        top = reader.header
        if top.container == ARRAY and output.suffix.lower() == ".npy" and not skip_damaged:
            dtype = top.groups[0].dtype.newbyteorder(">" if top.big_endian[0] else "<")
            blocks = blocks_of(reader, vae, errors=errors, residual=residual, progress=shown)
            parts = (block[0] for _, _, block in blocks)
            write_npy(output, dtype, (top.n_rows, *top.trailing), parts)
        else:
            rows = rows_of(reader, vae, errors=errors, residual=residual, progress=shown)
            write_rows(output, rows, _names(reader))


def _names(reader: Any) -> list[str] | None:
    """Return the names of the columns of an array."""
    described = reader.description()
    try:
        names = json.loads(described).get("names") if described else None
    except ValueError as error:
        raise DamagedFileError(
            f"The description in the file has no meaning: {error}. Take it from a backup."
        ) from error
    return names
