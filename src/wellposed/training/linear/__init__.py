"""Solvers of the linear VAE."""

from .fixed_point import fixed_point
from .lbfgs import gradient
from .plan import LinearPlan, LinearRun, LinearState, random_state, state_of
from .subspace import subspace_iteration

__all__ = [
    "LinearPlan",
    "LinearRun",
    "LinearState",
    "fixed_point",
    "gradient",
    "random_state",
    "state_of",
    "subspace_iteration",
]
