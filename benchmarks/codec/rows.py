"""−ELBO and coded bits of each image: two estimates of one number.

    python -m benchmarks.codec.rows [mnist | fashion-mnist] [--model causal] [--share 1]
        [--rows 2000] [--picture PATH]

The bits of an image are those of the integer model, −log₂ of the frequencies by which its pixels
and its z are put on the stack, less those by which z was drawn: what the file grows by. −ELBO has
eight draws of z an image, and the code one of its own. Prints means by tenths of the images, in
order of −ELBO, and the sum beside the size of the block.
"""

import argparse
import math

import jax
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.codec.models import NAMES, trained
from benchmarks.data import images
from wellposed import evaluation
from wellposed.coding import integer_model

DRAWS = 8


def measure(data: str, name: str, share: float, n_rows: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Return −ELBO and the net bits of each image, and the bits of the block."""
    model = trained(data, name, share=share).vae.model_
    rows = images(data, "test")[:n_rows].astype(np.int64)
    terms = evaluation.elbo(model, rows, n_samples=DRAWS, key=jax.random.key(0))
    rate = integer_model(model).rate(rows)
    return -np.asarray(terms.elbo, np.float64) / math.log(2), rate.net, rate.coded


def draw(bound: np.ndarray, net: np.ndarray, path: str) -> None:
    """Save a picture of both, an image a point."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
    ends = [min(bound.min(), net.min()), max(bound.max(), net.max())]
    left.plot(ends, ends, color="0.7", linewidth=1)
    left.plot(bound, net, ".", markersize=2, alpha=0.5)
    left.set(xlabel="−ELBO of an image, bits", ylabel="coded bits of the image")
    right.hist(net - bound, bins=60)
    right.axvline(0.0, color="0.7", linewidth=1)
    right.set(xlabel="coded bits − (−ELBO)", ylabel="images")
    figure.savefig(path, dpi=150)


def main() -> None:
    """Print the table, and save the picture if a path is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", nargs="?", default="mnist")
    parser.add_argument("--model", choices=NAMES, default="causal")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--picture")
    asked = parser.parse_args()
    with threadpool_limits(1):
        bound, net, coded = measure(asked.data, asked.model, asked.share, asked.rows)
    print(f"{asked.data}, {asked.model}, {len(bound)} images; bits an image")
    print(f"{'tenth':>6}{'−ELBO':>10}{'coded':>10}{'difference':>12}")
    for i, part in enumerate(np.array_split(np.argsort(bound), 10)):
        gap = net[part].mean() / bound[part].mean() - 1
        print(f"{i + 1:6}{bound[part].mean():10.1f}{net[part].mean():10.1f}{gap:12.2%}")
    spread = (net - bound).std()
    print(
        f"{'all':>6}{bound.mean():10.1f}{net.mean():10.1f}{net.mean() / bound.mean() - 1:12.2%}\n"
        f"correlation {np.corrcoef(bound, net)[0, 1]:.4f}; differences have a deviation of "
        f"{spread:.1f} bits\n"
        f"the block has {coded / len(bound):.1f} bits an image, with the initial bits"
    )
    if asked.picture:
        draw(bound, net, asked.picture)


if __name__ == "__main__":
    main()
