"""Training in pieces: one course, not a new one with each piece."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from test_training_fit import DATA, arrays, model_for, same

from wellposed import objectives
from wellposed.models import trainable
from wellposed.training import Plan, _epoch, advance
from wellposed.training._epoch import initial_state
from wellposed.training._optimiser import Rates
from wellposed.training._pass import EPOCHS
from wellposed.training._rows import Rows, pad_rows

PIECES = np.array_split(DATA, 2)
KEY = jax.random.key(3)
run_epoch = eqx.filter_jit(_epoch.run_epoch)


def passes(model, pieces, plan):
    reached = None
    for piece in pieces:
        reached = advance(
            model, piece, key=KEY, objective=objectives.ELBO(), plan=plan, before=reached
        )
    return reached


def test_pieces_are_epochs_of_one_training_at_a_level_rate_and_full_kl():
    """The warm-up and the number of epochs have no effect, since no piece depends on later ones."""
    model, plan = model_for(), Plan(batch_size=50, max_epochs=8, kl_warmup=7, learning_rate=0.01)
    reached = passes(model, PIECES, plan)
    params, fixed = eqx.partition(model, trainable(model))
    state = initial_state(params)
    level = Rates.of(Plan(learning_rate=0.01, decay=False), 1)
    for number, piece in enumerate(PIECES):
        state, _ = run_epoch(
            state,
            fixed,
            jnp.asarray(pad_rows(piece)),
            Rows.of(np.arange(len(piece))),
            objectives.ELBO(),
            level,
            batch_size=50,
            key=jax.random.fold_in(jax.random.fold_in(KEY, EPOCHS), number),
        )
    assert same(reached.state, state)
    assert same(reached.model, eqx.combine(state.params, fixed))
    assert float(reached.state.step) == sum(len(piece) / 50 for piece in PIECES)
    table = reached.history.table()
    np.testing.assert_allclose(table["objective"], table["log_likelihood"] - table["kl"], rtol=1e-5)


def test_a_pass_that_turns_non_finite_is_dropped():
    good = passes(model_for(noise=0.5), PIECES[:1], Plan())
    bad = advance(
        good.model,
        PIECES[1] * np.float32(np.nan),
        key=KEY,
        objective=objectives.ELBO(),
        plan=Plan(),
        before=good,
    )
    assert not bad.finite
    assert same(bad.model, good.model)
    assert same(bad.state, good.state)
    assert len(bad.history.rows) == 1
    assert all(np.isfinite(a).all() for a in arrays(bad.model))
