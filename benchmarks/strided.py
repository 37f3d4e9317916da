"""Strided convolutions by matrix products beside XLA's own, layer by layer, inside a compiled loop.

    python -m benchmarks.strided [--steps 8] [--turns 5]

Each row times the convolution and both of its gradients at one shape, batch 64, the two taking
turns. Once the ratio is at least one in every row on a CPU, the compiler has caught up, and
``wellposed.nn.strided`` can give way to the operation of JAX.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from types import ModuleType

import jax
import jax.numpy as jnp

from wellposed.nn.strided import native, products

BATCH = 64
LAYERS = ((64, 3, 32), (32, 32, 64), (16, 64, 128), (32, 1, 32))  # side, channels in and out


def main() -> None:
    """Print one row a layer, and whether the compiler has caught up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--turns", type=int, default=5)
    given = parser.parse_args()
    ratios = [layer_ratio(*layer, given.steps, given.turns) for layer in LAYERS]
    print("| layer | products over XLA's own, time |\n|---|---|")
    for (side, n_in, n_out), ratio in zip(LAYERS, ratios, strict=True):
        print(f"| {side}² {n_in} → {n_out} | {ratio:.3f} |")
    caught_up = min(ratios) >= 1.0
    print("The compiler has caught up." if caught_up else "The compiler has not caught up.")


def layer_ratio(side: int, n_in: int, n_out: int, steps: int, turns: int) -> float:
    """Return the median time of the products over that of XLA's own convolution."""
    x = jnp.ones((BATCH, side, side, n_in))
    w = jnp.ones((4, 4, n_in, n_out))
    routes = {route: loop(route, x, steps) for route in (products, native)}
    seconds: dict[ModuleType, list[float]] = {route: [] for route in routes}
    for turn in range(turns + 1):
        for route, run in routes.items():
            begun = time.perf_counter()
            run(w).block_until_ready()
            if turn:  # the first turn compiles
                seconds[route].append(time.perf_counter() - begun)
    return statistics.median(seconds[products]) / statistics.median(seconds[native])


def loop(route: ModuleType, x: jax.Array, steps: int) -> Callable[[jax.Array], jax.Array]:
    """Return a compiled loop that applies a layer, its transpose and its weight gradient."""

    def step(w: jax.Array, _: None) -> tuple[jax.Array, None]:
        coarse = route.down(x, w)
        fine = route.up(coarse, w)
        return w - 1e-9 * route.weight(fine, coarse), None

    return jax.jit(lambda w: jax.lax.scan(step, w, None, length=steps)[0])


if __name__ == "__main__":
    main()
