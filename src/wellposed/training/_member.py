"""The settings of one training."""

import dataclasses

from wellposed._typing import PRNGKey
from wellposed.models import VAEModel
from wellposed.objectives import ELBO, AbstractObjective

from ._plan import Plan


@dataclasses.dataclass(frozen=True)
class Member:
    """Model, key, objective and plan of one training: its settings without its data.

    Parameters
    ----------
    model, key, objective, plan, validation_fraction, allow_unbounded
        As :func:`wellposed.training.fit` takes them.

    Examples
    --------
    >>> import jax, numpy as np, wellposed as wp
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> model = wp.VAE(1, hidden=(4,), max_epochs=1, random_state=0).fit(X).model_
    >>> Member(model, jax.random.key(0)).plan.batch_size
    128
    """

    model: VAEModel
    key: PRNGKey
    objective: AbstractObjective = dataclasses.field(default_factory=ELBO)
    plan: Plan = dataclasses.field(default_factory=Plan)
    validation_fraction: float = 0.0
    allow_unbounded: bool = False
