"""One training among several: all that decides its course, the data apart."""

import dataclasses

from wellposed._typing import PRNGKey
from wellposed.models import VAEModel
from wellposed.objectives import ELBO, AbstractObjective

from ._plan import Plan


@dataclasses.dataclass(frozen=True)
class Member:
    """A training of a grid; every field is an argument of :func:`wellposed.training.fit`."""

    model: VAEModel
    key: PRNGKey
    objective: AbstractObjective = dataclasses.field(default_factory=ELBO)
    plan: Plan = dataclasses.field(default_factory=Plan)
    validation_fraction: float = 0.0
    allow_unbounded: bool = False
