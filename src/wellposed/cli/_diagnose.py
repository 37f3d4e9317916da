"""``wellposed diagnose``: what a fitted model suffers from, and what to change."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import Data, Drop, Force, Header, Model, Train
from ._terminal import say

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

    DATA are rows held out from training. The exit code is 0 whatever is found.
    """
    from ._inputs import aligned, open_model, read_rows
    from ._outputs import check_outputs

    check_outputs(output or (), model, data, train, force=force, kinds=(".html", ".json"))
    from rich.console import Console

    from wellposed.estimators import diagnose as diagnosis_of

    vae = open_model(model)
    rows = aligned(read_rows(data, header, drop), vae)
    trained = None if train is None else aligned(read_rows(train, header, drop), vae)
    found = diagnosis_of(vae, rows, trained)
    Console().print(found)
    for path in output or ():
        _write(path, found)
        say(f"Wrote {path}")


def _write(path: Path, found: "Diagnosis") -> None:
    from wellposed.serialise import replacing

    with replacing(path, text=True) as file:
        if path.suffix.lower() == ".html":
            file.write(found.to_html())
        else:
            json.dump(found.to_dict(), file, indent=2, ensure_ascii=False)
