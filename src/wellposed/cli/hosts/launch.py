"""``wellposed launch``: several processes on this host."""

import sys
from typing import Annotated

import typer

from wellposed._errors import SettingError

_MOST = 1024


def launch(
    command: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND…", help="The command, as after `wellposed`.")
    ],
    n: Annotated[
        int, typer.Option("--processes", "-n", help="Number of processes.", min=1, max=_MOST)
    ] = 2,
) -> None:
    """Run a distributed command in several processes on this host.

    For example: wellposed launch -n 2 -- fit rows.npy -o model.wp --distributed
    """
    if command[0] not in ("fit", "score") or "--distributed" not in command:
        raise SettingError(
            "The processes of launch must work together, as those of fit and score do with "
            "--distributed; got "
            f"{' '.join(command[:3])!r}. Write it as in: wellposed launch -n {n} -- fit rows.npy "
            "-o model.wp --distributed."
        )
    from wellposed import hosts

    code = hosts.launch([sys.executable, "-m", "wellposed", *command], n)
    if code:
        raise typer.Exit(code)
