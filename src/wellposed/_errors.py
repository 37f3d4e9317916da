"""Exceptions and warnings. Every message has three parts: the rule, the value, the remedy."""

import difflib
from collections.abc import Iterable, Sequence


class WellposedError(Exception):
    """Base of every error that the library raises on purpose."""


class DataError(WellposedError, ValueError):
    """The data break a rule: not finite, of the wrong shape, outside a support."""


class SettingError(WellposedError, ValueError):
    """A setting breaks a rule: out of range, of an unknown name, at odds with another."""


class UnboundedLikelihoodError(WellposedError, ValueError):
    """The model's log density has no upper bound, so its likelihood has no maximum."""


class DamagedFileError(WellposedError, ValueError):
    """A file's checksum, version or structure is not what was written."""


class OutputError(WellposedError, OSError):
    """An output cannot be written where it was asked for."""


class DownloadError(WellposedError, OSError):
    """No mirror delivered a file with the right checksum."""


class ForkedProcessError(WellposedError, RuntimeError):
    """The process was forked after JAX had started, so that its calls would never return."""


class ConstantFeatureWarning(UserWarning):
    """Features that never vary are modelled as their constant."""


class DataWarning(UserWarning):
    """Values of the data are suspect: codes for gaps, gross errors, another unit."""


class DataHint(UserWarning):
    """Another noise or transform is made for data such as these."""


class FloorWarning(UserWarning):
    """A noise variance is at its floor, or a given one is below it."""


class TrainingWarning(UserWarning):
    """Training ended early, without convergence or on a non-finite number."""


class ReadWarning(UserWarning):
    """A file left open how it is to be read, and the reader decided."""


class LikelihoodWarning(UserWarning):
    """An estimate of log p(x) could not be believed, and another took its place."""


def unknown_name(what: str, name: object, known: Iterable[str]) -> SettingError:
    """Build the error for a name that is not one of ``known``, with the closest suggested."""
    known = sorted(known)
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.4)
    hint = f"Did you mean {near[0]!r}?" if near else f"Choose one of {', '.join(known)}."
    return SettingError(f"{what} must be one of {', '.join(known)}; got {name!r}. {hint}")


def named_features(
    indices: Iterable[int], most: int = 8, names: Sequence[object] | None = None
) -> str:
    """List features for a message by their names, or else their numbers, cut after ``most``."""
    listed = [int(i) for i in indices]
    shown = ", ".join(str(i) if names is None else repr(str(names[i])) for i in listed[:most])
    return shown if len(listed) <= most else f"{shown} and {len(listed) - most} more"
