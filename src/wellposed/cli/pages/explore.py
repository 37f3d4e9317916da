"""``wellposed explore``: an interactive page about a fitted model, on this machine."""

import sys
from typing import Annotated

import typer

from .._files import open_model, read_rows_for
from .._options import Drop, Header, Model
from .._terminal import say


def explore(
    model: Model,
    data: Annotated[
        str | None,
        typer.Argument(metavar="[DATA]", help="Rows to show, in a format of `fit`."),
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the page. 0 chooses a free one.")] = 0,
    rows: Annotated[
        int,
        typer.Option(min=1, max=2_000, help="Most rows shown, spread over all."),
    ] = 2_000,
    open_browser: Annotated[
        bool | None,
        typer.Option(
            "--open/--no-open",
            help="Open the page in a browser. On by default at a terminal.",
            show_default=False,
        ),
    ] = None,
    header: Header = None,
    drop: Drop = None,
) -> None:
    """Explore a fitted model: drag on the latent plane and see the decoder's output there.

    Only this machine can open the page, at an address that cannot be guessed, until Ctrl-C.
    If a data set has labels, they colour the points.
    """
    from wellposed.explorer import check_installed

    check_installed()
    from rich.console import Console

    from wellposed import estimators

    status = Console(stderr=True).status("reading")

    def show_address(url: str) -> None:
        status.stop()
        say(f"{url}\nCtrl-C ends it.")
        sys.stdout.flush()
        if open_browser or (open_browser is None and sys.stdout.isatty()):
            import webbrowser

            webbrowser.open(url)

    with status:
        vae = open_model(model)
        points = None if data is None else read_rows_for(vae, data, header, drop)
        status.update("compiling")
        labels = getattr(points, "labels", None)
        estimators.explore(
            vae, points, labels=labels, port=port, most_rows=rows, on_ready=show_address
        )
