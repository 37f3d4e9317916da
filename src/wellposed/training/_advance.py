"""One pass over one piece of data, for data that arrive in pieces."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, Self

import equinox as eqx
import jax
import numpy as np
from numpy.typing import ArrayLike

from wellposed import hosts
from wellposed._forks import check_process
from wellposed._typing import PRNGKey
from wellposed.models import VAEModel
from wellposed.objectives import AbstractObjective

from ._epoch import TrainState, initial_state, steps_in
from ._history import History
from ._optimiser import Rates
from ._pass import EpochFigures, Split, epoch_program
from ._plan import Plan
from ._rows import Rows, pad_rows
from ._training import trainable_leaves
from .mesh import DataMesh, epoch_on, from_first


@dataclasses.dataclass(frozen=True)
class Advance:
    """State of a training in pieces, after one piece and before the next.

    Parameters
    ----------
    model : VAEModel
    state : TrainState
        Parameters, Adam's moments and the number of steps.
    history : History
        One row a piece.
    finite : bool
        False where the last piece turned non-finite and was dropped.
    """

    model: VAEModel
    state: TrainState
    history: History
    finite: bool

    @classmethod
    def of(
        cls, model: VAEModel, objective: AbstractObjective, table: dict[str, np.ndarray]
    ) -> Self:
        """Continue a model that was trained or loaded whole; Adam's moments start at zero.

        Parameters
        ----------
        model : VAEModel
        objective : AbstractObjective
            Objective of the next pieces.
        table : dict of arrays of shape (epochs,)
            The history so far, as :meth:`History.table` returns it.
        """
        params = eqx.filter(model, trainable_leaves(model, objective))
        return cls(model, initial_state(params), History.of(table), finite=True)


def advance(
    model: VAEModel,
    data: ArrayLike,
    *,
    key: PRNGKey,
    objective: AbstractObjective,
    plan: Plan,
    before: Advance | None = None,
    mesh: DataMesh | None = None,
) -> Advance:
    """Train one pass over a piece of data.

    The learning rate does not decay, since the number of pieces is not known. A pass that turns
    non-finite is dropped: the model is returned unchanged, with ``finite`` false.

    Parameters
    ----------
    model : VAEModel as built; that of ``before``, where it is given, replaces it
    data : array of shape (n, d), data units
    key : PRNG key, into which each pass folds its number
    objective : AbstractObjective to maximise
    plan : Plan; only its rates and its batch size are used
    before : Advance, optional; the result of the piece before
    mesh : DataMesh, optional; devices over which each batch is spread

    Examples
    --------
    >>> import jax, numpy as np, wellposed as wp
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> vae = wp.VAE(1, hidden=(4,), max_epochs=1, random_state=0).fit(X)
    >>> options = {"key": jax.random.key(0), "objective": wp.objectives.ELBO(), "plan": Plan()}
    >>> first = advance(vae.model_, X[:30], **options)
    >>> len(advance(vae.model_, X[30:], before=first, **options).history.rows)
    2
    """
    check_process()
    data = np.asarray(data)
    model = model if before is None else before.model
    params, fixed = eqx.partition(model, trainable_leaves(model, objective))
    if mesh is not None:
        params, fixed = from_first((params, fixed))
    state = initial_state(params) if before is None else before.state
    history = History() if before is None else before.history
    rows, padded = Rows.of(np.arange(len(data))), pad_rows(data)
    size = min(plan.batch_size, rows.index.shape[0])
    rates = Rates.of(dataclasses.replace(plan, decay=False, kl_warmup=0), steps_in(len(data), size))
    parts = {"fixed": fixed, "data": jax.device_put(padded), "objective": objective}
    run = _program(mesh, **parts, rates=rates, batch_size=size, key=key)
    done = np.asarray(len(history.rows), np.int32)
    try:
        reached, figures = run(state, split=Split(rows, None), done=done)
        figures: EpochFigures = jax.device_get(figures)
    finally:
        hosts.rest()
    if not figures.is_finite:
        return Advance(model, state, history, finite=False)
    history = history.with_epoch(
        figures.training, None, float(figures.noise_variance), plan.learning_rate
    )
    return Advance(eqx.combine(reached.params, fixed), reached, history, finite=True)


def _program(mesh: DataMesh | None, **constants: Any) -> Callable[..., tuple[TrainState, Any]]:
    """Return the epoch of a state, on one device or on a mesh."""
    if mesh is not None:
        return epoch_on(mesh, **constants)
    return functools.partial(epoch_program(len(constants["data"])), **constants)
