"""Megabytes of rows a second of compression, beside ``xz -9``.

    python -m benchmarks.codec.speed [black-white] [causal] [--rows N] [--share 0.1]

``black-white``: all 70,000 images of MNIST as zeros and ones, by independent noise and two layers
of 500, trained for six epochs of 30,000. ``causal``: its grey training images by causal noise,
trained for ``--share`` of its epochs. Seconds are those of the clock and those of all processes
together on the processors; the rows are larger than 24 MiB by default, so that blocks are coded by
processes side by side.
"""

import argparse
import lzma
import resource
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import wellposed as wp
from benchmarks.codec.models import trained
from benchmarks.data import images
from wellposed.coding.container.read import NeedsModel, Reader

ROWS = {"black-white": 70_000, "causal": 33_000}


def processors() -> float:
    """Return the seconds that this process and those it started have computed."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def timed(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what a call returns, its seconds, and those of the processors."""
    wall, cpu = time.perf_counter(), processors()
    answer = call()
    return answer, time.perf_counter() - wall, processors() - cpu


def cases(names: list[str], n_rows: int | None, share: float) -> Iterator[tuple[str, Any, Any]]:
    """Return each name with its model and its rows."""
    for name in names:
        rows = images("mnist", "train")
        if name == "black-white":
            rows = (np.concatenate([rows, images("mnist", "test")]) > 127).astype(np.uint8)
            model = wp.VAE(
                20, noise="bernoulli", hidden=(500, 500), max_epochs=6, random_state=0
            ).fit(rows[:30_000])
        else:
            model = trained("mnist", "causal", share=share).vae
        yield name, model, rows.astype(np.uint8)[: n_rows or ROWS[name]]


def is_by_model(data: bytes) -> bool:
    """Return whether the first block of a file is coded by its model, and not without one."""
    reader = Reader(data)
    try:
        reader.read(0, reader.extents()[0][0])
    except NeedsModel:
        return True
    return False


def main() -> None:
    """Print a line each for encoding, decoding and xz."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", default=list(ROWS))
    parser.add_argument("--rows", type=int)
    parser.add_argument("--share", type=float, default=0.1)
    given = parser.parse_args()
    warnings.simplefilter("ignore")  # short trainings are intended
    for name, model, rows in cases(given.names, given.rows, given.share):
        wp.decompress(wp.compress(model, rows[:100]), model)  # compiled
        size = rows.nbytes / 1e6
        print(f"\n{name}: {len(rows):,} rows, {size:.1f} MB{'':8}MB a second   a CPU second")
        data, *encoding = timed(lambda model=model, rows=rows: wp.compress(model, rows))
        again, *decoding = timed(lambda model=model, data=data: wp.decompress(data, model))
        packed, *xz = timed(lambda rows=rows: lzma.compress(rows.tobytes(), preset=9))
        if not np.array_equal(again, rows):
            raise SystemExit("the rows did not come back")
        if not is_by_model(data):
            raise SystemExit("the model gives a longer code than a general method: train it longer")
        lines = {"encoded": (data, encoding), "decoded": (data, decoding), "xz -9": (packed, xz)}
        for title, (file, (wall, cpu)) in lines.items():
            print(f"{title:10}{len(file):14,} bytes{size / wall:12.2f}{size / cpu:15.2f}")


if __name__ == "__main__":
    main()
