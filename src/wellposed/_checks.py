"""Rules for settings, and functions that check them and raise errors of one wording.

Numbers of NumPy and of JAX, and their arrays without axes, count as numbers; True, False, NaN and
infinities do not.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from wellposed._errors import SettingError

MOST_DRAWS = 10_000_000  # draws, chains or steps: a larger number takes more than a day
_MOST = 10**9  # of any count: a larger number overflows counters or memory


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule in words, and the predicate that decides it for a plain value."""

    text: str
    allows: Callable[[Any], bool]


def plain(value: Any) -> Any:
    """Return numbers, flags and text of NumPy and JAX, alone or in sequences, as Python's.

    They come from ``np.arange`` in a grid and from ``scipy.stats`` in a random search. Any other
    object is returned as it is.

    Examples
    --------
    >>> plain(np.float64(0.5)), plain((np.int64(3), 4))
    (0.5, (3, 4))
    """
    if type(value) in (tuple, list) and any(isinstance(item, np.generic) for item in value):
        return type(value)(plain(item) for item in value)
    kind = getattr(getattr(value, "dtype", None), "kind", "O")
    return value.item() if kind in "biufUS" and value.ndim == 0 else value


def whole(low: int = 1, most: int = _MOST) -> Rule:
    """Accept whole numbers from ``low`` to ``most``."""
    return Rule(
        f"a whole number from {low:,} to {most:,}" if most != _MOST else f"a whole number ≥ {low}",
        lambda v: isinstance(v, Integral) and not isinstance(v, bool) and low <= int(v) <= most,
    )


def real(
    *,
    low: float = -math.inf,
    above: float = -math.inf,
    high: float = math.inf,
    below: float = math.inf,
) -> Rule:
    """Accept finite numbers with low ≤ v ≤ high and above < v < below."""
    text = "a finite number"
    if min(high, below) < math.inf and max(low, above) > -math.inf:
        left = f"({above:g}" if above > low else f"[{low:g}"
        text = f"a number in {left}, " + (f"{below:g})" if below < high else f"{high:g}]")
    else:
        ends = {" ≥ ": low, " > ": above, " ≤ ": high, " < ": below}
        text += "".join(f"{sign}{end:g}" for sign, end in ends.items() if math.isfinite(end))
    return Rule(text, lambda v: _is_finite(v) and low <= v <= high and above < v < below)


def boolean() -> Rule:
    """Accept True and False."""
    return Rule("True or False", lambda v: isinstance(v, bool))


def one_of(words: Sequence[str]) -> Rule:
    """Accept a few words."""
    return Rule(f"one of {', '.join(words)}", lambda v: isinstance(v, str) and v in words)


def optional(inner: Rule) -> Rule:
    """Accept None beside what ``inner`` accepts."""
    return Rule(f"None or {inner.text}", lambda v: v is None or inner.allows(v))


def or_word(word: str, inner: Rule) -> Rule:
    """Accept one word beside what ``inner`` accepts."""
    return Rule(
        f'"{word}" or {inner.text}',
        lambda v: v == word if isinstance(v, str) else inner.allows(v),
    )


def sizes(least: int = 0, most: int | None = None) -> Rule:
    """Accept ``least`` to ``most`` whole numbers ≥ 1 in a sequence."""
    one, end = whole(), math.inf if most is None else most
    many = "a sequence of" if most is None else " or ".join(map(str, range(least, most + 1)))
    return Rule(
        f"{many} whole numbers ≥ 1",
        lambda v: (
            isinstance(v, (tuple, list)) and least <= len(v) <= end and all(map(one.allows, v))
        ),
    )


def check(name: str, value: Any, rule: Rule, remedy: str = "") -> Any:
    """Return a setting as a plain value.

    Parameters
    ----------
    name : of the setting, as the user writes it
    value : of the setting
    rule : that the value must follow
    remedy : what to do instead, in a sentence; by default to change it

    Raises
    ------
    SettingError
        With the rule, the value and the remedy, for a value that breaks the rule.

    Examples
    --------
    >>> check("beta", np.float64(4.0), real(low=0))
    4.0
    >>> check("beta", -1.0, real(low=0), "1 is the ELBO.")
    Traceback (most recent call last):
    wellposed._errors.SettingError: beta must be a finite number ≥ 0; got -1.0. 1 is the ELBO.
    """
    found = plain(value)
    if not rule.allows(found):
        remedy = remedy or f"Change {name}."
        raise SettingError(f"{name} must be {rule.text}; got {found!r}. {remedy}")
    return found


def check_settings(settings: Mapping[str, Any], rules: Mapping[str, Rule]) -> None:
    """Apply :func:`check` to the settings that have a rule."""
    for name, rule in rules.items():
        check(name, settings[name], rule)


def check_count(
    name: str, value: Any, remedy: str = "", *, low: int = 1, most: int = MOST_DRAWS
) -> int:
    """Return a whole number from ``low`` to ``most``; see :func:`check`.

    Examples
    --------
    >>> check_count("n_samples", np.int64(128))
    128
    """
    return check(name, value, whole(low, most), remedy)


def check_number(name: str, value: Any, remedy: str = "", **limits: float) -> float:
    """Return a finite number within the limits of :func:`real`; see :func:`check`.

    Examples
    --------
    >>> check_number("share", 0.25, above=0, below=1)
    0.25
    """
    return float(check(name, value, real(**limits), remedy))


def check_numbers(
    name: str,
    values: Any,
    remedy: str = "",
    *,
    n: int | None = None,
    one: bool = True,
    **limits: float,
) -> np.ndarray:
    """Return one finite number, or several, within the limits of :func:`real`.

    Parameters
    ----------
    name, remedy : see :func:`check`
    values : a number, or an array-like of shape (n,)
    n : required number of values, where there are several; None allows any number but zero
    one : whether a single number is accepted
    **limits : of each number

    Returns
    -------
    float64 array of shape () or (n,)

    Raises
    ------
    SettingError
        For anything else.

    Examples
    --------
    >>> check_numbers("scales", [1, 2], n=2, above=0)
    array([1., 2.])
    """
    rule = real(**limits)
    try:
        found = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    fits = (found.ndim == 0 and one) or (
        found.ndim == 1 and found.size > 0 and n in (None, found.size)
    )
    if not fits or not all(map(rule.allows, np.unique(found).tolist())):
        many = "several" if n is None else n
        text = f"{rule.text}, or {many} of them" if one else f"{many} numbers, each {rule.text}"
        raise SettingError(f"{name} must be {text}; got {values!r}. {remedy or f'Change {name}.'}")
    return found


def check_sizes(
    name: str, value: Any, remedy: str = "", *, least: int = 0, most: int | None = None
) -> tuple[int, ...]:
    """Return ``least`` to ``most`` whole numbers ≥ 1, given in any sequence or array.

    Examples
    --------
    >>> check_sizes("hidden", np.array([256, 128]))
    (256, 128)
    """
    try:
        listed = tuple(map(plain, value))
    except TypeError:
        listed = value
    return check(name, listed, sizes(least, most), remedy)


def _is_finite(value: Any) -> bool:
    number = isinstance(value, Real) and not isinstance(value, bool)
    return number and -math.inf < value < math.inf  # pyright: ignore[reportOperatorIssue]
