"""``wellposed impute``: rows with their empty cells filled, or several draws of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import numpy as np
import typer

from wellposed._errors import SettingError

from ._columns import with_kinds
from ._files import (
    TABLES,
    as_frame,
    cells_of,
    check_output,
    has_several_kinds,
    read_columns,
    refuse_array_file,
    save_model,
    write_table,
)
from ._options import Columns, Data, Drop, Force, Header, Seed, Table
from ._terminal import say

if TYPE_CHECKING:
    from wellposed.estimators import GaussianImputer, VAEImputer
    from wellposed.tables import Schema

    Imputer: TypeAlias = VAEImputer | GaussianImputer

_DRAWS = (
    "Write so many copies of the rows, with their empty cells drawn given the others, and the "
    "number of the copy in a first column, draw. By default cells get their mean or likeliest "
    "level."
)
_MODEL = "A file that --save wrote; then nothing is fitted."
_HOLDOUT = "Also hide a tenth of the full cells, fit again, and print how well they are filled."


def impute(
    data: Data,
    draws: Annotated[int | None, typer.Option(help=_DRAWS, min=1, show_default=False)] = None,
    model: Annotated[
        Path | None, typer.Option("--model", "-m", metavar="FILE", help=_MODEL, show_default=False)
    ] = None,
    holdout: Annotated[bool, typer.Option("--holdout", help=_HOLDOUT)] = False,
    column: Columns = None,
    output: Table = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File for the fitted imputer.", show_default=False),
    ] = None,
    seed: Seed = 0,
    header: Header = None,
    drop: Drop = None,
    force: Force = False,
) -> None:
    """Fill the empty cells of a table by their distribution given the full ones, under a VAE.

    This is right where whether a cell is empty depends on cells that are full. The fills are those
    of wp.VAEImputer(random_state=0), in Python.
    """
    check_output(output, data, model, save, force=force, kinds=TABLES)
    check_output(save, data, model, output, force=force)
    if model is not None:
        _check_no_fit(model, {"--save": save, "--holdout": holdout, "--column": column})
    rows, schema = read_columns(data, header, drop), None
    imputer = None if model is None else _opened(model)
    if column:
        rows, schema = with_kinds(rows, column)
    elif has_several_kinds(imputer):
        rows = as_frame(rows)
    if hasattr(rows, "columns"):
        refuse_array_file(output)
    imputer = imputer or _fitted(rows, schema, seed)
    if save is not None:
        save_model(imputer, save, force=force)
        say(f"Wrote {save}", err=True)
    filled = [imputer.transform(rows)] if draws is None else list(imputer.draw(rows, draws, seed))
    _write(output, imputer, filled, numbered=draws is not None)
    gaps = imputer.gaps(rows)
    say(
        f"{gaps.sum():,} of {gaps.size:,} cells are filled, in {gaps.any(axis=1).sum():,} of "
        f"{len(gaps):,} rows",
        err=True,
    )
    if holdout:
        say(str(imputer.holdout_score(rows)), err=True)


def _check_no_fit(model: Path, options: dict[str, Any]) -> None:
    """Raise ``SettingError`` for an option of a fit beside ``--model``."""
    for option, value in options.items():
        if value:
            raise SettingError(
                f"--model fits nothing, and {option} needs a fit; got {option} with --model "
                f"{model}. Leave one of them out."
            )


def _fitted(rows: Any, schema: "Schema | None", seed: int) -> "VAEImputer":
    from wellposed.estimators import VAEImputer
    from wellposed.estimators.imputation.vae import default_vae

    vae = None if schema is None else default_vae(len(rows), noise=schema)
    return VAEImputer(vae, random_state=seed).fit(rows)


def _opened(path: Path) -> "Imputer":
    from wellposed.estimators import GaussianImputer, VAEImputer, load

    imputer = load(path)
    if not isinstance(imputer, (VAEImputer, GaussianImputer)):
        raise SettingError(
            f"--model is a file of an imputer; {path} holds a {type(imputer).__name__}. Leave it "
            "out: then an imputer is fitted to DATA, and --save keeps it."
        )
    return imputer


def _write(path: Path | None, imputer: "Imputer", filled: list[Any], *, numbered: bool) -> None:
    """Write filled rows, arrays or frames, below each other; ``numbered`` by a first column."""
    names = [str(name) for name in imputer.get_feature_names_out()]
    if path is not None and path.suffix.lower() == ".npy" and not hasattr(filled[0], "columns"):
        write_table(path, np.stack(filled) if numbered else filled[0], names)
        return
    cells = [cells_of(each) for each in filled]
    if numbered:
        cells = [np.insert(each, 0, i, axis=1) for i, each in enumerate(cells)]
        names = ["draw", *names]
    write_table(path, np.concatenate(cells), names)
