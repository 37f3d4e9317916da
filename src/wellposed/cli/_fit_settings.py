"""From the words of the command line to the estimator's settings."""

from typing import Any

from wellposed._errors import SettingError

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
    return int(text) if text.isascii() and text.isdigit() else text


def _whole_numbers(option: str, text: str, separator: str, example: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(separator)]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise SettingError(
            f"{option} must be whole numbers joined by {separator!r}; got {text!r}. "
            f"Write them as in {option} {example}."
        )
    return tuple(map(int, parts))
