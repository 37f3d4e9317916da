"""The matrix products of a training epoch alone: the lower limit of the dense case."""

import itertools
from collections.abc import Callable

import jax
import jax.numpy as jnp

from benchmarks.cases import Case


def train(case: Case, turn: Callable[[], None]) -> None:
    """Run forward, input-gradient and weight-gradient products of each layer, until stopped."""
    d, widths, k = case.shape[0], case.widths, case.n_latents
    sizes = [*pairs((d, *widths, 2 * k)), *pairs((k, *widths, d))]
    key = jax.random.key(0)
    weights = [jax.random.normal(key, size) for size in sizes]
    inputs = [jax.random.normal(key, (case.batch_size, n_in)) for n_in, _ in sizes]
    outputs = [jax.random.normal(key, (case.batch_size, n_out)) for _, n_out in sizes]

    @jax.jit
    def epoch(weights):
        def step(weights, _):
            # Each product enters the carry; otherwise the compiler would drop or hoist it.
            moved = []
            for index, (w, x, g) in enumerate(zip(weights, inputs, outputs, strict=True)):
                forward = x @ w
                gradient = x.T @ (g + 1e-9 * forward)
                if index > 0:  # the data need no gradient
                    gradient = gradient + 1e-9 * jnp.sum(g @ w.T)
                moved.append(w + 1e-9 * gradient)
            return moved, None

        return jax.lax.scan(step, weights, length=-(-case.n_rows // case.batch_size))[0]

    while True:
        weights = jax.block_until_ready(epoch(weights))
        turn()


def pairs(widths: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(itertools.pairwise(widths))
