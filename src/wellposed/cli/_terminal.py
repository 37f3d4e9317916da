"""Text for the terminal: escaped, in characters of its encoding, and flushed at the end."""

import codecs
import contextlib
import os
import sys
from typing import IO, Any

import typer

from wellposed._text import cut, paragraph, visible

# The interpreter's own error handlers. Any other handler was set by the user, and is kept.
_OWN = ("strict", "surrogateescape", "backslashreplace")
_MESSAGE = 4_000  # characters at most, since a name in a message can be longer
_HANDLER = "wellposed.transliterate"
# For encodings that lack them (ASCII, the code pages of Windows). Others become "?".
_PLAIN = {
    "σ": "sigma", "μ": "mu", "λ": "lambda", "α": "alpha", "β": "beta", "ε": "epsilon",
    "δ": "delta", "Φ": "Phi", "²": "^2", "ᵀ": "^T", "⁻": "^-", "¹": "1", "·": "*", "×": "x",
    "‖": "||", "∼": "~", "≈": "~", "≤": "<=", "≥": ">=", "≠": "!=", "±": "+-", "−": "-",
    "–": "-", "—": "-", "…": "...", "→": "->", "½": "1/2", "√": "sqrt ", "∞": "inf", "Σ": "sum ",
    "✓": "+", "✗": "x", "’": "'", "‘": "'", "“": '"', "”": '"', "•": "*", "\u0302": "^",
    "╭": "+", "╮": "+", "╰": "+", "╯": "+",
    "\u2009": " ", "\u00a0": " ", "━": "-", "─": "-", "│": "|", "╸": "-", "╺": "-",
}  # fmt: skip


def say(text: object, *, err: bool = False, colour: str | None = None) -> None:
    """Write lines to stdout or stderr, with invisible characters escaped."""
    shown = "\n".join(map(visible, str(text).split("\n")))
    # Name the stream: by default typer writes UTF-8, even to a terminal of ASCII.
    stream = sys.stderr if err else sys.stdout
    if colour is None:
        typer.echo(shown, file=stream)
    else:
        typer.secho(shown, file=stream, fg=colour)


def say_paragraph(label: str, text: object, *, colour: str) -> None:
    """Write a message to stderr as one paragraph."""
    say(f"{label}: {cut(paragraph(text), _MESSAGE)}", err=True, colour=colour)


def prepare() -> None:
    """Make both streams accept any text; a closed stream discards it."""
    codecs.register_error(_HANDLER, _transliterate)
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if stream is None:
            # Otherwise the next file that we open gets the number of the stream.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif getattr(stream, "errors", None) in _OWN:
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:
                reconfigure(errors=_HANDLER)


def finish() -> None:
    """Flush stdout, so that an error is raised here and not at the exit of the interpreter.

    Raises
    ------
    OSError
        If the other end of a pipe is closed, or the disk is full.
    """
    try:
        sys.stdout.flush()
    except OSError:
        _discard(sys.stdout)
        raise


def settle() -> None:
    """Flush stdout, or discard its text: the interpreter would fail on it at its exit."""
    with contextlib.suppress(OSError):
        finish()


def _discard(stream: IO[str]) -> None:
    try:
        number = stream.fileno()
    except (OSError, ValueError):  # a stream in memory, as in tests
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def _transliterate(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_PLAIN.get(character, "?") for character in text), error.end
