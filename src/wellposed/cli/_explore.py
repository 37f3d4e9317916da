"""``wellposed explore``: a page on this machine to look into a fitted model by hand."""

import sys
from typing import Annotated

import typer

from ._options import Drop, Header, Model
from ._terminal import say


def explore(
    model: Model,
    data: Annotated[
        str | None,
        typer.Argument(metavar="[DATA]", help="Rows to show as points: as `fit` reads them."),
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the page. 0 takes a free one.")] = 0,
    rows: Annotated[
        int, typer.Option(min=1, max=2_000, help="Rows on the plane, spread over all.")
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
    """Look into a fitted model by hand: drag on the latent plane and see what it shows there.

    The page is served to this machine alone, at an address that nobody can guess, until Ctrl-C.
    Labels, where a data set has them, colour the points.
    """
    from wellposed.explorer import check_installed

    check_installed()
    from rich.console import Console

    from wellposed import estimators

    from ._inputs import aligned, open_model, read_rows

    status = Console(stderr=True).status("reading")

    def ready(url: str) -> None:
        status.stop()
        say(f"{url}\nCtrl-C ends it.")
        sys.stdout.flush()
        if open_browser or (open_browser is None and sys.stdout.isatty()):
            import webbrowser

            webbrowser.open(url)

    with status:
        vae = open_model(model)
        found = None if data is None else aligned(read_rows(data, header, drop), vae)
        status.update("compiling")
        labels = getattr(found, "labels", None)
        estimators.explore(vae, found, labels=labels, port=port, most_rows=rows, on_ready=ready)
