"""From a user's word to a transform."""

from wellposed._errors import SettingError, unknown_name

from ._abstract import AbstractTransform
from ._identity import Identity
from ._logit import Logit
from ._standardize import Standardize
from ._support import REALS, Support
from ._unit import Unit

_NAMES = ("auto", "identity", "logit", "standardize", "unit")


def resolve(
    transform: str | AbstractTransform, *, one_unit: bool, support: Support = REALS
) -> AbstractTransform:
    """Turn a name, or a transform, into a transform.

    Parameters
    ----------
    transform : "auto", "identity", "logit", "standardize", "unit" or a transform
        "auto" is what the noise is made for: "standardize" for noise on the real line, "unit"
        on [0, 1], "identity" on whole numbers.
    one_unit : whether all features share a unit, as pixels do, so that "standardize" gives them
        one scale
    support : of the noise

    Raises
    ------
    SettingError
        For an unknown name, and for a transform whose values are off the noise's support.
    """
    found = _named(transform, one_unit, support)
    if found.range is not None and not support.contains(found.range):
        raise SettingError(
            f"The noise needs {support}; {type(found).__name__} makes {found.range} of the data. "
            'Leave transform at "auto".'
        )
    return found


def _named(
    transform: str | AbstractTransform, one_unit: bool, support: Support
) -> AbstractTransform:
    if isinstance(transform, AbstractTransform):
        return transform
    if not isinstance(transform, str):
        raise SettingError(
            f"transform must be a name or a transform; got {transform!r}. "
            "Choose from wp.transforms, or subclass wp.transforms.AbstractTransform."
        )
    if transform == "auto":
        transform = "standardize" if support == REALS else "identity" if support.whole else "unit"
    match transform:
        case "standardize":
            return Standardize(shared=one_unit)
        case "logit":
            return Logit()
        case "identity":
            return Identity()
        case "unit":
            return Unit()
    raise unknown_name("transform", transform, _NAMES)
