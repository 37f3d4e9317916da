"""Exceptions and warnings. Every message has three parts: the rule, the value, the remedy."""

import difflib
from collections.abc import Iterable, Sequence
from typing import SupportsIndex


class WellposedError(Exception):
    """Base of every error that the library raises on purpose."""


class DataError(WellposedError, ValueError):
    """The data break a rule: they are not finite, of a wrong shape, or outside a support."""


class OutsideSupport(DataError):  # noqa: N818
    """Values that a model gives no probability to; ``rows`` are the positions of their rows."""

    def __init__(self, message: str, *, rows: Sequence[int] = ()):
        super().__init__(message)
        self.rows = rows


class SettingError(WellposedError, ValueError):
    """A setting breaks a rule: it is out of range, unknown, or contradicts another."""


class MissingPackageError(SettingError):
    """A setting needs an optional package that is not installed."""


class UnboundedLikelihoodError(WellposedError, ValueError):
    """The model's log density has no upper bound, so its likelihood has no maximum."""


class DamagedFileError(WellposedError, ValueError):
    """A file's checksum, version or structure differs from what was written."""


class OutputError(WellposedError, OSError):
    """An output cannot be written to the given path."""


class DownloadError(WellposedError, OSError):
    """No mirror delivered a file with the right checksum."""


class HostsError(WellposedError, RuntimeError):
    """Processes of one training cannot join, or do not fit together."""


class ForkedProcessError(WellposedError, RuntimeError):
    """The process was forked after JAX had started, so that its calls would never return."""


class WellposedWarning(UserWarning):
    """Base of every warning that the library gives."""


class ConstantFeatureWarning(WellposedWarning):
    """Features that never vary are modelled as their constant."""


class DataWarning(WellposedWarning):
    """Some values of the data are suspect: codes for gaps, gross errors, another unit."""


class DataHint(WellposedWarning):
    """Another noise or transform suits the data better."""


class FloorWarning(WellposedWarning):
    """A noise variance is at its floor, or a given one is below it."""


class TrainingWarning(WellposedWarning):
    """Training ended early, without convergence or on a non-finite number."""


class ReadWarning(WellposedWarning):
    """A file can be read in several ways, and the reader has chosen one."""


class DamageWarning(WellposedWarning):
    """Rows of a damaged file are lost.

    ``lost`` lists them: the first row of each range, and the first after it.
    """

    lost: Sequence[tuple[int, int]] = ()


class LikelihoodWarning(WellposedWarning):
    """An estimate of log p(x) is unreliable, and another one is returned."""


def unknown_name(what: str, name: object, known: Iterable[str]) -> SettingError:
    """Build the error for an unknown name; its message suggests the closest known name.

    Parameters
    ----------
    what : the setting, as the message calls it
    name : the unknown name
    known : the accepted names
    """
    known = sorted(known)
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.4)
    hint = f"Did you mean {near[0]!r}?" if near else f"Choose one of {', '.join(known)}."
    return SettingError(f"{what} must be one of {', '.join(known)}; got {name!r}. {hint}")


def named_features(
    indices: Iterable[SupportsIndex], most: int = 8, names: Sequence[object] | None = None
) -> str:
    """List features for a message, by their names or else by their numbers.

    Parameters
    ----------
    indices : positions of the features, counted from 0
    most : features to list; the message counts the others
    names : of all features; None lists the positions
    """
    listed = [int(i) for i in indices]
    shown = ", ".join(str(i) if names is None else repr(str(names[i])) for i in listed[:most])
    return shown if len(listed) <= most else f"{shown} and {len(listed) - most} more"
