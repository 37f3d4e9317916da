"""The matrix products of IS_5000 and nothing else, in the batch that suits them best."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from benchmarks.cases import IMPORTANCE_DRAWS, IMPORTANCE_ROWS, Case

BATCH = 1_000


def train(case: Case, turn: Callable[[], None]) -> None:
    """Multiply until stopped."""
    sizes = [(case.n_latents, case.widths[0]), case.widths, (case.widths[-1], case.shape[0])]
    weights = [0.05 * jax.random.normal(jax.random.key(0), size) for size in sizes]
    z = jax.random.normal(jax.random.key(1), (BATCH, case.n_latents))

    @jax.jit
    def all_of(z):
        def step(carry, _):
            h = z + 1e-9 * carry  # otherwise the compiler would compute it once
            for weight in weights:
                h = h @ weight
            return h[0, 0], None

        length = IMPORTANCE_ROWS * IMPORTANCE_DRAWS // BATCH
        return jax.lax.scan(step, jnp.zeros(()), length=length)[0]

    while True:
        all_of(z).block_until_ready()
        turn()
