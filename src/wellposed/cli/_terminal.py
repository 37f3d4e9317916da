"""What reaches the terminal: text that obeys nobody, in characters that it has, and its end."""

import codecs
import contextlib
import os
import sys
from typing import IO, Any

import typer

from wellposed._text import cut, paragraph, visible

# How the interpreter sets streams up; another handler is the user's, and stays.
_OWN = ("strict", "surrogateescape", "backslashreplace")
_MESSAGE = 4_000  # characters; a name in it may be longer
_HANDLER = "wellposed.transliterate"
# For encodings without them (ASCII, the code pages of Windows); any other character is a "?".
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
    """Write lines to stdout or stderr; what cannot be seen in them is written as its escape."""
    shown = "\n".join(map(visible, str(text).split("\n")))
    # The stream itself: asked for a default one, typer writes UTF-8 to a terminal of ASCII.
    stream = sys.stderr if err else sys.stdout
    if colour is None:
        typer.echo(shown, file=stream)
    else:
        typer.secho(shown, file=stream, fg=colour)


def say_paragraph(label: str, text: object, *, colour: str) -> None:
    """Write a message to stderr as one paragraph, whatever it is made of."""
    say(f"{label}: {cut(paragraph(text), _MESSAGE)}", err=True, colour=colour)


def prepare() -> None:
    """Make both streams take any text; one that was closed swallows it."""
    codecs.register_error(_HANDLER, _transliterated)
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if stream is None:
            # Its number must not become that of a file which we open.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif getattr(stream, "errors", None) in _OWN:
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:
                reconfigure(errors=_HANDLER)


def finish() -> None:
    """Write what is still held back, so that a failure is met here and not at the very end.

    Raises
    ------
    OSError
        Where the other end of a pipe is gone, or the disk is full.
    """
    try:
        sys.stdout.flush()
    except OSError:
        _discard(sys.stdout)
        raise


def settle() -> None:
    """Write what is still held back, or drop it: the interpreter would fail on it at its end."""
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


def _transliterated(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(_PLAIN.get(character, "?") for character in wrong), error.end
