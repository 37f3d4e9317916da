"""What a constructor's settings may be: a table, checked when fitting starts."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from wellposed._errors import SettingError

from ._settings import plain


@dataclasses.dataclass(frozen=True)
class Constraint:
    """A rule in words, and the predicate that holds it."""

    rule: str
    allows: Callable[[Any], bool]


_MOST = 10**9  # of anything that is counted: beyond, counters overflow and memory ends


def whole(low: int, most: int = _MOST) -> Constraint:
    """Accept whole numbers from ``low`` to ``most``."""
    return Constraint(
        f"a whole number ≥ {low} and ≤ {most:,}",
        lambda v: isinstance(v, Integral) and not isinstance(v, bool) and low <= int(v) <= most,
    )


def finite() -> Constraint:
    """Accept finite numbers of either sign."""
    return Constraint("a finite number", _is_real)


def real(low: int | float, *, open_below: bool = False) -> Constraint:
    """Accept finite numbers from ``low`` upwards, itself excluded if ``open_below``."""
    return Constraint(
        f"a finite number {'>' if open_below else '≥'} {low:g}",
        lambda v: _is_real(v) and (v > low if open_below else v >= low),
    )


def fraction() -> Constraint:
    """Accept numbers in [0, 1)."""
    return Constraint("a number in [0, 1)", lambda v: _is_real(v) and 0 <= v < 1)


def boolean() -> Constraint:
    """Accept True and False."""
    return Constraint("True or False", lambda v: isinstance(v, bool))


def optional(inner: Constraint) -> Constraint:
    """Accept None beside what ``inner`` accepts."""
    return Constraint(f"None or {inner.rule}", lambda v: v is None or inner.allows(v))


def or_word(word: str, inner: Constraint) -> Constraint:
    """Accept one word beside what ``inner`` accepts."""
    return Constraint(
        f'"{word}" or {inner.rule}',
        lambda v: v == word if isinstance(v, str) else inner.allows(v),
    )


def one_of(words: Sequence[str]) -> Constraint:
    """Accept a few words."""
    return Constraint(f"one of {', '.join(words)}", lambda v: isinstance(v, str) and v in words)


def sizes() -> Constraint:
    """Accept sequences of positive whole numbers."""
    one = whole(1)
    return Constraint(
        "a sequence of whole numbers ≥ 1",
        lambda v: isinstance(v, (tuple, list)) and all(one.allows(size) for size in v),
    )


def check(settings: Mapping[str, Any], constraints: Mapping[str, Constraint]) -> None:
    """Raise ``SettingError`` at the first setting that breaks its rule; NumPy's scalars fit."""
    for name, constraint in constraints.items():
        value = plain(settings[name])
        if not constraint.allows(value):
            raise SettingError(f"{name} must be {constraint.rule}; got {value!r}. Change {name}.")


def _is_real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
