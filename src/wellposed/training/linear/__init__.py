"""Solvers of the linear VAE."""

from .fixed_point import fixed_point
from .lbfgs import gradient
from .mixture import fewest_rows, mixture_em, mixture_of
from .plan import LinearPlan, LinearRun, LinearState, random_state, state_of
from .subspace import subspace_iteration

__all__ = [
    "LinearPlan",
    "LinearRun",
    "LinearState",
    "fewest_rows",
    "fixed_point",
    "gradient",
    "mixture_em",
    "mixture_of",
    "random_state",
    "state_of",
    "subspace_iteration",
]
