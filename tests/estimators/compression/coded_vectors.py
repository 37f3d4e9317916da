"""Files whose rows a model codes, in tests/data/compressed/coded: every later version decodes them.

``python -m coded_vectors`` writes the files that are missing; it never replaces one.
"""

import json
import warnings
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

import wellposed as wp
from wellposed.coding.container import blocks

DATA = Path(__file__).parents[2] / "data"
FOLDER = DATA / "compressed" / "coded"
SAVED = {
    "beta": "unit",
    "columns": "settings",
    "conv": "settings",
    "causal-logistic": "levels",
    "conditional": "real",
    "gamma": "positive",
    "laplace": "real",
    "negative-binomial": "counts",
    "prior": "settings",
    "zero-inflated": "positive",
}

TRAINED = {
    "composition": wp.noise.NegativeBinomial(library=True),
    "digits": wp.noise.DiscretizedLogistic(17),
}


def digits() -> np.ndarray:
    """Forty handwritten digits of scikit-learn, one of them with a level never seen."""
    rows = wp.datasets.load_digits().values[:40].astype(np.uint8)
    rows[7, 9] = 200
    return rows


def saved(name: str) -> np.ndarray:
    """The examples of a saved model, 24 rows; one cell of the last row is apart."""
    rows = json.loads((DATA / "models" / "scores.json").read_text())[f"vae-{name}"]["rows"]
    rows = np.tile(np.round(np.array(rows, float), 2), (6, 1))
    rows[-1, 0] = np.nan
    return rows


# The reconstruction that the first of these files must decode to is the second, an exact file.
QUANTISED, NEAR = "quantised", "quantised-near"
BITS = 6.0


def rows() -> dict[str, np.ndarray]:
    """The rows of the files, by name."""
    trained = {name: digits() for name in TRAINED}
    return trained | {name: saved(name) for name in SAVED}


def model(name: str) -> Any:
    """The model of a file, which has it inside."""
    if name not in TRAINED:
        return wp.load(DATA / "models" / SAVED[name] / f"vae-{name}.wp")
    noise = TRAINED[name]
    settings: dict[str, Any] = {"hidden": (16,), "max_epochs": 20, "random_state": 0}
    return wp.VAE(3, noise=noise, prior="mixture", **settings).fit(digits().clip(max=16))


def main() -> None:
    """Write the files that are missing."""
    FOLDER.mkdir(exist_ok=True)
    for name, each in rows().items():
        path = FOLDER / f"{name}.wpz"
        if path.exists():
            continue
        with mock.patch.object(blocks, "pack_plain", return_value=bytes(10**6)):
            path.write_bytes(wp.compress(model(name), each, include_model=True))
        print(path, path.stat().st_size)
    write_quantised()


def write_quantised() -> None:
    """Write the file of quantised latents with their residual, and its reconstruction."""
    paths = [FOLDER / f"{name}.wpz" for name in (QUANTISED, NEAR)]
    if any(path.exists() for path in paths):
        return
    settings: dict[str, Any] = {"target_bits": BITS, "keep_residual": True, "include_model": True}
    with mock.patch.object(blocks, "pack_plain", return_value=bytes(10**6)):
        paths[0].write_bytes(wp.compress(model("digits"), digits(), **settings))
    near = wp.decompress(paths[0].read_bytes(), residual=False)
    paths[1].write_bytes(wp.compress(None, near))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
