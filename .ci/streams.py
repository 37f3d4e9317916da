"""Write streams coded by the saved models of the tests, and decode them in another process.

    python .ci/streams.py write FOLDER
    python .ci/streams.py read FOLDER [--without-jax] [--batch 7]

A stream is the integer model, coded rows, their quantised latents, and a container that needs the
model's file. Reading compares every row, every reconstruction, and every fingerprint of an integer
model that is made anew.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

import numpy as np

MODELS = Path(__file__).parents[1] / "tests" / "data" / "models"
NAMES = {
    "levels": ("beta-binomial", "categorical", "causal-logistic", "discretized-gaussian"),
    "positive": ("gamma", "log-normal", "zero-inflated"),
    "real": ("conditional", "shared", "laplace", "student-t", "causal-gaussian", "low-rank"),
    "unit": ("beta", "continuous-bernoulli", "truncated-normal"),
    "counts": ("poisson", "negative-binomial", "composition"),
    "settings": ("columns", "conv", "prior"),
}
FILES = [MODELS / kind / f"vae-{name}.wp" for kind, names in NAMES.items() for name in names]
N_ROWS = 80


def rows_of(stem: str) -> np.ndarray:
    """Rows whose cells are those of the model's examples, each column in an order of its own."""
    examples = json.loads((MODELS / "scores.json").read_text())[stem]["rows"]
    rng = np.random.default_rng(0)
    return rng.permuted(np.tile(np.round(examples, 2), (N_ROWS // 4, 1)), axis=0)


def write(folder: Path) -> None:
    """Write the streams of all models."""
    import wellposed as wp
    from wellposed.coding.container import blocks
    from wellposed.coding.quantised import Finenesses, QuantisedCodec
    from wellposed.estimators.compression.containers import cells_of
    from wellposed.estimators.compression.models import plan_for

    blocks.pack_plain = lambda parts: bytes(10**6)  # so that the model is what codes
    for path in FILES:
        model, rows = wp.load(path), rows_of(path.stem)
        cells = cells_of(rows)
        plan = plan_for(model, rows, cells)
        assert plan.coder is not None
        assert plan.modelled is not None
        symbols = plan.modelled.symbols(cells.parts)[0]
        out = folder / path.stem
        out.with_suffix(".model").write_bytes(plan.coder.to_bytes())
        out.with_suffix(".payload").write_bytes(plan.coder.encode(symbols))
        np.save(out.with_suffix(".npy"), symbols)
        tried = Finenesses(
            QuantisedCodec(plan.coder), symbols, np.ones(symbols.shape[1]), len(symbols)
        )
        lossy = QuantisedCodec(plan.coder, tried.quantiser(max(0, tried.finest - 64 * 4)))
        out.with_suffix(".quantised").write_bytes(lossy.encode(symbols))
        np.save(out.with_suffix(".near.npy"), lossy.reconstruct(symbols))
        out.with_suffix(".wpz").write_bytes(wp.compress(model, rows))


def read(folder: Path, *, with_jax: bool) -> None:
    """Decode the streams of all models, and compare."""
    from wellposed.coding import row_codec_from_bytes
    from wellposed.coding.quantised import QuantisedCodec

    for path in FILES:
        out = folder / path.stem
        symbols = np.load(out.with_suffix(".npy"))
        codec = row_codec_from_bytes(out.with_suffix(".model").read_bytes())
        payload = out.with_suffix(".payload").read_bytes()
        if not np.array_equal(codec.decode(payload, len(symbols)), symbols):
            sys.exit(f"{path.stem}: other rows")
        near = np.load(out.with_suffix(".near.npy"))
        payload_of_near = out.with_suffix(".quantised").read_bytes()
        if not np.array_equal(QuantisedCodec(codec).decode(payload_of_near, len(near)), near):
            sys.exit(f"{path.stem}: another reconstruction")
        if not with_jax:
            if codec.encode(symbols) != payload:
                sys.exit(f"{path.stem}: encoding gives other bytes")
        else:
            import wellposed as wp

            rows = wp.decompress(out.with_suffix(".wpz").read_bytes(), wp.load(path))
            if rows.tobytes() != rows_of(path.stem).tobytes():
                sys.exit(f"{path.stem}: other rows in the container")


def in_batches(size: int) -> None:
    """Let integer networks map a few rows at a time."""
    from wellposed.coding.integer import Network

    whole = Network.__call__

    def call(network: Network, x: np.ndarray) -> np.ndarray:
        parts = [whole(network, x[:, i : i + size]) for i in range(0, x.shape[1], size)]
        return np.concatenate(parts, axis=1) if parts else whole(network, x)

    Network.__call__ = call


def main() -> None:
    """Write or read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("write", "read"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--without-jax", action="store_true")
    parser.add_argument("--batch", type=int)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    if asked.what == "write":
        write(asked.folder)
        return
    if asked.without_jax:
        sys.modules["jax"] = None  # pyright: ignore[reportArgumentType]
    if asked.batch is not None:
        in_batches(asked.batch)
    read(asked.folder, with_jax=not asked.without_jax)
    versions = {"numpy": np.__version__}
    if not asked.without_jax:
        import jax

        versions["jax"] = jax.__version__
    print(f"{len(FILES)} streams decoded; Python {sys.version.split()[0]}, {versions}")


if __name__ == "__main__":
    main()
