"""How accurate and fast log p(x) is: ours beside exact, published and the fastest values.

    python -m benchmarks.judge.likelihood [linear] [ordering] [wu] [speed] [--share 1.0]
        [--peers PYTHON] [--rows 20] [--turns 7]

``linear``: how often three standard errors cover the exact log p(x) of linear-Gaussian models, as
the encoder gets worse, and the gap of the sandwich. ``ordering``: ELBO ≤ IWAE_8 ≤ IWAE_64 ≤
IS_5000 ≤ the sandwich's upper side, on models of the digits. ``wu``: Wu et al. (2017) on
dequantised MNIST; the model is kept in build/judge, and ``--share`` shortens its training.
``speed``: IS_5000 of a 784-500-500-20 network beside a batched PyTorch loop (``--peers`` is its
interpreter) and beside its matrix products alone, taking turns of ``--rows`` images.
"""

import argparse
import dataclasses
import itertools
import math
import os
import statistics
import sys
import time

import equinox as eqx
import jax
import numpy as np

from benchmarks.data import images
from benchmarks.judge import models as judged_models
from benchmarks.train import Runner
from wellposed import evaluation, transforms

REPEATS = 1_000
_WARM_UP = 1


@dataclasses.dataclass(frozen=True)
class Line:
    """One figure beside its target."""

    what: str
    value: float
    target: float
    at_least: bool  # else at most

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self.value >= self.target if self.at_least else self.value <= self.target

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        verdict = "met" if self.met else "missed"
        return f"{self.what:62} {self.value:10.4g}  target {sign} {self.target:<6g} {verdict}"


def show(line: Line) -> Line:
    """Print a line, and return it."""
    print(line, flush=True)
    return line


def n_covered(found, exact: np.ndarray) -> int:
    """Count the rows whose exact value lies within three standard errors."""
    return int(
        (np.abs(np.asarray(found.value, np.float64) - exact) <= 3 * found.standard_error).sum()
    )


def linear() -> list[Line]:
    """Measure the coverage on rows drawn from the model, and the gap of the sandwich."""
    print(
        f"\nlinear-Gaussian, d = 20, k = 5; {REPEATS} rows; the encoder's width in shares of right"
    )
    print(f"{'width':>6} {'method':24} {'cover':>6} {'median ESS':>11} {'k̂ > 0.7':>9} {'bias':>9}")
    lines = []
    for width in (1.2, 1.5, 2.0, 0.8, 0.5, 0.3):
        model = judged_models.exact_model(width)
        simulated = evaluation.sandwich(
            model, REPEATS, key=jax.random.key(1), n_chains=1, n_steps=1
        )
        rows = simulated.y
        exact = evaluation.exact_log_likelihood(model, rows, key=jax.random.key(0))
        ways = {
            "importance, 1000 draws": lambda model=model, rows=rows: evaluation.log_likelihood(
                model, rows, n_samples=1_000, key=jax.random.key(2), proposal="encoder"
            ),
            "annealed, 64 chains": lambda model=model, rows=rows: evaluation.ais(
                model, rows, n_chains=64, n_steps=50, key=jax.random.key(3)
            ),
        }
        for name, way in ways.items():
            found = way()
            count, untrusted = n_covered(found, exact), getattr(found, "untrusted", None)
            share = "" if untrusted is None else f"{untrusted.mean():.1%}"
            bias = float(np.mean(found.value - exact))
            print(
                f"{width:6} {name:24} {count:6} {np.median(found.effective_sample_size):11.1f} "
                f"{share:>9} {bias:9.4f}",
                flush=True,
            )
            if width == 1.2:
                lines.append(Line(f"exact log p covered by {name}, of {REPEATS}", count, 990, True))
    gap = evaluation.sandwich(judged_models.exact_model(1.2), 200, key=jax.random.key(4)).gap
    print(f"sandwich gap {gap} nats")
    lines.append(Line("sandwich gap, nats", gap.value, 0.05, False))
    return [show(line) for line in lines]


def ordering(n_rows: int = 100) -> list[Line]:
    """Compare the chain of bounds on rows drawn from the models: the upper side needs their z."""
    print(f"\nmodels of the digits: means over {n_rows} simulated rows, nats in model units")
    lines = []
    for name, vae in judged_models.fit_digits().items():
        model = vae.model_
        between = evaluation.sandwich(model, n_rows, n_chains=4, n_steps=50, key=jax.random.key(5))
        # In model units: a transform's inverse drops what the noise adds to constant features.
        rows, d_log = between.y, between.log_det
        upper = eqx.tree_at(lambda side: side.value, between.upper, between.upper.value - d_log)
        model = eqx.tree_at(lambda m: m.transform, model, transforms.Identity())
        bounds = {
            "ELBO": evaluation.iwae(
                model, rows, n_importance=1, n_samples=256, key=jax.random.key(1)
            ),
            "IWAE_8": evaluation.iwae(
                model, rows, n_importance=8, n_samples=64, key=jax.random.key(2)
            ),
            "IWAE_64": evaluation.iwae(
                model, rows, n_importance=64, n_samples=32, key=jax.random.key(3)
            ),
            "IS_5000": evaluation.log_likelihood(
                model, rows, n_samples=5_000, key=jax.random.key(4), proposal="encoder"
            ),
            "upper": upper,
        }
        print(
            f"{name:20} "
            + "  ".join(f"{n} {np.mean(b.value, dtype=np.float64):.3f}" for n, b in bounds.items()),
            flush=True,
        )
        values = list(bounds.values())
        excess = [_excess(low, high) for low, high in itertools.pairwise(values)]
        lines.append(
            Line(f"{name}: largest inversion, in standard errors", max(excess), 3.0, False)
        )
    return [show(line) for line in lines]


