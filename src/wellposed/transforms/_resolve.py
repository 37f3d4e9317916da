"""From a user's word to a transform."""

from wellposed._errors import SettingError, unknown_name

from ._abstract import AbstractTransform
from ._identity import Identity
from ._logit import Logit
from ._standardize import Standardize

_NAMES = ("identity", "logit", "standardize")


def resolve(transform: str | AbstractTransform, *, one_unit: bool) -> AbstractTransform:
    """Turn ``"standardize"``, ``"logit"`` or ``"identity"``, or a transform, into a transform.

    ``one_unit`` says that all features share a unit, as pixels do, so that "standardize" gives
    them one scale.
    """
    if isinstance(transform, AbstractTransform):
        return transform
    if not isinstance(transform, str):
        raise SettingError(
            f"transform must be a name or a transform; got {transform!r}. "
            "Choose from wp.transforms, or subclass wp.transforms.AbstractTransform."
        )
    if transform == "standardize":
        return Standardize(shared=one_unit)
    if transform == "logit":
        return Logit()
    if transform == "identity":
        return Identity()
    raise unknown_name("transform", transform, _NAMES)
