"""``wellposed doctor``: what is installed, and whether it computes as released."""

from typing import Annotated

import typer

from ._terminal import say


def doctor(
    self_test: Annotated[
        bool, typer.Option(help="Whether to compute figures with known values, in seconds.")
    ] = True,
    licences: Annotated[
        bool,
        typer.Option(
            "--licences", help="List the licence of every package that is needed, and no more."
        ),
    ] = False,
) -> None:
    """Examine the installation: versions, devices, caches, a self-test.

    The exit code is 1 if a figure of the self-test differs from its expected value, or a package is
    missing or too old. The page names the remedy.
    """
    from wellposed import installation

    if licences:
        for name, licence in installation.licences(tuple(installation.EXTRAS)).items():
            say(f"{name:24}{licence}")
        return
    found = installation.doctor(self_test=self_test)
    say(found)
    if not found.sound:
        raise typer.Exit(1)
