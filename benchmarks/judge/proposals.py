"""Importance sampling from refined proposals and from the encoder, on models of many noises.

    python -m benchmarks.judge.proposals [digits] [breast-cancer] ... [--draws 512] [--rows 128]

Each model is fitted once, with its defaults but for the settings below, and scored on held-out rows
with equal draws from both proposals. A line has mean log p(x), the median effective sample size,
the share of rows whose k̂ exceeds 0.7, and the seconds of a score, the shortest of three, without
compilation. The gain is the mean difference of log p(x) with its error: that of the Monte Carlo
estimates of refined proposals and the spread over rows of those of the encoder.
"""

import argparse
import time
import warnings
from typing import Any

import jax
import numpy as np
from sklearn.datasets import load_breast_cancer, load_wine

import wellposed as wp
from wellposed import evaluation

_TURNS = 3
_HELD_OUT = 0.2
_DIGITS: dict[str, Any] = {"n_components": 10, "batch_size": 64, "patience": 30}
_IMAGES: dict[str, Any] = {"image_shape": (8, 8)}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "digits": ("digits", _DIGITS),
    "breast-cancer": ("breast cancer", {"n_components": 10}),
    "student-t": ("breast cancer", {"n_components": 8, "noise": "student-t"}),
    "conditional": ("breast cancer", {"n_components": 5, "noise": "conditional"}),
    "two-latents": ("breast cancer", {"n_components": 2, "noise": "feature"}),
    "laplace": ("wine", {"n_components": 6, "noise": "laplace"}),
    "feature": ("wine", {"n_components": 3, "noise": "feature"}),
    "poisson": ("digits", {"n_components": 10, "noise": "poisson"}),
    "negative-binomial": ("digits", {"n_components": 5, "noise": "negative-binomial"}),
    "bernoulli": ("binary digits", {"n_components": 10, "noise": "bernoulli"}),
    "discretized-logistic": ("digits", {"n_components": 16, "noise": "discretized-logistic"}),
    "low-rank": ("digits", {"n_components": 20, "noise": "low-rank"}),
    "causal-logistic": ("digits", {"n_components": 8, "noise": "causal-logistic", **_IMAGES}),
    "beta-binomial": ("digits", {"n_components": 4, "noise": "beta-binomial"}),
}


def rows_of(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return training and held-out rows of a data set."""
    tables = {"breast cancer": load_breast_cancer, "wine": load_wine}
    values = tables[name]().data if name in tables else wp.datasets.load_digits().values
    if name == "binary digits":
        values = (values > 7).astype(float)
    values = values[np.random.default_rng(0).permutation(len(values))]
    cut = round((1 - _HELD_OUT) * len(values))
    return values[:cut], values[cut:]


def fit(data: np.ndarray, settings: dict[str, Any]) -> wp.VAE:
    """Fit a model of one case."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return wp.VAE(max_epochs=100, random_state=0, progress=False, **settings).fit(data)


def score(
    vae: wp.VAE, rows: np.ndarray, proposal: str, draws: int
) -> tuple[evaluation.LogLikelihood, float]:
    """Return the estimates, and the shortest time of a score in seconds."""

    def once() -> evaluation.LogLikelihood:
        return evaluation.log_likelihood(
            vae.model_, rows, n_samples=draws, key=jax.random.key(0), proposal=proposal
        )

    found, seconds = once(), []
    for _ in range(_TURNS):
        begun = time.perf_counter()
        once()
        seconds.append(time.perf_counter() - begun)
    return found, min(seconds)


def compare(name: str, draws: int, n_rows: int) -> str:
    """Return one line of the table."""
    data, settings = CASES[name]
    training, held_out = rows_of(data)
    vae = fit(training, settings)
    rows = vae.rows(held_out[:n_rows])
    ways = [score(vae, rows, proposal, draws) for proposal in ("encoder", "refined")]
    (encoder, slow), (refined, fast) = ways
    gain = np.asarray(refined.value, np.float64) - encoder.value
    error = gain.std(ddof=1) / np.sqrt(len(gain))
    figures = (f"{np.mean(found.value):9.2f}" for found, _ in ways)
    sizes = (f"{np.median(found.effective_sample_size):6.1f}" for found, _ in ways)
    shares = (f"{found.untrusted.mean():6.1%}" for found, _ in ways)
    return (
        f"{name:21} {' '.join(figures)} {gain.mean():7.2f} ± {error:4.2f} {' '.join(sizes)} "
        f"{' '.join(shares)} {slow:6.2f} {fast:6.2f} {fast / slow:5.2f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help=f"{', '.join(CASES)}; all by default")
    parser.add_argument("--draws", type=int, default=512, help="a row")
    parser.add_argument("--rows", type=int, default=128, help="held-out rows at most")
    arguments = parser.parse_args()
    print(f"{'':21} {'log p: encoder, refined':>19} {'gain':>12} effective draws    k̂ > 0.7")
    for name in arguments.cases or CASES:
        print(compare(name, arguments.draws, arguments.rows), flush=True)


if __name__ == "__main__":
    main()
