"""Solvers for rows with gaps that are ignorable: NaN is a gap."""

from ._factor_analysis import factor_analysis, linear_vae
from ._gaussian import GaussianFit, gaussian
from ._mixture import MixtureFit, mixture
from ._moments import observed_moments

__all__ = [
    "GaussianFit",
    "MixtureFit",
    "factor_analysis",
    "gaussian",
    "linear_vae",
    "mixture",
    "observed_moments",
]
