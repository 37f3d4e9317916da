"""Exceptions and warnings. Every message has three parts: the rule, the value, the remedy."""

import difflib
from collections.abc import Iterable, Sequence
from typing import SupportsIndex

_MOST_NAMES = 40  # that a message lists


class WellposedError(Exception):
    """Base of every error that the library raises on purpose.

    Examples
    --------
    >>> issubclass(SettingError, WellposedError)
    True
    """


class DataError(WellposedError, ValueError):
    """The data break a rule: they are not finite, of a wrong shape, or outside a support.

    Examples
    --------
    >>> import wellposed as wp
    >>> try:
    ...     wp.PPCA(1).fit([[np.inf, 1.0], [2.0, 3.0]])
    ... except DataError as error:
    ...     print(type(error).__name__)
    DataError
    """


class OutsideSupport(DataError):  # noqa: N818
    """Values that a model gives no probability to; ``rows`` are the positions of their rows."""

    def __init__(self, message: str, *, rows: Sequence[int] = ()):
        super().__init__(message)
        self.rows = rows


class SettingError(WellposedError, ValueError):
    """A setting breaks a rule: it is out of range, unknown, or contradicts another.

    Examples
    --------
    >>> import wellposed as wp
    >>> try:
    ...     wp.PPCA(0).fit(np.eye(4))
    ... except SettingError as error:
    ...     print(type(error).__name__)
    SettingError
    """


class MissingPackageError(SettingError):
    """A setting needs an optional package that is not installed."""


class UnboundedLikelihoodError(WellposedError, ValueError):
    """The model's log density has no upper bound, so its likelihood has no maximum.

    Examples
    --------
    >>> issubclass(UnboundedLikelihoodError, WellposedError)
    True
    """


class DamagedFileError(WellposedError, ValueError):
    """A file's checksum, version or structure differs from what was written.

    Examples
    --------
    >>> import tempfile, pathlib, wellposed as wp
    >>> path = pathlib.Path(tempfile.mkdtemp(), "model.wp")
    >>> _ = path.write_bytes(b"no model")
    >>> try:
    ...     wp.load(path)
    ... except DamagedFileError as error:
    ...     print(type(error).__name__)
    DamagedFileError
    """


class OutputError(WellposedError, OSError):
    """An output cannot be written to the given path.

    Examples
    --------
    >>> issubclass(OutputError, WellposedError)
    True
    """


class DownloadError(WellposedError, OSError):
    """No mirror delivered a file with the right checksum.

    Examples
    --------
    >>> issubclass(DownloadError, WellposedError)
    True
    """


class HostsError(WellposedError, RuntimeError):
    """Processes of one training cannot join, or do not fit together.

    Examples
    --------
    >>> issubclass(HostsError, WellposedError)
    True
    """


class ForkedProcessError(WellposedError, RuntimeError):
    """The process was forked after JAX had started, so that its calls would never return.

    Examples
    --------
    >>> issubclass(ForkedProcessError, WellposedError)
    True
    """


class WellposedWarning(UserWarning):
    """Base of every warning that the library gives.

    Examples
    --------
    >>> issubclass(TrainingWarning, WellposedWarning)
    True
    """


class ConstantFeatureWarning(WellposedWarning):
    """Features that never vary are modelled as their constant.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", ConstantFeatureWarning)  # within this block
    """


class DataWarning(WellposedWarning):
    """Some values of the data are suspect: codes for gaps, gross errors, another unit.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", DataWarning)  # within this block
    """


class DataHint(WellposedWarning):
    """Another noise or transform suits the data better.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", DataHint)  # within this block
    """


class FloorWarning(WellposedWarning):
    """A noise variance is at its floor, or a given one is below it.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", FloorWarning)  # within this block
    """


class TrainingWarning(WellposedWarning):
    """Training ended early, without convergence or on a non-finite number.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", TrainingWarning)  # within this block
    """


class ReadWarning(WellposedWarning):
    """A file can be read in several ways, and the reader has chosen one.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", ReadWarning)  # within this block
    """


class DamageWarning(WellposedWarning):
    """Rows of a damaged file are lost.

    ``lost`` lists them: the first row of each range, and the first after it.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", DamageWarning)  # within this block
    """

    lost: Sequence[tuple[int, int]] = ()


class LikelihoodWarning(WellposedWarning):
    """An estimate of log p(x) is unreliable, and another one is returned.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", LikelihoodWarning)  # within this block
    """


def unknown_name(what: str, name: object, known: Iterable[str]) -> SettingError:
    """Build the error for an unknown name; its message suggests the closest known name.

    Parameters
    ----------
    what : the setting, as the message calls it
    name : the unknown name
    known : the accepted names
    """
    known = sorted(known)
    more = "" if len(known) <= _MOST_NAMES else f" and {len(known) - _MOST_NAMES} more"
    listed = f"{', '.join(known[:_MOST_NAMES])}{more}"
    return SettingError(f"{what} must be one of {listed}; got {name!r}. {suggest(name, known)}")


def suggest(name: object, known: Iterable[str]) -> str:
    """Return the remedy for an unknown name: the closest known one, or one of those listed.

    Parameters
    ----------
    name : the unknown name
    known : the accepted names
    """
    near = difflib.get_close_matches(str(name), sorted(known), n=1, cutoff=0.4)
    return f"Did you mean {near[0]!r}?" if near else "Choose one of these."


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
