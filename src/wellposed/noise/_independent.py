"""Which densities are products over features."""

from typing import Any

from ._blocks import Blocks
from ._features import Features
from ._rescaled import Stretched


def independent(density: Any) -> bool:
    """Tell whether p(y | z), as a noise returned it, is ∏_j p(y_j | z).

    Its mean and variance are then those of each feature, and exact.
    """
    if isinstance(density, Blocks):
        return all(independent(part) for part in density.parts)
    if isinstance(density, Stretched):
        return independent(density.of)
    return isinstance(density, Features)
