"""Where exceptions and warnings become lines on stderr."""

import traceback
import warnings
from typing import Any

import typer
from typer.core import TyperGroup

from wellposed._errors import (
    ConstantFeatureWarning,
    DataWarning,
    FloorWarning,
    LikelihoodWarning,
    ReadWarning,
    TrainingWarning,
    WellposedError,
)

INTERRUPTED = 130  # as the shell itself reports a process ended by Ctrl-C
_REFUSED = 2
_SHOWN = (
    ConstantFeatureWarning,
    DataWarning,
    FloorWarning,
    LikelihoodWarning,
    ReadWarning,
    TrainingWarning,
)


class Boundary(TyperGroup):
    """A group of commands whose expected errors end in one message and exit code 2.

    Expected are the library's own errors, scikit-learn's complaints about data, and files that
    the system does not give. All else is a bug, and keeps its traceback.
    """

    def invoke(self, ctx: Any) -> Any:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            for category in _SHOWN:
                warnings.simplefilter("always", category)
            try:
                return super().invoke(ctx)
            except BrokenPipeError:
                raise  # `wellposed ... | head` is no error: typer ends it quietly
            except (WellposedError, OSError, ValueError) as error:
                if not _expected(error):
                    raise
                typer.secho(f"error: {_message(error)}", fg="red", err=True)
                raise typer.Exit(_REFUSED) from error
            except KeyboardInterrupt as error:
                typer.secho("Interrupted.", err=True)
                raise typer.Exit(INTERRUPTED) from error


def _expected(error: Exception) -> bool:
    if isinstance(error, (WellposedError, OSError)):
        return True
    # scikit-learn checks shapes for us and raises plain ValueErrors; one that comes from
    # anywhere else is not about the user's data.
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_globals.get("__name__", "").startswith("sklearn.")


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}."
    return str(error)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    typer.secho(f"warning: {message}", fg="yellow", err=True)
