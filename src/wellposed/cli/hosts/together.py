"""The processes of one command: they join, and one of them writes."""

import contextlib
import dataclasses
import os
import traceback
import warnings
from collections.abc import Iterator

import typer

from wellposed._errors import SettingError, WellposedWarning

from .._boundary import INTERRUPTED, is_expected, report_error
from .._terminal import say


@dataclasses.dataclass(frozen=True)
class Role:
    """What this process does for the others.

    Parameters
    ----------
    distributed : whether the training is one of several processes, if only of one now
    writes : whether it writes files and messages; one does
    """

    distributed: bool = False
    writes: bool = True


@contextlib.contextmanager
def joined(
    wanted: bool,
    coordinator: str | None = None,
    processes: int | None = None,
    process: int | None = None,
    step_timeout: float | None = None,
) -> Iterator[Role]:
    """Join the other processes of the command, and leave them at the end of the block.

    Parameters
    ----------
    wanted : whether there are others
    coordinator, processes, process, step_timeout : as of :func:`wellposed.hosts.together`

    Raises
    ------
    SettingError
        For options of several processes without ``wanted``.
    HostsError
        If the place of this process is not known.
    """
    given = {
        "--coordinator": coordinator,
        "--processes": processes,
        "--process": process,
        "--step-timeout": step_timeout,
    }
    if not wanted:
        for option, value in given.items():
            if value is not None:
                raise SettingError(
                    f"{option} is for several processes; got it without "
                    "--distributed. Add that, or leave it out."
                )
        yield Role()
        return
    from wellposed import hosts

    place = hosts.find_place(
        os.environ, address=coordinator, n_processes=processes, process=process
    )
    role = Role(distributed=True, writes=place.process == 0)
    with hosts.together(place, step_timeout=step_timeout, report=_report, orderly=(typer.Exit,)):
        if not role.writes:  # process 0 gives the same warnings
            warnings.simplefilter("ignore", WellposedWarning)
        yield role


def _report(error: BaseException) -> int:
    """Write what the command line writes of an error, and return its exit code."""
    if isinstance(error, Exception) and is_expected(error):
        return report_error(error)
    if isinstance(error, KeyboardInterrupt):
        say("Interrupted.", err=True)
        return INTERRUPTED
    say("".join(traceback.format_exception(error)).rstrip(), err=True)
    return 1
