"""A training of twenty steps on a mesh, in this process or in one of several.

    python mesh_worker.py MODEL ROWS N_PROCESSES INDEX PORT

prints the digest of the parameters after the last step, and the history.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np

import wellposed as wp
from wellposed import training

PLAN = training.Plan(
    batch_size=60,  # no multiple of eight shards
    max_epochs=4,
    learning_rate=1e-2,
    clip_norm=20.0,
    weight_decay=0.1,
    ema_decay=0.9,
)


def train(model: Any, rows: np.ndarray, mesh: training.DataMesh | None) -> dict[str, Any]:
    """Return digest and history of a training from a model."""
    last: list[Any] = []
    member = training.Member(model, jax.random.key(1), plan=PLAN, validation_fraction=0.1)
    run = training.fit_member(
        member, rows, mesh=mesh, callbacks=[lambda report: last.append(report.model)]
    )
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(eqx.filter(last[-1], eqx.is_array)):
        digest.update(np.asarray(leaf).tobytes())
    return {"digest": digest.hexdigest(), "history": run.history.rows}


def main() -> None:
    """Join the others, and train."""
    model, rows, n, index, port = sys.argv[1:]
    if int(n) > 1:
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        jax.distributed.initialize(f"127.0.0.1:{port}", int(n), int(index))
    mesh = training.DataMesh.of("all")
    start: Any = wp.load(Path(model))
    found = train(start.model_, np.load(rows), mesh)
    print(json.dumps({**found, "devices": len(mesh.devices)}), flush=True)


if __name__ == "__main__":
    main()
