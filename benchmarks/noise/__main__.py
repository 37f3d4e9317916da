"""Every noise model on real images: code length, errors, calibration, samples, speed.

    python -m benchmarks.noise [mnist] [fashion-mnist] [frey-faces] [--share 1.0] [--only NAME ...]
        [--rows N] [--codes N]

For each data set, with one recipe and no retuning: a table of families (−ELBO on all test images
in bits per dimension of the 8-bit pixels, rate, root mean squared error of reconstructions,
coverage, seconds); a table of samples (Fréchet distance, precision and recall in the features of
a classifier trained on the labels, beside the value of as many real test images; bands; draws per
second); a table of p(z), trained as N(0, I), or learned with the ELBO, and either replaced by a
mixture of the codes where that gains; and the cost of the causal likelihood in a training step.
Models are saved in build/noise and loaded from there; an interrupted training continues.
"""

import argparse
import copy
import dataclasses
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

import wellposed as wp
from benchmarks.data import labels
from benchmarks.noise.cost import step_seconds
from benchmarks.noise.models import FAMILIES, FOLDER, LEVELS, Images, TrainedModel, load, train
from wellposed import evaluation, plotting

N_DRAWS = 10_000
CAUSAL, LEARNED = "causal logistic", "causal, learned p(z)"
AGGREGATE = (CAUSAL, "ancestral", "aggregate")  # of the ratios that have targets
INDEPENDENT = ("discretised logistic", "  mixture of 3", "Gaussian, shared σ")
PICTURED = (
    CAUSAL,
    "discretised logistic",
    "Gaussian, shared σ",
    "Gaussian, σ(z)",
    "causal Gaussian",
    "beta-binomial",
)


@dataclasses.dataclass(frozen=True)
class Line:
    """Figures of one family on one data set; nats a datum unless stated otherwise."""

    bits: float  # −ELBO, bits per dimension
    error: float  # its standard error over test images
    train_bits: float
    rate: float
    rmse: float  # of reconstructions, in shares of 255
    coverage: float  # of the central 90 %
    seconds: float
    epochs: int


