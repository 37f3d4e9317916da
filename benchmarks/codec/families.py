"""Coded sizes of families of noise against −ELBO, on held-out rows.

    python -m benchmarks.codec.families [--only poisson gamma beta] [--epochs 30]

For each: −ELBO of the trained model in bits a value, of continuous columns less the logarithm of
their step; the net rate of the integer model; the coded block, with its initial bits; and how far
each is beyond −ELBO; and the size without a model. Every row is decoded and compared.
"""

import argparse
import dataclasses
import math
import time
import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

import wellposed as wp
from wellposed import coding, evaluation

from .data import load, narrow

CELLS, GENES = 4000, 300
integer_model: Any = coding.integer_model


@dataclasses.dataclass(frozen=True)
class Case:
    """A family of noise and rows for it.

    Parameters
    ----------
    noise : makes it
    rows : returns rows to train on, rows to code, and the step of each column
    """

    noise: Callable[[], Any]
    rows: Callable[[], tuple[np.ndarray, np.ndarray, np.ndarray | float]]


def cells() -> tuple[np.ndarray, np.ndarray, float]:
    """Single cells, the genes with most counts."""
    sample = load("single cells")
    assert sample.train is not None
    most = np.argsort(-sample.train.sum(axis=0, dtype=np.int64), kind="stable")[:GENES]
    train, coded = (each[:CELLS, most].astype(np.int64) for each in (sample.train, sample.rows))
    return train, coded, 1.0


def faces() -> tuple[np.ndarray, np.ndarray, float]:
    """Frey faces as shares of white, every other pixel of each axis."""
    from benchmarks.data import root

    every = np.load(root() / "frey-faces" / "frey_faces_uint8_1965x28x20.npy")
    small = np.random.default_rng(0).permutation(every.reshape(-1, 28, 20)[:, ::2, ::2])
    shares = small.reshape(len(small), -1) / 255.0
    return shares[400:], shares[:400], 1.0 / 255.0


def humidity() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Power plant, its humidity as a share, to a thousandth."""
    sample = load("power plant")
    assert sample.train is not None
    train, coded = (each[each[:, 3] <= 100.0] for each in (sample.train, sample.rows))
    for rows in (train, coded):
        rows[:, 3] = np.round(rows[:, 3] / 100.0, 3)
    return train, coded, np.array([0.01, 0.01, 0.01, 0.001, 0.01])


def plant() -> tuple[np.ndarray, np.ndarray, float]:
    """Power plant: five amounts."""
    sample = load("power plant")
    assert sample.train is not None
    return sample.train, sample.rows, 0.01


def wine() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns of white wine that are amounts, citric acid with zeros."""
    from benchmarks.data import root

    rows = np.loadtxt(root() / "gaps" / "winequality-white.csv", delimiter=",")
    step = np.array([0.1, 0.01, 0.01, 0.1, 0.001, 0.5, 0.5, 0.01, 0.01])
    kept = np.random.default_rng(0).permutation(rows[:, [0, 1, 2, 3, 4, 5, 6, 8, 9]])
    kept = np.round(kept / step) * step
    return kept[2000:], kept[:2000], step


def of_humidity() -> Any:
    """Real columns, and a share."""
    return wp.noise.Columns([*["conditional"] * 3, wp.noise.Beta("conditional"), "conditional"])


CASES: dict[str, Case] = {
    "poisson": Case(lambda: wp.noise.Poisson(library=True), cells),
    "negative-binomial": Case(lambda: wp.noise.NegativeBinomial(library=True), cells),
    "beta": Case(lambda: wp.noise.Beta("conditional"), faces),
    "truncated-normal": Case(lambda: wp.noise.TruncatedNormal("conditional"), faces),
    "continuous-bernoulli": Case(wp.noise.ContinuousBernoulli, faces),
    "columns": Case(of_humidity, humidity),
    "gamma": Case(wp.noise.Gamma, plant),
    "zero-inflated-gamma": Case(lambda: wp.noise.ZeroInflated(wp.noise.Gamma()), wine),
}


def report(name: str, epochs: int) -> None:
    """Train, code and print one line."""
    case = CASES[name]
    train, rows, step = case.rows()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # short trainings are intended
        vae = wp.VAE(noise=case.noise(), max_epochs=epochs, random_state=0).fit(train)
    model = vae.model_
    terms = evaluation.elbo(model, rows, n_samples=4, key=jax.random.key(0))
    nats = -np.asarray(terms.elbo, np.float64)
    continuous = model.noise.continuous_columns(rows.shape[1])
    zero_is_probable = isinstance(model.noise, wp.noise.ZeroInflated)
    dense = continuous & ((rows > 0) | (not zero_is_probable))
    steps = np.where(dense, np.log(step), 0.0).sum(axis=1)
    bound = float((nats - steps).mean()) / math.log(2) / rows.shape[1]
    symbols = np.rint(rows / step).astype(np.int64)
    codec = integer_model(model, offset=-np.asarray(vae.offset_), resolution=step)
    begun = time.process_time()
    payload = codec.encode(symbols)
    encoded = time.process_time() - begun
    if not np.array_equal(codec.decode(payload, len(symbols)), symbols):
        raise SystemExit(f"{name}: the decoded rows differ")
    net = codec.rate(symbols).net.mean() / rows.shape[1]
    coded = 8 * len(payload) / rows.size
    plain = 8 * len(wp.compress(None, narrow(rows))) / rows.size
    print(
        f"{name}: {len(rows)} x {rows.shape[1]}; −ELBO {bound:.4f} bits a value; net {net:.4f} "
        f"({net / bound - 1:+.2%}); coded {coded:.4f} ({coded / bound - 1:+.2%}); "
        f"without a model {plain:.4f}; "
        f"{rows.size / encoded / 1e6:.2f} million values a second",
        flush=True,
    )


def main() -> None:
    """Report what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--epochs", type=int, default=30)
    asked = parser.parse_args()
    for name in asked.only:
        report(name, asked.epochs)


if __name__ == "__main__":
    main()
