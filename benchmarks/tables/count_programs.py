"""Fit one table after another and print the XLA programs that each fit asked for, as JSON."""

import json
import sys
import warnings
from pathlib import Path

import jax
import numpy as np

COMPILED = "/jax/core/compile/backend_compile_duration"  # fires for a program of the disk cache too


def main() -> None:
    """``count_programs.py ROWS.npy EPOCHS``."""
    import wellposed as wp

    rows, epochs = np.load(Path(sys.argv[1])), int(sys.argv[2])
    names: list[str] = []

    def note(event: str, _: float, fun_name: str = "?", **__: object) -> None:
        if event == COMPILED:
            names.append(fun_name)

    jax.monitoring.register_event_duration_secs_listener(note)
    stages = []

    def fit(what: str, n_rows: int, k: int, noise: str = "shared") -> None:
        names.clear()
        wp.VAE(k, noise=noise, max_epochs=epochs, random_state=0).fit(rows[:n_rows])
        stages.append((what, list(names)))

    warnings.simplefilter("ignore")
    fit("first fit, 455 rows, k = 5", 455, 5)
    fit("456 rows", 456, 5)
    fit("390 rows", 390, 5)
    fit("k = 6", 455, 6)
    fit('noise="feature"', 455, 6, "feature")
    print(json.dumps(stages))


if __name__ == "__main__":
    main()