def line(data: Images, model: TrainedModel) -> Line:
    """Evaluate a model on the test images."""
    vae, d = model.vae, data.test.shape[1]
    scale = -1 / (d * math.log(2))
    key = jax.random.key(0)
    terms = evaluation.elbo(vae.model_, data.test, n_samples=2, key=key)
    some = data.train[:: max(1, len(data.train) // 2_000)]
    seen = evaluation.elbo(vae.model_, some, n_samples=1, key=key)
    rebuilt = np.concatenate(
        [vae.reconstruct(part) for part in np.array_split(data.test[:2_000], 8)]
    )
    held = evaluation.coverage(vae.model_, data.test[:300], key=key, n_draws=49)
    elbo = np.asarray(terms.elbo, np.float64)
    return Line(
        bits=scale * elbo.mean(),
        error=abs(scale) * elbo.std() / math.sqrt(len(elbo)),
        train_bits=scale * float(np.asarray(seen.elbo, np.float64).mean()),
        rate=float(np.mean(terms.kl)),
        rmse=float(np.sqrt(np.mean(((rebuilt - data.test[:2_000]) / 255.0) ** 2))),
        coverage=float(held.coverage[2]),
        seconds=model.seconds,
        epochs=model.epochs,
    )


def family_table(data: Images, models: list[TrainedModel]) -> dict[str, Line]:
    """Print a line a family."""
    print(f"\n{data.name}: {len(data.train)} train, {len(data.test)} test, {data.test.shape[1]} px")
    print(
        f"{'noise':22} {'-ELBO bits/dim':>16} {'train':>7} {'rate':>7} {'RMSE':>7} {'90 %':>6} "
        f"{'epochs':>6} {'s':>6}"
    )
    found = {}
    for model in models:
        f = found[model.family.name] = line(data, model)
        print(
            f"{model.family.name:22} {f.bits:9.4f} ± {f.error:.4f} {f.train_bits:7.4f} "
            f"{f.rate:7.1f} {f.rmse:7.4f} {f.coverage:6.1%} {f.epochs:6} {f.seconds:6.0f}",
            flush=True,
        )
    return found


def features_of(data: Images) -> Callable[[np.ndarray], np.ndarray]:
    """The last layer of a classifier trained on the labels; without them, principal components."""
    if data.train_labels is None:
        exact = wp.PPCA(32, random_state=0).fit(data.train.astype(np.float32))
        return lambda rows: exact.transform(np.asarray(rows, np.float32))
    classifier = wp.training.fit_classifier(
        data.train, data.train_labels, key=jax.random.key(0), image_shape=data.image_shape
    )
    right = evaluation.accuracy(classifier, data.test, labels(data.name, "test"))
    print(f"features: a classifier with {right:.2%} of the test images right")
    return lambda rows: evaluation.classifier_features(classifier, rows)


def with_prior(data: Images, vae: Any, prior: str, n_codes: int) -> Any:
    """Return the model as trained, or with the mixture that it adopts from codes of some rows."""
    adopts = prior not in ("standard", "own")
    return copy.copy(vae).adopt_prior(data.train[:n_codes]) if adopts else vae


def draw(vae: Any, how: str) -> tuple[np.ndarray, float]:
    """Return ten thousand draws, in batches of 1000, and the draws per second after compiling."""
    arguments = {"how": how, "alpha": 1.0, "chunk": 1000}
    evaluation.samples(vae.model_, 1000, key=jax.random.key(1), **arguments)
    begun = time.perf_counter()
    found = evaluation.samples(vae.model_, N_DRAWS, key=jax.random.key(2), **arguments)
    return found, N_DRAWS / (time.perf_counter() - begun)


def sample_table(
    data: Images, models: dict[str, TrainedModel], priors: tuple[str, ...], n_codes: int
) -> None:
    """Print the distance of draws and means to real images, under each prior."""
    print(f"\n{data.name}: {N_DRAWS} samples against {len(data.train)} training images")
    features = features_of(data)
    train, test = features(data.train), features(data.test)
    print(
        f"{'noise':22} {'samples':10} {'prior':13} {'Fréchet':>16} {'precision':>10} {'recall':>7} "
        f"{'bands':>6} {'draws/s':>8}"
    )
    frechet: dict[tuple[str, str, str], float] = {}
    asked = [(CAUSAL, "ancestral", prior) for prior in priors]
    asked += [(LEARNED, "ancestral", prior) for prior in ("own", "aggregate")]
    asked += [(CAUSAL, "mean", "aggregate")]
    asked += [(n, how, "aggregate") for n in INDEPENDENT for how in ("ancestral", "mean")]
    known: dict[tuple[str, str], Any] = {}
    for name, how, prior in asked:
        if name not in models:
            continue
        if (name, prior) not in known:
            known[name, prior] = with_prior(data, models[name].vae, prior, n_codes)
        rows, speed = draw(known[name, prior], how)
        judged = evaluation.sample_quality(
            features(rows),
            train,
            features=np.asarray,
            held_out=test,
            key=jax.random.key(3),
            n_resamples=10,
        )
        bands = evaluation.artefact_bands(rows, data.image_shape, full=LEVELS - 1)
        f, real = judged.drawn, judged.held_out
        frechet[name, how, prior] = f.frechet.value
        print(
            f"{name:22} {how:10} {prior:13} {f.frechet!s:>16} {f.precision.value:10.3f} "
            f"{f.recall.value:7.3f} {bands.share:6.4f} {speed:8.0f}",
            flush=True,
        )
    print(
        f"{'real test images':47} {real.frechet!s:>16} {real.precision.value:10.3f} "
        f"{real.recall.value:7.3f}"
    )
    verdicts(frechet, real.frechet.value)
    apart = np.random.default_rng(0).permutation(len(train))
    some, others = train[apart[: len(test)]], train[apart[len(test) :]]
    if len(others) > len(some) and AGGREGATE in frechet:
        seen = evaluation.frechet_distance(some, others)
        ours = frechet[AGGREGATE]
        show(f"causal draws / training images held apart ({seen:.3g})", ours / seen, 5.0)


def verdicts(frechet: dict[tuple[str, str, str], float], real: float) -> None:
    """Print the ratios that have targets, all under one prior."""
    if AGGREGATE not in frechet:
        return
    ours = frechet[AGGREGATE]
    for how, target in (("mean", 0.5), ("ancestral", 0.25)):
        others = [f for (n, h, _), f in frechet.items() if n in INDEPENDENT and h == how]
        if others:
            show(f"causal draws / best independent {how}", ours / min(others), target)
    show("causal draws / real test images", ours / real, 5.0)


def show(what: str, ratio: float, target: float) -> None:
    """Print a ratio with its target and verdict."""
    verdict = "met" if ratio <= target else "missed"
    print(f"{what:50} {ratio:8.3f}  target {target:5.2f}  {verdict}")


def prior_table(data: Images, models: dict[str, TrainedModel], n_codes: int) -> None:
    """Print the code length and the mismatch of codes under each p(z) of the causal models.

    The gain is that of a mixture fitted to codes of training images over the model's p(z): a lower
    bound of KL(q(z) ‖ p(z)), as "low" is.
    """
    n = min(len(data.test), 5_000)
    print(f"\n{data.name}: KL(q(z) ‖ p(z)) on {n} test images, nats; log n = {math.log(n):.2f}")
    print(
        f"{'noise':22} {'p(z)':10} {'-ELBO bits/dim':>16} {'rate':>7} {'low':>7} {'high':>7} "
        f"{'gain':>14}"
    )
    scale = 1 / (data.test.shape[1] * math.log(2))
    causal = [(CAUSAL, prior) for prior in ("standard", "aggregate")]
    for name, prior in (*causal, (LEARNED, "own"), (LEARNED, "aggregate")):
        if name not in models:
            continue
        vae = with_prior(data, models[name].vae, prior, n_codes)
        bits = -scale * vae.elbo(data.test, 2).astype(np.float64)
        measured = vae.prior_mismatch(data.test[:n], data.train[:n_codes])
        low, high = measured.mismatch
        print(
            f"{name:22} {prior:10} {bits.mean():7.4f} ± {bits.std() / math.sqrt(len(bits)):.4f} "
            f"{measured.rate.value:7.1f} {low:7.2f} {high:7.2f} "
            f"{measured.priors['aggregate'].gain!s:>14}",
            flush=True,
        )


def pictures(data: Images, models: dict[str, TrainedModel], folder: Path) -> None:
    """Write the figure of families, and that of the causal noise's correlation."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = data.test[5:9]
    kinds: dict[str, dict[str, Any]] = {
        "ancestral": {},
        "mean": {"how": "mean"},
        "coupled_low": {"how": "coupled", "alpha": -1.0},
        "coupled_high": {"how": "coupled", "alpha": 1.0},
    }
    rows = []
    for name in (name for name in PICTURED if name in models):
        few = data.train[:: max(1, len(data.train) // 6_000)]
        vae = copy.copy(models[name].vae).adopt_prior(few)
        made = {
            kind: vae.sample(4, random_state=1, **arguments) for kind, arguments in kinds.items()
        }
        rows.append((name, {"data": shown, "reconstructions": vae.reconstruct(shown), **made}))
    figure = plotting.families(rows, data.image_shape, limits=(0, LEVELS - 1))
    figure.savefig(folder / "families.png", dpi=100)
    correlation = evaluation.noise_correlation(
        models[CAUSAL].vae.model_, shown[0], key=jax.random.key(0)
    )
    figure = plotting.noise_correlation(correlation, data.image_shape)
    figure.savefig(folder / "correlation.png", dpi=100)
    print(f"wrote families.png and correlation.png to {folder}")


def main() -> None:
    """Train what is missing and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="*", default=["mnist", "fashion-mnist", "frey-faces"])
    parser.add_argument("--share", type=float, default=1.0, help="of the epochs")
    parser.add_argument("--only", nargs="*", choices=list(FAMILIES), help="families")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where models are kept")
    parser.add_argument("--pictures", type=Path, help="folder for those of the first data set")
    parser.add_argument("--tables", nargs="*", default=["families", "samples", "priors", "cost"])
    parser.add_argument("--priors", nargs="*", default=["standard", "aggregate"])
    parser.add_argument("--rows", type=int, help="the first training images alone")
    parser.add_argument("--codes", type=int, default=60_000, help="rows that p(z) is fitted to")
    arguments = parser.parse_args()
    if "cost" in arguments.tables:
        slow, fast = step_seconds(load("mnist"))
        show("causal training step / independent, equal outputs", slow / fast, 2.0)
    for name in arguments.data if set(arguments.tables) - {"cost"} else ():
        data = load(name, arguments.rows)
        chosen = [FAMILIES[f] for f in arguments.only or FAMILIES]
        models = {
            family.name: train(data, family, arguments.folder, share=arguments.share)
            for family in chosen
        }
        causal = CAUSAL in models or LEARNED in models
        if "families" in arguments.tables:
            family_table(data, list(models.values()))
        if "samples" in arguments.tables and causal:
            sample_table(data, models, tuple(arguments.priors), arguments.codes)
        if "priors" in arguments.tables and causal:
            prior_table(data, models, arguments.codes)
        if arguments.pictures and name == arguments.data[0]:
            pictures(data, models, arguments.pictures)


if __name__ == "__main__":
    main()
