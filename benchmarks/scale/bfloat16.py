"""The ELBO of models whose products in training have factors in bfloat16, beside float32.

    python -m benchmarks.scale bfloat16 [--seeds 3] [--epochs 40]

The digits and a table (power-plant), a fifth of the rows held out by a fixed split; both precisions
are fitted from the same seeds. Scores are float32: what differs is the training.
"""

import time
from typing import Any

import numpy as np

import wellposed as wp
from benchmarks.density.tables import SEVEN


def data() -> dict[str, np.ndarray]:
    """Return the two sets of rows."""
    return {
        "digits": np.asarray(wp.datasets.load_digits().values),
        "power-plant": np.asarray(SEVEN["power-plant"]()),
    }


def measure(rows: np.ndarray, precision: str, seed: int, epochs: int) -> tuple[float, float]:
    """Return the mean ELBO of rows held out, in nats, and the CPU seconds of an epoch."""
    order = np.random.default_rng(0).permutation(len(rows))
    held, trained = rows[order[: len(rows) // 5]], rows[order[len(rows) // 5 :]]
    seconds: list[float] = []
    vae = wp.VAE(
        min(10, rows.shape[1] - 1),
        hidden=(256, 256),
        prior="standard",
        max_epochs=epochs,
        validation_folds=0,
        precision=precision,  # type: ignore[arg-type]
        random_state=seed,
        progress=False,
    )
    vae.fit(trained, callbacks=[lambda _: seconds.append(time.process_time())])
    elbo: Any = vae.elbo(held)
    return float(elbo.mean(dtype=np.float64)), float(np.median(np.diff(seconds)))


def bfloat16(seeds: int = 3, epochs: int = 40) -> None:
    """Print the table."""
    print(
        f"\n{epochs} epochs, {seeds} seeds: mean held-out ELBO, nats\n"
        f"{'':14}{'float32':>10}{'bfloat16':>10}{'difference':>22}{'CPU s an epoch':>18}"
    )
    for name, rows in data().items():
        found = np.array(
            [
                [measure(rows, precision, seed, epochs) for precision in ("float32", "bfloat16")]
                for seed in range(seeds)
            ]
        )
        elbo, cpu = found[..., 0], np.median(found[..., 1], axis=0)
        difference = elbo[:, 1] - elbo[:, 0]
        error = difference.std(ddof=1) / np.sqrt(seeds) if seeds > 1 else np.nan
        spread = elbo[:, 0].std(ddof=1) if seeds > 1 else np.nan
        print(
            f"{name:14}{elbo[:, 0].mean():10.3f}{elbo[:, 1].mean():10.3f}"
            f"{difference.mean():+13.3f} ± {error:.3f}{cpu[0]:11.2f}, {cpu[1]:.2f}"
            f"   (seeds of float32 spread {spread:.3f})",
            flush=True,
        )
