"""``wellposed diagnose``: the faults of a fitted model, and their remedies."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .._files import check_outputs, open_model, read_rows_for
from .._options import Data, Drop, Force, Header, Model, Train
from .._terminal import say

if TYPE_CHECKING:
    from wellposed.evaluation import Diagnosis


def diagnose(
    model: Model,
    data: Data,
    train: Train = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A .html page or a .json file, in addition; repeatable.",
        ),
    ] = None,
    header: Header = None,
    drop: Drop = None,
    force: Force = False,
) -> None:
    """Diagnose a fitted model: verdicts, figures and remedies, causes first.

    DATA are rows held out from training. The exit code is 0 whatever the verdicts.
    """
    check_outputs(output or (), model, data, train, force=force, kinds=(".html", ".json"))
    from rich.console import Console

    from wellposed.estimators import diagnose as diagnose_model

    vae = open_model(model)
    rows = read_rows_for(vae, data, header, drop)
    training_rows = None if train is None else read_rows_for(vae, train, header, drop)
    diagnosis = diagnose_model(vae, rows, training_rows)
    Console().print(diagnosis)
    for path in output or ():
        _write(path, diagnosis)
        say(f"Wrote {path}")


def _write(path: Path, diagnosis: "Diagnosis") -> None:
    from wellposed.serialise import replace_file

    with replace_file(path, text=True) as file:
        if path.suffix.lower() == ".html":
            file.write(diagnosis.to_html())
        else:
            json.dump(diagnosis.to_dict(), file, indent=2, ensure_ascii=False)
