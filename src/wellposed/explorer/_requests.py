"""From the body of a request to checked numbers."""

import dataclasses
import json
import math
from typing import Any

import numpy as np

from ._refusal import RefusedError

MOST_LATENT = 1e4  # far from the prior a decoder is meaningless, and float32 overflows
MOST_ALPHA = 5.0  # Φ(α) is 0 or 1 in float32 beyond 5.3
MOST_DRAWS = 2**31


@dataclasses.dataclass(frozen=True, eq=False)
class Wish:
    """Where to look: z of shape (k,), α of the quantile, and the number of the draw."""

    z: np.ndarray
    alpha: float
    draw: int


def most_bytes(k: int) -> int:
    """No valid body is longer: some 25 characters a number."""
    return 1_024 + 32 * k


def parse_wish(body: bytes, k: int) -> Wish:
    """Read ``{"z": [k numbers], "alpha": number, "draw": whole number}``."""
    wish = _members(body, ("z", "alpha", "draw"))
    z = wish["z"]
    if not isinstance(z, list) or len(z) != k:
        got = f"{len(z)} entries" if isinstance(z, list) else _shorten(z)
        raise RefusedError(
            422, f"z must be a list of {k} numbers, one a latent; got {got}. Give {k}."
        )
    codes = [_number(f"z[{i}]", value, MOST_LATENT) for i, value in enumerate(z)]
    alpha = _number("alpha", wish["alpha"], MOST_ALPHA)
    return Wish(np.array(codes, np.float32), alpha, _whole("draw", wish["draw"], MOST_DRAWS))


def parse_datum(body: bytes, n: int) -> int:
    """Read ``{"datum": position among the n points of the plane}``."""
    if n == 0:
        raise RefusedError(
            404, "There must be data to choose from; none were given. Start explore with DATA."
        )
    return _whole("datum", _members(body, ("datum",))["datum"], n)


def _members(body: bytes, names: tuple[str, ...]) -> dict[str, Any]:
    try:
        parsed = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RefusedError(
            400, f"A body must be JSON; this one is not ({_shorten(str(error))}). Send an object."
        ) from error
    if not isinstance(parsed, dict) or set(parsed) != set(names):
        got = (
            ", ".join(map(_shorten, parsed)) if isinstance(parsed, dict) else type(parsed).__name__
        )
        raise RefusedError(
            422,
            f"A body must be an object with {', '.join(names)}; got {got or 'nothing'}. "
            "Send these, and no others.",
        )
    return parsed


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON number")


def _number(name: str, value: Any, most: float) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # Compared first: a whole number of a thousand digits has no float.
    if not (number and -most <= value <= most and math.isfinite(value)):
        raise RefusedError(
            422, f"{name} must be a number from {-most:g} to {most:g}; got {_shorten(value)}. "
            "Choose one between them."
        )  # fmt: skip
    return float(value)


def _whole(name: str, value: Any, below: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < below:
        raise RefusedError(
            422, f"{name} must be a whole number from 0 to {below - 1}; got {_shorten(value)}. "
            "Choose one of them."
        )  # fmt: skip
    return value


def _shorten(value: Any) -> str:
    """A value for a message, cut short. A number of thousands of digits has no text at all."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 200:
        return f"a number of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
