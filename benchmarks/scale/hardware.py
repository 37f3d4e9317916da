"""The step of a training beside what its operations and bytes predict.

    python -m benchmarks.scale.hardware [--epochs 6]

Two networks on 784 features, batches of 128 rows, 20 latents, one draw, all by processor time. The
prediction has two rates that are measured here: operations a second of the products of such sizes,
6 for each weight and row but 4 in the first layer, and bytes a second of Adam with the average of
the weights, 36 for each weight. Then two processes gather a gradient of the wider network.
"""

import argparse
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import wellposed as wp
from benchmarks.scale.generated import WIDTH
from wellposed import hosts
from wellposed.training._optimiser import Moments, adam

BATCH, LATENTS, ROWS, WIDTHS = 128, 20, 12_800, (500, 128)
BILLION = 1e9


def weights(width: int) -> int:
    """Return the number of weights in matrix products."""
    return 2 * width * (WIDTH + width) + 3 * LATENTS * width


def seconds(call: Callable[[], Any], repeats: int = 100) -> float:
    """Return the processor time of a call, the least of five rounds."""
    jax.block_until_ready(call())
    found = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(repeats):
            answer = call()
        jax.block_until_ready(answer)
        found.append((time.process_time() - start) / repeats)
    return min(found)


def operations_a_second(width: int) -> float:
    """Return the rate of the products of the first layer."""
    x, w = jnp.ones((BATCH, WIDTH)), jnp.ones((WIDTH, width))
    product = jax.jit(lambda x, w: x @ w)
    return 2 * BATCH * WIDTH * width / seconds(lambda: product(x, w))


def bytes_a_second(n: int) -> float:
    """Return the rate of Adam's update and the average of the weights, 36 bytes a weight."""

    def update(state: Any, gradient: jax.Array) -> Any:
        w, moments, average = state
        direction, moments = adam(gradient, moments)
        w = w + 1e-3 * direction
        return w, moments, 0.99 * average + 0.01 * w

    step = jax.jit(update, donate_argnums=0)
    gradient, state = jnp.full(n, 1e-3), [(jnp.ones(n), Moments.of(jnp.ones(n)), jnp.zeros(n))]

    def call() -> Any:
        state[0] = step(state[0], gradient)
        return state[0]

    return 36 * n / seconds(call)


def step(width: int, epochs: int) -> float:
    """Return the processor time of a step of a training, the median over epochs."""
    X = np.random.default_rng(0).integers(0, 256, (ROWS, WIDTH)).astype(np.float32)
    at: list[float] = []
    vae = wp.VAE(
        LATENTS,
        hidden=(width, width),
        noise="shared",
        prior="standard",
        batch_size=BATCH,
        max_epochs=epochs,
        validation_folds=0,
        linear_start=False,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        vae.fit(X, callbacks=[lambda _: at.append(time.process_time())])
    return float(np.median(np.diff(at))) / (ROWS / BATCH)


def gather(n: str, index: str, port: str, size: str) -> None:
    """Join the other process, gather arrays of ``size`` numbers, and print the processor time."""
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(f"127.0.0.1:{port}", int(n), int(index))
    mesh = jax.sharding.Mesh(np.array(jax.devices()), "device")
    apart = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("device"))
    everywhere = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    own = np.ones((1, int(size)), np.float32)
    gradient = jax.make_array_from_process_local_data(apart, own)
    whole = jax.jit(lambda x: x, out_shardings=everywhere)
    print(seconds(lambda: jax.block_until_ready(whole(gradient)), 10), flush=True)


def gathered(size: int) -> float:
    """Return the processor time of each of two processes to gather a gradient through Gloo."""
    port = hosts.free_port()
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.scale.hardware", "gather", "2"]
    running = [
        subprocess.Popen(
            [*command, str(i), str(port), str(size)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ,
        )
        for i in range(2)
    ]
    return float(np.mean([float(process.communicate()[0].split()[-1]) for process in running]))


def main() -> None:
    """Print the predictions beside the measured step."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=6)
    epochs = parser.parse_args().epochs
    wide = weights(WIDTHS[0])
    rate, memory = operations_a_second(WIDTHS[0]), bytes_a_second(wide)
    print(f"products {rate:.3g} operations a second, update {memory:.3g} bytes a second")
    for width in WIDTHS:
        n = weights(width)
        products = BATCH * (6 * n - 2 * WIDTH * width) / rate
        update, measured = 36 * n / memory, step(width, epochs)
        rows = BATCH / measured
        print(
            f"two layers of {width}: {n:,} weights; predicted {1e3 * products:.1f} + "
            f"{1e3 * update:.1f} = {1e3 * (products + update):.1f} ms a step; measured "
            f"{1e3 * measured:.1f}; {rows:,.0f} rows a CPU second; a billion rows on two cores "
            f"{BILLION / rows / 2 / 3600:.1f} h",
            flush=True,
        )
    took = gathered(wide)
    print(
        f"two processes gather {4e-6 * wide:.1f} MB: {1e3 * took:.0f} ms of each, "
        f"{4 * wide / took:.3g} bytes a second; F/W = {rate * took / (4 * wide):.0f}"
    )


if __name__ == "__main__":
    gather(*sys.argv[2:]) if sys.argv[1:2] == ["gather"] else main()
