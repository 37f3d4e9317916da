"""Is the optimisation of the Gaussian VAE well-posed? One recipe and one figure for each answer."""

from ._conditioning import Conditioning, Curvatures, conditioning
from ._discrete import Discrete, discrete
from ._divergence import Divergence, divergence
from ._figures import figures
from ._nonparametric_bound import nonparametric_bound
from ._one_dimension import OneDimension, one_dimension
from ._parsimony_gap import ParsimonyGap, parsimony_gap
from ._pictures import (
    conditioning_figure,
    discrete_figure,
    divergence_figure,
    one_dimension_figure,
    parsimony_gap_figure,
    trained_divergence_figure,
)
from ._textbook import TEXTBOOK
from ._trained_divergence import TrainedDivergence, trained_divergence

__all__ = [
    "TEXTBOOK",
    "Conditioning",
    "Curvatures",
    "Discrete",
    "Divergence",
    "OneDimension",
    "ParsimonyGap",
    "TrainedDivergence",
    "conditioning",
    "conditioning_figure",
    "discrete",
    "discrete_figure",
    "divergence",
    "divergence_figure",
    "figures",
    "nonparametric_bound",
    "one_dimension",
    "one_dimension_figure",
    "parsimony_gap",
    "parsimony_gap_figure",
    "trained_divergence",
    "trained_divergence_figure",
]


def __dir__() -> list[str]:
    return sorted(__all__)
