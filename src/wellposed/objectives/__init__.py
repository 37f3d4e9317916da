"""What training maximises: small values that map one datum to a scalar."""

from ._abstract import AbstractObjective, Evaluation
from ._elbo import ELBO, BetaELBO
from ._iwae import IWAE
from ._labelled import LabelledELBO
from ._labelled import labelled_terms as labelled_terms
from ._resolve import resolve as resolve
from ._squared_error import SquaredError
from ._terms import ElboTerms, elbo_terms, log_weights

__all__ = [
    "ELBO",
    "IWAE",
    "AbstractObjective",
    "BetaELBO",
    "ElboTerms",
    "Evaluation",
    "LabelledELBO",
    "SquaredError",
    "elbo_terms",
    "log_weights",
]


def __dir__() -> list[str]:
    return sorted(__all__)
