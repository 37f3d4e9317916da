"""Priors p(z) and approximate posteriors q(z | x)."""

from ._abstract import AbstractPrior
from ._diagonal_normal import DiagonalNormal
from ._flow import FlowPrior
from ._flow import check_flowjax as check_flowjax
from ._flow import flow_shapes as flow_shapes
from ._mixture import GaussianMixture
from ._protocol import Prior
from ._standard_normal import StandardNormal
from ._vamp import VampPrior

__all__ = [
    "AbstractPrior",
    "DiagonalNormal",
    "FlowPrior",
    "GaussianMixture",
    "Prior",
    "StandardNormal",
    "VampPrior",
]


def __dir__() -> list[str]:
    return sorted(__all__)
