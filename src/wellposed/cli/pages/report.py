"""``wellposed report``: a page about a fitted model, for a browser."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .._files import check_output, open_model, read_rows_for
from .._options import Data, Drop, Force, Header, Model, Train
from .._terminal import say, say_paragraph

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
    """Write a page about a fitted model: verdicts, pictures, and how to read them.

    DATA are rows held out from training. If a data set has labels, they colour the latents.
    """
    from wellposed.plotting.canvas import check_installed

    check_output(output, model, data, train, force=force, kinds=(".html",))
    check_installed("A report")
    vae = open_model(model)
    rows = read_rows_for(vae, data, header, drop)
    training_rows = None if train is None else read_rows_for(vae, train, header, drop)
    labels = getattr(rows, "labels", None)  # a frame of columns of several kinds has none
    page = make_report(vae, rows, training_rows, labels)
    page.save(output, overwrite=force)
    say(f"{page.diagnosis.summary}\nWrote {output}")


def make_report(vae: Any, rows: Any, training_rows: Any, labels: Any) -> "Report":
    """Make the page, and say which panels it has not."""
    from wellposed import estimators

    page = estimators.report(vae, rows, training_rows, labels=labels)
    for reason in page.left_out:
        say_paragraph("not drawn", reason, colour="yellow")
    return page
