"""Sizes of rows in files: by models, without, and by other coders, in one run.

``python -m benchmarks.codec`` (``--only mnist letter``, ``--share 0.5`` of the epochs,
``--models causal`` of images alone, ``--no-models``).
"""

import argparse
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import wellposed as wp
from wellposed.estimators.compression.estimate import estimate_compression

from . import models, rivals, tables
from .data import NAMES, Sample, load


def main() -> None:
    """Print one table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--share", type=float, default=1.0, help="of the epochs of a training")
    parser.add_argument("--models", nargs="+", choices=models.NAMES, default=list(models.NAMES))
    parser.add_argument("--no-models", action="store_true", help="leave the models out")
    arguments = parser.parse_args()
    for name in arguments.only:
        sample = load(name)
        n, values = len(sample.rows), sample.rows.size
        raw = sample.rows.nbytes
        print(f"\n{name}: {n:,} rows, {values:,} values, {raw:,} bytes of {sample.rows.dtype}")
        found = rivals.measure(sample)
        found["wellposed, no model"] = _ours(None, sample)
        model_bytes = {}
        for each, vae in [] if arguments.no_models else _models(sample, arguments):
            found[each] = _ours(vae, sample)
            size = len(wp.compress(vae, _rows(vae, sample), include_model=True))
            model_bytes[each] = size - found[each][0]
            try:
                parts = estimate_compression(vae, _rows(vae, sample))
            except wp.SettingError as error:
                parts = error
            print(f"  {each}, part by part:\n{_indented(parts)}")
        _print(found, model_bytes, sample)


def _models(sample: Sample, asked: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    if sample.model is not None:
        for each in asked.models:
            yield f"wellposed, {each}", models.trained(sample.model, each, share=asked.share).vae
    elif sample.train is not None:
        yield "wellposed, a model", tables.trained(sample, share=asked.share)


def _indented(text: object) -> str:
    return "\n".join(f"      {line}" for line in str(text).splitlines())


def _rows(coder: Any, sample: Sample) -> np.ndarray:
    """The values of a sample, as rows of the model if there is one."""
    return sample.rows if coder is None or sample.cut is None else sample.cut


def _ours(coder: Any, sample: Sample) -> tuple[int, float]:
    rows = _rows(coder, sample)
    begun = time.perf_counter()
    data = wp.compress(coder, rows)
    seconds = time.perf_counter() - begun
    if wp.decompress(data, coder).tobytes() != rows.tobytes():
        raise SystemExit(f"{sample.name} does not come back")
    return len(data), seconds


def _print(
    found: dict[str, tuple[int, float]], model_bytes: dict[str, int], sample: Sample
) -> None:
    n, values, raw = len(sample.rows), sample.rows.size, sample.rows.nbytes
    xz = found["xz"][0]
    for name, (size, seconds) in sorted(found.items(), key=lambda pair: pair[1][0]):
        line = f"  {name:32}{size:12,} bytes {8 * size / values:8.4f} bits a value"
        line += f" {raw / seconds / 1e6:8.2f} MB/s"
        if name in model_bytes:
            rows = model_bytes[name] / max(1e-9, (xz - size) / n)
            even = f"even with xz at {int(np.ceil(rows)):,} rows" if xz > size else "never even"
            line += f"; its model {model_bytes[name]:,} bytes, {even}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
