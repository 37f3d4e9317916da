"""One pass over one piece of data, for data that arrive in pieces."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import numpy as np

from wellposed._forks import check_process
from wellposed._typing import PRNGKey
from wellposed.models import VAEModel
from wellposed.objectives import AbstractObjective

from ._epoch import TrainState, fresh_state, steps_in
from ._fit import is_finite, trained_leaves
from ._history import History
from ._optimiser import Rates
from ._pass import Seen, Split, run_pass
from ._plan import Plan
from ._rows import Rows, filled_up


@dataclasses.dataclass(frozen=True)
class Advance:
    """Where training in pieces stands: the model, and what the next piece goes on from."""

    model: VAEModel
    state: TrainState
    history: History
    finite: bool


def standing(
    model: VAEModel, objective: AbstractObjective, table: dict[str, np.ndarray]
) -> Advance:
    """Where a model stands that was trained or loaded whole: Adam's memory starts afresh."""
    params = eqx.filter(model, trained_leaves(model, objective))
    return Advance(model, fresh_state(params), History.of(table), finite=True)


def advance(
    model: VAEModel,
    data: Any,
    *,
    key: PRNGKey,
    objective: AbstractObjective,
    plan: Plan,
    before: Advance | None = None,
) -> Advance:
    """Train one pass over a piece of data.

    The learning rate does not decay, since nobody knows how much is still to come. A pass that
    turns non-finite is dropped: the model comes back as it was, ``finite`` false.

    Parameters
    ----------
    model : VAEModel, as built; ``before``, where there is one, holds the trained one
    data : array of shape (n, d), data units
    key : PRNG key; the pass takes its own from it by its number
    objective : what to maximise
    plan : rates and batch size; its epochs, warm-up, patience and encoder steps
        play no part
    before : the result of the piece before
    """
    check_process()
    data = np.asarray(data)
    model = model if before is None else before.model
    params, fixed = eqx.partition(model, trained_leaves(model, objective))
    state = fresh_state(params) if before is None else before.state
    history = History() if before is None else before.history
    rows = Rows.of(np.arange(len(data)))
    size = min(plan.batch_size, rows.index.shape[0])
    rates = Rates.of(dataclasses.replace(plan, decay=False, kl_warmup=0), steps_in(len(data), size))
    reached, seen = run_pass(
        state,
        fixed,
        jax.device_put(filled_up(data)),
        Split(rows, None),
        objective,
        rates,
        np.asarray(len(history.rows), np.int32),
        batch_size=size,
        key=key,
    )
    seen: Seen = jax.device_get(seen)
    if not is_finite(seen.trained):
        return Advance(model, state, history, finite=False)
    trained = eqx.combine(reached.params, fixed)
    history = history.with_epoch(seen.trained, None, float(seen.noise_variance), plan.learning_rate)
    return Advance(trained, reached, history, finite=True)
