"""From a user's word to a transform."""

from collections.abc import Mapping, Sequence

from wellposed._errors import SettingError, unknown_name

from ._abstract import AbstractTransform
from ._by_column import ByColumn
from ._identity import Identity
from ._log import Log
from ._log1p import Log1p
from ._logit import Logit
from ._standardize import Standardize
from ._support import REALS, UNIT, Support
from ._unit import Unit

_NAMES = ("auto", "identity", "log", "log1p", "logit", "robust", "standardize", "unit")


def resolve(
    transform: str | Mapping | AbstractTransform,
    *,
    one_unit: bool,
    support: Support = REALS,
    heavy_tailed: bool = False,
) -> AbstractTransform:
    """Turn a name, or a transform, into a transform.

    Parameters
    ----------
    transform : "auto", a name, a transform, or a mapping of columns to transforms
        "auto" is what the noise is made for: "standardize" for noise on the real line, "unit"
        on [0, 1], "identity" on whole numbers and on amounts. "robust" is "standardize" by median
        and middle half, which "auto" takes for heavy tails where each feature has its own scale.
    one_unit : whether all features share a unit, as pixels do, so that "standardize" gives them
        one scale
    support : of the noise
    heavy_tailed : whether the noise withstands outliers, so that the transform must as well

    Raises
    ------
    SettingError
        For an unknown name, and for a transform whose values are off the noise's support.
    """
    found = _by_name(transform, one_unit, support, heavy_tailed and not one_unit)
    if found.range is not None and not support.contains(found.range):
        raise SettingError(
            f"The noise needs {support}; {type(found).__name__} makes {found.range} of the data. "
            'Leave transform at "auto".'
        )
    return found


def place(
    transform: str | Mapping | AbstractTransform, d: int, names: Sequence[str] | None
) -> str | AbstractTransform:
    """Find the columns of a transform that names them; any other is returned as it is.

    A mapping is :class:`ByColumn` with the rest standardised.
    """
    if isinstance(transform, Mapping):
        transform = ByColumn(transform)
    return transform.place(d, names) if isinstance(transform, ByColumn) else transform


def _by_name(
    transform: str | Mapping | AbstractTransform, one_unit: bool, support: Support, robust: bool
) -> AbstractTransform:
    if isinstance(transform, Mapping):
        return ByColumn(transform)
    if isinstance(transform, AbstractTransform):
        return transform
    if not isinstance(transform, str):
        raise SettingError(
            f"transform must be a name or a transform; got {transform!r}. "
            "Choose from wp.transforms, or subclass wp.transforms.AbstractTransform."
        )
    if transform == "auto":
        on_line = "robust" if robust else "standardize"
        transform = on_line if support == REALS else "unit" if support == UNIT else "identity"
    match transform:
        case "standardize":
            return Standardize(shared=one_unit)
        case "robust":
            return Standardize(shared=one_unit, robust=True)
        case "log":
            return Log()
        case "log1p":
            return Log1p()
        case "logit":
            return Logit()
        case "identity":
            return Identity()
        case "unit":
            return Unit()
    raise unknown_name("transform", transform, _NAMES)
