"""A transform in words, for a reader who does not know its class."""

from ._abstract import AbstractTransform
from ._by_column import ByColumn
from ._identity import Identity
from ._log import Log
from ._log1p import Log1p
from ._logit import Logit
from ._standardize import Standardize
from ._unit import Unit

_NONE = "none: model units are the units of the data"
_OVER = "minus its mean, over its standard deviation"


def in_words(transform: AbstractTransform) -> str:
    """Return what a transform does to a feature x, on one line.

    Parameters
    ----------
    transform : fitted, or not; of a class that is not ours the name is returned

    Examples
    --------
    >>> from wellposed.transforms import Log1p
    >>> in_words(Log1p())
    'log(1 + x) of each feature x, minus its mean, over its standard deviation'
    """
    match transform:
        case Identity() | Unit(levels=None):
            return _NONE
        case Standardize():
            return _standardize(transform)
        case Log():
            return f"log x of each feature x, {_OVER}"
        case Log1p():
            return f"log(1 + x) of each feature x, {_OVER}"
        case Logit():
            return (
                f"log(p/(1 − p)) of each feature x, with p = {_on_unit(transform.levels)} kept "
                f"{float(transform.alpha):.3g} from 0 and 1"
            )
        case Unit():
            return f"{_on_unit(transform.levels)} of each feature x"
        case ByColumn():
            return _by_column(transform)
    return f"{type(transform).__name__}, a class of its own"


def _standardize(transform: Standardize) -> str:
    centre, scale = ("median", "spread") if transform.robust else ("mean", "standard deviation")
    over = f"all over one {scale}" if transform.shared else f"over its {scale}"
    defined = " (the width of the middle half of its values over that of a standard normal)"
    return f"each feature minus its {centre}, {over}{defined if transform.robust else ''}"


def _on_unit(levels: int | str | None) -> str:
    """Return the number in [0, 1] that a feature x is taken to."""
    if levels is None:
        return "x"
    size = levels if isinstance(levels, int) else "the number of levels"
    return f"(x + u)/{size}, u uniform in [0, 1),"


def _by_column(transform: ByColumn) -> str:
    *named, rest = transform.parts
    each = [f"{key}: {in_words(part)}" for key, part in zip(transform.keys, named, strict=True)]
    return "; ".join([*each, f"other columns: {in_words(rest)}"])
