"""The application: its commands and the options common to all."""

from typing import Annotated

import typer

from wellposed import __version__

from ._boundary import Boundary
from ._compress import compress, decompress
from ._data import data
from ._demo import demo
from ._doctor import doctor
from ._encode import decode, encode
from ._fit import fit
from ._forecast import forecast
from ._impute import impute
from ._outliers import outliers
from ._reproduce import reproduce
from ._sample import sample
from ._score import score
from ._terminal import say
from .hosts import launch
from .pages import diagnose, explore, report

app = typer.Typer(
    name="wellposed",
    cls=Boundary,
    help="Variational autoencoders whose observation noise is right.",
    epilog="Start with: wellposed demo",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _show_version(requested: bool) -> None:
    if requested:
        say(f"wellposed {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show it."),
    ] = False,
) -> None:
    pass


for command in (
    demo, forecast, fit, diagnose, report, explore, sample, score, outliers, impute, encode,
    decode, compress, decompress, launch, reproduce, doctor,
):  # fmt: skip
    app.command()(command)
app.add_typer(data)
