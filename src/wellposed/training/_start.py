"""Whether a training has improved on the model that it started from, on held-out rows.

Epochs are compared by the objective. A start at a linear solution is not: its ELBO is log p(x), and
that of a trained model lies below log p(x) by what its encoder misses, often by more than the model
has gained. These two are compared by an importance-weighted bound, which is close to log p(x).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from wellposed._compiled import compiled_soon
from wellposed._typing import Data, PRNGKey, Tree
from wellposed.objectives import ELBO, IWAE, AbstractObjective

from ._epoch import evaluate_held_out
from ._pass import START
from ._rows import Rows

_DRAWS = 64
MOST_ROWS = 1_000


def start_is_better(
    start: Tree,
    best: Tree,
    fixed: Tree,
    data: Data,
    held: Rows,
    objective: AbstractObjective,
    *,
    batch_size: int,
    key: PRNGKey,
) -> Bool[Array, ""]:
    """Whether the start has a higher held-out bound than the best epoch, by the same draws.

    Parameters
    ----------
    start, best : parameters
    fixed, data, objective, batch_size, key : of the training
    held : rows held out
    """
    bound = IWAE(_DRAWS) if type(objective) is ELBO else objective
    size = min(batch_size, held.index.shape[0])
    draw_key = jax.random.fold_in(key, START)

    def value(params: Tree) -> Array:
        means = evaluate_held_out(params, fixed, data, held, bound, batch_size=size, key=draw_key)
        return means.value

    # A loop over both: the bound is traced and compiled once.
    both = jax.tree.map(lambda a, b: jnp.stack([a, b]), start, best)
    of_start, of_best = jax.lax.map(value, both)
    return jnp.asarray(of_start > of_best)


START_IS_BETTER = compiled_soon(start_is_better)
