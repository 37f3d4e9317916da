"""Scores, latents and draws of a saved model, on several devices or in one of several processes.

    python spread_worker.py FOLDER [N_PROCESSES INDEX PORT]

Reads ``model.wp`` and ``rows.npy`` of the folder, and writes ``scores.npy``, ``latents.parquet``
and ``draws.npy``.
"""

import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np

import wellposed as wp
from wellposed.sources import _order

_order._MOST_ROWS = 512  # three chunks, and two parts of the draws


def main() -> None:
    """Join the others, write the files, and print what was asked for in vain."""
    folder, n, index, port = Path(sys.argv[1]), *(int(each) for each in sys.argv[2:] or (1, 0, 0))
    if n > 1:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(f"127.0.0.1:{port}", n, index)
    model: Any = wp.load(folder / "model.wp")
    vae = model.set_params(devices="all", progress=False)
    source = wp.sources.NpySource(folder / "rows.npy")
    vae.score_samples(source, 4, "encoder", out=folder / "scores.npy")
    vae.transform(source, out=folder / "latents.parquet")
    vae.sample(1_000, out=folder / "draws.npy")
    print(len(jax.devices()), np.abs(vae.transform(source)).sum(dtype=float), flush=True)
    if n > 1:
        print(refusal(lambda: vae.transform(broken(folder), out=folder / "none.npy")), flush=True)
        print(refusal(lambda: vae.score_samples(source, 4 + index, "encoder")), flush=True)
        print(refusal(lambda: vae.sample(10, out=folder / "none" / f"{'x' * 300}.npy")), flush=True)


def broken(folder: Path) -> wp.sources.BlockSource:
    """Return the rows with a gap in the second chunk, which process 1 computes."""
    rows = np.load(folder / "rows.npy")
    rows[1_000, 2] = np.nan
    return wp.sources.ArraySource(rows)


def refusal(call: Any) -> str:
    """Return type and message of the error that a call raises."""
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__}: {error}".replace("\n", " ")
    return "none"


if __name__ == "__main__":
    main()
