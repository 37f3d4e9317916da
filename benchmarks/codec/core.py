"""The integer model and its coder on images: bits against the bound, and speed.

    python -m benchmarks.codec.core [mnist | fashion-mnist] [independent] [causal] [--share 0.15]
        [--rows 10000]

For each model: −ELBO of the trained model on test images in bits a pixel; bits of the coded block,
and how far they are beyond it, by part; megabytes of pixels per second of processor time, on one
thread. Rates are means over all images; those of z have an error of one draw for each image.
"""

import argparse
import math
import time

import jax
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.codec.models import NAMES, trained
from benchmarks.data import images
from wellposed import evaluation
from wellposed.coding import integer_model


def report(data: str, name: str, *, share: float, n_rows: int) -> None:
    """Print the figures of one model."""
    model = trained(data, name, share=share)
    rows = images(data, "test")[:n_rows].astype(np.int64)
    terms = evaluation.elbo(model.vae.model_, rows, n_samples=2, key=jax.random.key(0))
    bound = -float(np.asarray(terms.elbo, np.float64).mean()) / math.log(2) / rows.shape[1]
    begun = time.process_time()
    codec = integer_model(model.vae.model_)
    built = time.process_time() - begun
    begun = time.process_time()
    payload = codec.encode(rows)
    encoded = time.process_time() - begun
    begun = time.process_time()
    back = codec.decode(payload, len(rows))
    decoded = time.process_time() - begun
    if not np.array_equal(back, rows):
        raise SystemExit("the decoded images differ")
    rate, megabytes = codec.rate(rows), rows.size / 1e6
    finer = integer_model(model.vae.model_, latent_bits=14, weight_bits=16, activation_bits=16)
    fine = finer.rate(rows).net.mean() / rows.shape[1]
    net, coded = rate.net.mean() / rows.shape[1], 8 * len(payload) / rows.size
    initial, states = rate.initial / rows.size, rate.states / rows.size
    print(
        f"{data}, {name}, {model.epochs} epochs, {len(rows)} images\n"
        f"  −ELBO {bound:.4f} b/px; finer {fine:.4f}; integer model {net:.4f}; "
        f"coded {coded:.4f} ({coded / bound - 1:+.2%})\n"
        f"  initial bits {initial:.5f}, states {states:.5f} b/px\n"
        f"  model {len(codec.to_bytes()) / 1e6:.2f} MB, built in {built:.1f} s; encoding "
        f"{megabytes / encoded:.2f} MB/s, decoding {megabytes / decoded:.2f} MB/s of one core",
        flush=True,
    )


def main() -> None:
    """Report what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=["mnist", "independent", "causal"])
    parser.add_argument("--share", type=float, default=0.15)
    parser.add_argument("--rows", type=int, default=10_000)
    asked = parser.parse_args()
    data = [name for name in asked.names if name in ("mnist", "fashion-mnist")] or ["mnist"]
    with threadpool_limits(1):
        for each in data:
            for name in [name for name in asked.names if name in NAMES]:
                report(each, name, share=asked.share, n_rows=asked.rows)


if __name__ == "__main__":
    main()