def _excess(low, high) -> float:
    """Mean excess of what should be lower, in standard errors over rows."""
    excess = np.asarray(low.value, np.float64) - np.asarray(high.value, np.float64)
    return float(excess.mean() / (excess.std(ddof=1) / math.sqrt(len(excess))))


def wu(share: float, n_rows: int = 100, n_steps: int = 200, n_chains: int = 4) -> list[Line]:
    """Compare importance sampling with annealing on test images; the gap on simulated ones."""
    vae = judged_models.fit_wu(share)
    model, rows = vae.model_, images("mnist", "test")[:n_rows]
    unit = rows.shape[1] * math.log(judged_models.LEVELS)  # nats of x/256 in [0, 1]
    print(f"\nWu et al.: {vae.n_epochs_} epochs, {n_rows} test images, nats in [0, 1] units")
    sampled = evaluation.log_likelihood(
        model, rows, n_samples=5_000, key=jax.random.key(0), proposal="encoder"
    )
    print(
        f"IS_5000 {np.mean(sampled.value) + unit:.1f}; {sampled.untrusted.mean():.0%} with k̂ > 0.7"
    )
    begun = time.perf_counter()
    walked = evaluation.ais(model, rows, n_chains=n_chains, n_steps=n_steps, key=jax.random.key(0))
    seconds = time.perf_counter() - begun
    error = np.std(walked.value, ddof=1) / math.sqrt(n_rows)
    print(
        f"annealed {np.mean(walked.value) + unit:.1f} ± {error:.1f} (theirs 991.4 ± 6.5, another "
        f"variance and training), {seconds:.0f} s, {n_chains} chains of {n_steps} steps"
    )
    gap = float(np.mean(walked.value - sampled.value))
    between = evaluation.sandwich(
        model, n_rows, n_chains=n_chains, n_steps=n_steps, key=jax.random.key(1)
    )
    print(between)
    return [
        show(Line("annealed less IS_5000, nats (theirs 165, less IWAE_200000)", gap, 5.0, True)),
        show(Line("sandwich gap, nats (theirs 1.5)", between.gap.value, 5.0, False)),
    ]


def speed(peers: str, rows: int = 20, turns: int = 7) -> list[Line]:
    """Measure median seconds of a turn, and their ratios."""
    os.environ["IMPORTANCE_ROWS"] = str(rows)
    ours, products, binary = "our_importance", "decoder_products", "our_binary_importance"
    refined = "our_refined_importance"
    interpreters = dict.fromkeys((ours, products, binary, refined), sys.executable)
    if peers:
        interpreters["torch_importance"] = peers
    runners = []
    try:
        for name, python in interpreters.items():
            runners.append(Runner(name, "mlp", python))
        for _ in range(_WARM_UP + turns):
            for runner in runners:
                runner.epoch()
    finally:
        for runner in runners:
            runner.close()
    seconds = {r.name: statistics.median(r.seconds[_WARM_UP:]) for r in runners}
    listed = ", ".join(f"{name} {value:.2f} s" for name, value in seconds.items())
    print(f"\nIS_5000 of {rows} images: {listed}")
    lines = [
        Line("ours / its matrix products", seconds[ours] / seconds[products], 1.3, False),
        Line("ours, Bernoulli / its products", seconds[binary] / seconds[products], 1.3, False),
        Line("ours, refined proposals / ours", seconds[refined] / seconds[ours], 3.0, False),
    ]
    if peers:
        ratio = seconds["torch_importance"] / seconds[ours]
        lines.append(Line("batched PyTorch loop / ours", ratio, 1.2, True))
    return [show(line) for line in lines]


def measure(
    parts: list[str], *, share: float = 1.0, peers: str = "", rows: int = 20, turns: int = 7
) -> list[Line]:
    """Run the parts asked for and return their lines."""
    ways = {
        "linear": linear,
        "ordering": ordering,
        "wu": lambda: wu(share),
        "speed": lambda: speed(peers, rows, turns),
    }
    return [line for part in parts or ways for line in ways[part]()]


def main() -> None:
    """Print the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help="linear, ordering, wu, speed; all by default")
    parser.add_argument("--share", type=float, default=1.0, help="of the epochs of wu")
    parser.add_argument(
        "--peers", default="", help="interpreter with torch; without it that part is skipped"
    )
    parser.add_argument("--rows", type=int, default=20, help="images of a turn of speed")
    parser.add_argument("--turns", type=int, default=7, help="of speed, after one to warm up")
    arguments = parser.parse_args()
    measure(**vars(arguments))


if __name__ == "__main__":
    main()
