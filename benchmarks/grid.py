"""Grids of trainings: ours beside one training after another, and beside PyTorch on a GPU.

    python -m benchmarks.grid digits                     # 50 members, two cores
    python -m benchmarks.grid singles                    # a grid beside its members one by one
    python -m benchmarks.grid poster [--epochs 200] [--seeds 5] [--folder DIR] [--torch]
    python -m benchmarks.grid combine --figures FILE...  # the poster's table, from its halves

``poster`` trains the table of Lucas et al. (2019), on a GPU all members of a shape at once, prints
it beside the published one, and with ``--torch`` times the same training in a PyTorch loop whose
data, dequantisation and fused Adam stay on that device. ``--pace 1`` gives the noise the
learning rate of the weights, which is not a setting of ``VAE``.
"""

import argparse
import dataclasses
import importlib
import json
import math
import time
from pathlib import Path

import jax
import numpy as np

import wellposed as wp
from benchmarks.data import images
from wellposed.experiments.reproduce import lucas
from wellposed.experiments.reproduce import lucas_mnist as poster
from wellposed.experiments.reproduce.picture import over_noise

DIGITS_SECONDS = 60.0
SINGLES_RATIO = 1.1
POSTER_SECONDS, TORCH_RATIO = 360.0, 15.0


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="+", choices=("digits", "singles", "poster", "combine"))
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--warmup", type=int, help="epochs; 10 by default")
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--torch", action="store_true")
    parser.add_argument("--only", choices=("given", "learned"), help="half of the table")
    parser.add_argument("--pace", type=float, help="of the noise; the plan's by default")
    parser.add_argument("--figures", type=Path, nargs="+", help="JSON files of the rows")
    parser.add_argument("--picture", type=Path, help="PNG file")
    given = parser.parse_args()
    print(f"JAX {jax.__version__} on {jax.devices()[0].device_kind}")
    for what in given.what:
        {"digits": digits, "singles": singles, "poster": table, "combine": combine}[what](given)


def digits(_: argparse.Namespace) -> None:
    """Five noise variances with ten seeds each, on the embedded digits."""
    X = wp.datasets.load_digits().values
    vae = wp.VAE(10, hidden=(64,), max_epochs=30, image_shape=(8, 8), random_state=0)
    started = time.perf_counter()
    grid = {"noise": [0.1, 0.3, 1.0, 3.0, 10.0], "random_state": range(10)}
    found = wp.fit_grid(vae, grid, X[:1400], X_test=X[1400:], progress=False)
    seconds = time.perf_counter() - started
    print(f"digits: {len(found.rows)} members in {seconds:.1f} s (target {DIGITS_SECONDS:.0f})")


def singles(given: argparse.Namespace) -> None:
    """A grid of ten, and its members fitted and measured one by one."""
    X, X_test = images("mnist", "train")[:10_000], images("mnist", "test")[:1_000]
    vae = poster.template(quick=True).set_params(max_epochs=3, kl_warmup=1, random_state=0)
    axis = dict(list(lucas.rows_of_table().items())[:10])
    wp.fit_grid(vae, {"noise": axis}, X[:256], X_test=X_test, progress=False)  # compiles
    started = time.perf_counter()
    found = wp.fit_grid(vae, {"noise": axis}, X, X_test=X_test, progress=False)
    whole = time.perf_counter() - started
    started = time.perf_counter()
    for noise in axis.values():
        one = wp.VAE(**{**vae.get_params(), "noise": noise, "progress": False})
        one.fit(X).elbo(X_test, n_samples=8)
        one.collapse(X_test)
    alone = time.perf_counter() - started
    print(
        f"singles: {len(found.rows)} members, {whole / alone:.3f} of the sum of single fits "
        f"(target {SINGLES_RATIO})"
    )


