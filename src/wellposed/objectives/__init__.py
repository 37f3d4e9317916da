"""What training maximises: small values that map one datum to a scalar."""

from ._abstract import AbstractObjective as AbstractObjective
from ._abstract import Evaluation as Evaluation
from ._elbo import ELBO as ELBO
from ._elbo import BetaELBO as BetaELBO
from ._iwae import IWAE as IWAE
from ._resolve import resolve as resolve
from ._squared_error import SquaredError as SquaredError
from ._terms import ElboTerms as ElboTerms
from ._terms import elbo_terms as elbo_terms
from ._terms import log_weights as log_weights
