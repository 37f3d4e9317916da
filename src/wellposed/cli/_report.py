"""``wellposed report``: one page of a fitted model, to be opened in a browser."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._options import Data, Drop, Force, Header, Model, Train
from ._terminal import say, say_paragraph

if TYPE_CHECKING:
    from wellposed.reports import Report


def report(
    model: Model,
    data: Data,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The page, a .html file.")
    ] = Path("report.html"),
    train: Train = None,
    header: Header = None,
    drop: Drop = None,
    force: Force = False,
) -> None:
    """Write a page of a fitted model: verdicts, pictures, and how to read them.

    DATA are rows held out from training. Labels, where a data set has them, colour the latents.
    """
    from ._inputs import aligned, open_model, read_rows
    from ._outputs import check_output

    check_output(output, model, data, train, force=force, kinds=(".html",))
    vae = open_model(model)
    rows = aligned(read_rows(data, header, drop), vae)
    trained = None if train is None else aligned(read_rows(train, header, drop), vae)
    labels = getattr(rows, "labels", None)
    found = drawn(vae, rows, trained, labels)
    found.save(output, overwrite=force)
    say(f"{found.diagnosis.summary}\nWrote {output}")


def drawn(vae: Any, rows: Any, trained: Any, labels: Any) -> "Report":
    """Make the page, and show on the terminal what is being drawn."""
    from rich.console import Console

    from wellposed import estimators

    with Console(stderr=True).status("reading") as status:

        def shown(name: str) -> None:
            status.update(f"drawing: {name}")

        found = estimators.report(vae, rows, trained, labels=labels, on_panel=shown)
    for reason in found.left_out:
        say_paragraph("not drawn", reason, colour="yellow")
    return found