def table(given: argparse.Namespace) -> None:
    """The poster's table, and the time that it takes."""
    X, X_test = images("mnist", "train")[: given.rows], images("mnist", "test")
    if given.rows < len(X_test):
        X_test = X_test[: given.rows]
    vae = poster.template().set_params(
        max_epochs=given.epochs,
        kl_warmup=given.warmup or min(10, given.epochs // 2),
        progress=False,
    )
    if given.pace is not None:
        room = importlib.import_module("wellposed.estimators.grid.fit_grid")
        planned = room.plan_of
        room.plan_of = lambda *of: dataclasses.replace(planned(*of), noise_pace=given.pace)
    started = time.perf_counter()
    found = lucas.grid(
        vae,
        X,
        X_test,
        n_seeds=given.seeds,
        folder=given.folder,
        progress=False,
        only=given.only,
    )
    whole = time.perf_counter() - started
    trained = sum(row["seconds"] for row in found.rows)
    if given.figures is not None:
        given.figures[0].write_text(json.dumps(found.rows, default=float))
    if given.only is None:
        print(poster.reproduction(found, vae, quick=given.epochs < 200).markdown())
    for row in found.rows:
        print(
            row["noise"], row["random_state"], row["outcome"], f"{row['elbo']:.1f}",
            f"{row['tuned_elbo']:.1f}", f"{row['tuned_variance']:.4f}",
            f"{row['rate']:.1f}", f"{row['collapsed']:.4f}", row["reason"][:60],
        )  # fmt: skip
    print(
        f"poster: {len(found.rows)} members, {given.epochs} epochs: {whole:.0f} s in all, "
        f"{trained:.0f} s of it training and compiling (target {POSTER_SECONDS:.0f} for 50)",
        flush=True,
    )
    if given.torch:
        epoch = torch_epoch(X)
        torch_whole = epoch * given.epochs * len(found.rows)
        print(
            f"PyTorch: {epoch:.3f} s an epoch, {torch_whole:.0f} s one after another; ours "
            f"{torch_whole / trained:.1f} times as fast (target {TORCH_RATIO:.0f})"
        )


def combine(given: argparse.Namespace) -> None:
    """Print the table of rows that ``poster`` stored, from both halves."""
    rows = [row for path in given.figures for row in json.loads(path.read_text())]
    found = wp.estimators.Grid(("noise", "random_state"), tuple(rows), None, complete=True)
    made = poster.reproduction(found, poster.template(), quick=False)
    print(made.markdown())
    if given.picture is not None:
        over_noise(made, lucas.VARIANCES).savefig(given.picture, dpi=100)


def torch_epoch(X: np.ndarray, epochs: int = 4) -> float:
    """Seconds of an epoch of one member in PyTorch, the fastest of a few."""
    import torch

    from benchmarks.contenders.torch_loop import stack

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = True  # as JAX does
    data = torch.from_numpy(np.array(X)).to(device)
    k, d = 200, data.shape[1]
    encoder = stack((d, 1024, 512, 2 * k)).to(device)
    decoder = stack((k, 512, 1024, d)).to(device)
    log_sigma = torch.zeros((), device=device, requires_grad=True)
    weights = [*encoder.parameters(), *decoder.parameters(), log_sigma]
    optimiser = torch.optim.Adam(weights, lr=1e-3, fused=True)
    alpha, times = 1e-6, []
    for _ in range(epochs):
        started = time.perf_counter()
        for rows in torch.randperm(len(data), device=device).split(128):
            x = data[rows].float()
            p = alpha + (1 - 2 * alpha) * (x + torch.rand_like(x)) / 256
            y = torch.log(p) - torch.log1p(-p)
            raw = encoder(y)
            mean, log_scale = raw[:, :k], raw[:, k:]
            z = mean + torch.exp(log_scale) * torch.randn_like(mean)
            squares = ((y - decoder(z)) ** 2).sum(1)
            distortion = 0.5 * squares * torch.exp(-2 * log_sigma)
            distortion = distortion + d * (log_sigma + 0.5 * math.log(2 * math.pi))
            rate = 0.5 * (mean**2 + torch.exp(2 * log_scale) - 1 - 2 * log_scale).sum(1)
            optimiser.zero_grad(set_to_none=True)
            (distortion + rate).mean().backward()
            optimiser.step()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return min(times)


if __name__ == "__main__":
    main()
