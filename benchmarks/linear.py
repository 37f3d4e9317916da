"""Probabilistic PCA and the linear VAE: figures that others computed too, and their time.

    python -m benchmarks.linear [--repeats 5]

The figures are of MNIST divided by 255. Times are the least of several, contenders taking turns in
one process; "cpu" is the same by processor time, which neighbours disturb less. The floor is the
time of the symmetric product at the machine's dgemm rate and of LAPACK's eigh alone.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA

import wellposed as wp
from benchmarks.data import images, unit_images
from wellposed import evaluation, models, transforms
from wellposed.estimators.data.rows import validate_rows

SLOWER_AT_MOST = 1.1
LINEAR_VAE_AT_MOST = 1.5
OF_TFDS_ORDER = 941.65  # 1,000 images in an order that IDX files do not have


def row(what: str, found: float, reference: float | str, tolerance: float, ok: bool) -> None:
    """Print one line of the table of figures."""
    text = reference if isinstance(reference, str) else f"{reference:.9g}"
    verdict = "met" if ok else "missed"
    print(f"{what:58} {found:14.9g} {text:>14} {tolerance:9.1e}  {verdict}", flush=True)


def near(what: str, found: float, reference: float, tolerance: float) -> None:
    """Print a figure that should be ``reference``."""
    row(what, found, reference, tolerance, abs(found - reference) <= tolerance)


def figures(train: np.ndarray, test: np.ndarray) -> None:
    """All 60,000 images; references as published, or computed elsewhere from the same files."""
    small, large = wp.PPCA(20).fit(train), wp.PPCA(200).fit(train)
    near("trace of the covariance", large.spectrum_.total_variance, 52.72503549512684, 1e-10)
    near("k = 20: σ²", small.noise_variance_, 0.024597, 5e-7)
    near("k = 20: train log p(x), nats", small.log_likelihood_, 299.758, 5e-4)
    near("k = 20: test log p(x), nats", small.score(test), 306.5, 0.05)
    near("k = 200: σ²", large.noise_variance_, 0.003029, 5e-7)
    near("k = 200: train log p(x), nats", large.log_likelihood_, 839.544, 5e-4)
    near("k = 200: test log p(x), nats", large.score(test), 844.7, 0.05)


def thousands(train: np.ndarray) -> None:
    """The linear VAE from a random start beside the closed form, on 1,000 images."""
    exact = wp.PPCA(200).fit(train[:1000]).log_likelihood_
    vae = wp.LinearVAE(200, random_state=0, progress=False).fit(train[:1000])
    near("first 1,000, k = 200: log p(x) of pPCA, nats", exact, 962.38, 5e-3)
    apart = abs(vae.elbo_ / exact - 1)
    row("the same: ELBO of the linear VAE, relative difference", apart, "0", 1e-6, apart <= 1e-6)
    rng = np.random.default_rng(0)
    chosen = [rng.choice(len(train), 1000, replace=False) for _ in range(20)]
    values = [wp.PPCA(200).fit(train[rows]).log_likelihood_ for rows in chosen]
    mean, deviation = np.mean(values), np.std(values, ddof=1)
    near("20 random thousands, k = 200: mean log p(x), nats", mean, OF_TFDS_ORDER, 2 * deviation)
    print(f"{'':4}{mean:.1f} ± {deviation:.1f}, from {min(values):.1f} to {max(values):.1f}; the")
    print(f"{'':4}reference is one thousand in another order, the tolerance two deviations")


Times = dict[str, tuple[float, float]]  # least wall and processor seconds


def race(contenders: dict[str, Callable[[], Any]], repeats: int) -> Times:
    """Let contenders take turns."""
    best: Times = dict.fromkeys(contenders, (np.inf, np.inf))
    for _ in range(repeats):
        for name, run in contenders.items():
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            best[name] = min(best[name][0], wall), min(best[name][1], cpu)
    return best


def ratio(what: str, ours: tuple[float, float], theirs: tuple[float, float], most: float) -> None:
    """Print a ratio of times; smaller is better."""
    wall, cpu = (mine / other for mine, other in zip(ours, theirs, strict=True))
    verdict = "met" if wall <= most else "missed"
    seconds = f"{ours[0]:.3f} s over {theirs[0]:.3f} s"
    print(f"{what:58} {wall:9.2f} {cpu:9.2f} {most:7.2f}  {verdict:6}  {seconds}", flush=True)


def ppca_beside_pca(train: np.ndarray, repeats: int) -> None:
    """PPCA over scikit-learn's PCA with the same solver, in both float types."""
    single = train.astype(np.float32)
    for solver, n in (("covariance_eigh", 60_000), ("full", 10_000), ("randomized", 60_000)):
        pairs = {"float64": train[:n], "float32": single[:n]}
        contenders = {}
        for kind, data in pairs.items():
            ours = wp.PPCA(20, svd_solver=solver, random_state=0)
            theirs = PCA(20, svd_solver=solver, random_state=0)
            contenders[f"ours {kind}"] = lambda ours=ours, data=data: ours.fit(data)
            contenders[f"theirs {kind}"] = lambda theirs=theirs, data=data: theirs.fit(data)
        found = race(contenders, repeats)
        for kind in pairs:
            name = f"{kind}, {solver}, n = {n}: PPCA over PCA"
            ratio(name, found[f"ours {kind}"], found[f"theirs {kind}"], SLOWER_AT_MOST)


def float32_errors(train: np.ndarray) -> None:
    """Relative error of σ² from float32 data, against float64 throughout."""
    single, per_row = train.astype(np.float32), (len(train) - 1) / len(train)
    for k in (20, 400):
        exact = wp.PPCA(k).fit(train).noise_variance_
        ours = wp.PPCA(k).fit(single).noise_variance_
        theirs = PCA(k, svd_solver="covariance_eigh").fit(single).noise_variance_ * per_row
        print(
            f"    σ² from float32 data, k = {k}, relative error: ours {abs(ours / exact - 1):.1e}, "
            f"scikit-learn {abs(theirs / exact - 1):.1e}"
        )


def linear_vae_beside_pca(train: np.ndarray, repeats: int) -> None:
    """The linear VAE from a random start over all of PCA."""
    ours = {
        "LinearVAE(200)": wp.LinearVAE(200, random_state=0, progress=False),
        "LinearVAE(200, tol=1e-6)": wp.LinearVAE(200, tol=1e-6, random_state=0, progress=False),
    }
    theirs = {
        "PCA()": lambda: PCA().fit(train),
        'PCA("full")': lambda: PCA(svd_solver="full").fit(train),
    }
    mine = {name: lambda vae=vae: vae.fit(train) for name, vae in ours.items()}
    found = race(mine | theirs, repeats)
    exact = wp.PPCA(200).fit(train).log_likelihood_
    for name, vae in ours.items():
        for other in theirs:
            ratio(f"{name} over {other}", found[name], found[other], LINEAR_VAE_AT_MOST)
        apart = abs(vae.elbo_ / exact - 1)
        print(f"    {vae.n_iter_} iterations, {apart:.1e} from the optimum (target 1e-6)")


def where_time_goes(train: np.ndarray, byte_rows: np.ndarray, repeats: int) -> None:
    """The parts of PPCA(20).fit, and the floor."""
    n, d = train.shape
    units, square = evaluation.IDENTITY, np.random.default_rng(0).random((2_000, 2_000))
    covariance = evaluation.covariance(train, units)
    spectrum = models.eigendecompose(covariance)
    parts = {
        "validation": lambda: validate_rows(BaseEstimator(), train, reset=True),
        "resolution": lambda: transforms.resolution_of(train, None),
        "covariance": lambda: evaluation.covariance(train, units),
        "eigh": lambda: models.eigendecompose(covariance),
        "optimum": lambda: models.optimum(spectrum, 20),
    }
    beside = {
        "fit": lambda: wp.PPCA(20).fit(train),
        "covariance of uint8 rows": lambda: evaluation.covariance(byte_rows, units),
        "X.T @ X": lambda: train.T @ train,
        "dgemm of 2,000": lambda: square @ square,
    }
    found = race(parts | beside, repeats)
    for name in parts | beside:
        wall, cpu = found[name]
        print(f"    {name:30} {wall:8.4f} s  cpu {cpu:8.4f} s")
    rate = 2 * 2_000**3 / found["dgemm of 2,000"][0]
    floor = n * d**2 / rate + found["eigh"][0]
    print(f"    dgemm {rate / 1e9:.1f} Gflop/s; floor n·d²/rate + eigh = {floor:.3f} s; ", end="")
    print(f"fit is {found['fit'][0] / floor:.2f} times that")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    warnings.simplefilter("ignore")  # pixels that never vary
    byte_rows = images("mnist", "train")
    train, test = byte_rows / 255.0, unit_images("mnist", "test")
    print(f"{'MNIST/255':58} {'found':>14} {'reference':>14} {'tolerance':>9}  verdict")
    figures(train, test)
    thousands(train)
    print(f"\n{'time, ours over theirs':58} {'wall':>9} {'cpu':>9} {'target':>7}  verdict")
    ppca_beside_pca(train, repeats)
    float32_errors(train)
    linear_vae_beside_pca(train, repeats)
    print("\nwhere PPCA(20).fit spends its time, float64, covariance_eigh")
    where_time_goes(train, byte_rows, repeats)


if __name__ == "__main__":
    main()
