"""Exceptions and warnings as lines on stderr."""

import errno
import sys
import traceback
import warnings
from typing import Any

import typer
from typer.core import TyperGroup

from wellposed._errors import WellposedError, WellposedWarning
from wellposed._text import paragraph, visible

from ._terminal import finish, prepare, say, say_paragraph, settle

INTERRUPTED = 130  # as the shell itself reports a process ended by Ctrl-C
_CLOSED = 141  # as the shell reports a process that SIGPIPE ended
_REFUSED = 2


class Boundary(TyperGroup):
    """A group of commands whose expected errors end in one message and exit code 2.

    The library's own errors, scikit-learn's errors about data, and errors of the file system are
    expected. Every other exception is a bug, and keeps its traceback.
    """

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line, with streams that accept any text."""
        prepare()
        try:
            return super().main(*args, **kwargs)
        except OSError as error:  # of a stream, such as a full disk under --version
            sys.exit(report_error(error))

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read the options; escape invisible characters that a usage error quotes."""
        try:
            return super().make_context(*args, **kwargs)
        except Exception as error:
            _make_visible(error)
            raise

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            warnings.simplefilter("always", WellposedWarning)
            try:
                result = super().invoke(ctx)
                finish()
                return result
            except (WellposedError, OSError, ValueError) as error:
                if not is_expected(error):
                    raise
                raise typer.Exit(report_error(error)) from error
            except KeyboardInterrupt as error:
                say("Interrupted.", err=True)
                raise typer.Exit(INTERRUPTED) from error
            except Exception as error:
                _make_visible(error)
                raise


def report_error(error: Exception) -> int:
    """Write the message on stderr, unless the pipe is closed; return the exit code."""
    settle()
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        return _CLOSED
    say_paragraph("error", _message(error), colour="red")
    return _REFUSED


def _make_visible(error: Exception) -> None:
    """Escape the message of a usage error, whose class depends on the version of typer."""
    message = getattr(error, "message", None)
    if isinstance(message, str) and hasattr(error, "exit_code"):
        error.message = paragraph(message)  # type: ignore[attr-defined]


def is_expected(error: Exception) -> bool:
    """Whether an error is about data, settings or files, and no bug."""
    if isinstance(error, (WellposedError, OSError)):
        return True
    # scikit-learn checks shapes for us and raises plain ValueErrors. A ValueError from any other
    # module is not about the user's data.
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_globals.get("__name__", "").startswith("sklearn.")


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = "output" if error.filename is None else visible(error.filename)
        return f"{where}: {error.strerror}."
    return str(error)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    say_paragraph("warning", message, colour="yellow")
