"""From the words of the command line to the estimator's settings."""

from typing import Any

from wellposed._errors import SettingError
from wellposed._text import cut

_QUOTED = 60  # characters
_DIGITS = 18  # of a number that can be a size; Python itself reads no more than 4,300

_RENAMED = {"components": "n_components", "importance": "n_importance", "seed": "random_state"}


def estimator_settings(given: dict[str, Any]) -> dict[str, Any]:
    """Translate options of ``fit`` to arguments of ``VAE``.

    Raises
    ------
    SettingError
        If a list of widths, a shape or a resolution cannot be read.
    """
    return {
        **{_RENAMED.get(name, name): value for name, value in given.items()},
        "noise": number_or_name(given["noise"]),
        "batch_size": _whole_number_or_word(given["batch_size"]),
        "hidden": _whole_numbers("--hidden", given["hidden"], ",", "256,256"),
        "image_shape": given["image_shape"]
        and _whole_numbers("--image-shape", given["image_shape"].lower(), "x", "28x28"),
        "resolution": number_or_name(given["resolution"]),
        "patience": given["patience"] or None,
    }


def number_or_name(text: str) -> float | str:
    """Read a number where the text is one."""
    try:
        return float(text)
    except ValueError:
        return text


def _whole_number_or_word(text: str) -> int | str:
    return int(text) if is_whole(text) else text


def _whole_numbers(option: str, text: str, separator: str, example: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(separator)]
    if not all(map(is_whole, parts)):
        raise SettingError(
            f"{option} must be whole numbers joined by {separator!r}; got {cut(text, _QUOTED)!r}. "
            f"Write them as in {option} {example}."
        )
    return tuple(map(int, parts))


def is_whole(text: str) -> bool:
    """Whether a text is a whole number that can be a size or a position."""
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS
