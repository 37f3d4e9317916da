"""Rows of twenty latents and noise, written to a file."""

import os
from pathlib import Path

import numpy as np

WIDTH = 784
GENERATED = 16_384  # rows at a time


def generate(path: Path, n_rows: int, dtype: type = np.float32) -> None:
    """Write rows of twenty latents and noise."""
    generator = np.random.default_rng(0)
    weight = generator.normal(size=(20, WIDTH)).astype(np.float32)
    with path.open("wb") as file:
        header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": (n_rows, WIDTH)}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, n_rows, GENERATED):
            m = min(GENERATED, n_rows - start)
            z = generator.standard_normal((m, 20), np.float32)
            rows = z @ weight + generator.standard_normal((m, WIDTH), np.float32)
            if dtype is np.uint8:
                rows = np.clip(rows * 12 + 128, 0, 255)
            file.write(rows.astype(dtype).data)
        file.flush()
        os.fsync(file.fileno())
