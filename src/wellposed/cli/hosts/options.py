"""Options of a training over several processes."""

from typing import Annotated, Any, TypeAlias

import typer


def _hosts(text: str, *names: str, **given: Any) -> Any:
    return typer.Option(*names, help=text, rich_help_panel="Several processes", **given)


Distributed: TypeAlias = Annotated[
    bool,
    _hosts(
        "Work with the other processes that run this command, on all their devices. One of them "
        "writes. Address, number and id are those of SLURM, Open MPI, Kubernetes or the "
        "environment.",
        "--distributed",
    ),
]
Coordinator: TypeAlias = Annotated[
    str | None, _hosts("Address of process 0. The network must be trusted.", metavar="HOST:PORT")
]
Processes: TypeAlias = Annotated[int | None, _hosts("Number of processes.", min=1)]
Process: TypeAlias = Annotated[int | None, _hosts("Id of this process, from 0.", min=0)]
StepTimeout: TypeAlias = Annotated[
    float | None,
    _hosts(
        "End all processes if no step of the training, or chunk of the scores, has ended for so "
        "long. It must be longer than the first, which includes compilation.",
        metavar="SECONDS",
        min=0.1,
    ),
]
