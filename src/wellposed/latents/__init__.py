"""Priors p(z) and approximate posteriors q(z | x)."""

from ._abstract import AbstractPrior
from ._diagonal_normal import DiagonalNormal
from ._mixture import GaussianMixture
from ._protocol import Prior
from ._standard_normal import StandardNormal

__all__ = [
    "AbstractPrior",
    "DiagonalNormal",
    "GaussianMixture",
    "Prior",
    "StandardNormal",
]


def __dir__() -> list[str]:
    return sorted(__all__)
