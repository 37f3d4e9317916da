"""The settings of one training."""

import dataclasses

import numpy as np

from wellposed._typing import PRNGKey
from wellposed.models import VAEModel
from wellposed.models.labelled import LabelledVAE
from wellposed.objectives import ELBO, AbstractObjective

from ._plan import Plan


@dataclasses.dataclass(frozen=True)
class Member:
    """Model, key, objective and plan of one training: its settings without its data.

    Parameters
    ----------
    model, key, objective, plan, validation_fraction, allow_unbounded
        As :func:`wellposed.training.fit` takes them.
    folds : tuple of pairs (positions, model), default ()
        Folds by which the epoch is chosen, see :func:`wellposed.training.fit_folds`: the rows that
        a fold holds out, and the model that it starts from, to which they should be unknown.
    held : array of whole numbers, optional
        Positions of the rows to hold out; None draws a share ``validation_fraction`` of them.
    weights : array of shape (n,), optional
        Weight of each row, above zero, with mean 1; None weighs all rows alike.

    Examples
    --------
    >>> import jax, numpy as np, wellposed as wp
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> model = wp.VAE(1, hidden=(4,), max_epochs=1, random_state=0).fit(X).model_
    >>> Member(model, jax.random.key(0)).plan.batch_size
    128
    """

    model: VAEModel | LabelledVAE
    key: PRNGKey
    objective: AbstractObjective = dataclasses.field(default_factory=ELBO)
    plan: Plan = dataclasses.field(default_factory=Plan)
    validation_fraction: float = 0.0
    allow_unbounded: bool = False
    folds: tuple[tuple[np.ndarray, VAEModel], ...] = ()
    held: np.ndarray | None = None
    weights: np.ndarray | None = None
