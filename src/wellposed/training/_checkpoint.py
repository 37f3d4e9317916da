"""The whole state of a training in one file, so that it can stop anywhere and go on the same."""

import dataclasses
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from wellposed import serialise
from wellposed._errors import SettingError

_SECONDS_BETWEEN = 5.0


def fingerprint(arrays: Any, *settings: Any) -> str:
    """Digest everything that decides the course of a training: a pytree's arrays, and settings."""
    digest = hashlib.sha256(repr((jax.tree.structure(arrays), settings)).encode())
    for leaf in jax.tree.leaves(arrays):
        content = np.asarray(leaf, order="C")
        digest.update(f"{content.dtype}{content.shape}".encode())
        digest.update(content.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


@dataclasses.dataclass
class Checkpoint:
    """A file that holds a pytree of arrays, rewritten whole every few seconds.

    ``identity`` is the fingerprint of the training that it belongs to.
    """

    path: Path
    identity: str
    _written: float = dataclasses.field(default_factory=time.monotonic)

    @classmethod
    def at(cls, path: str | os.PathLike, identity: str) -> "Checkpoint":
        """Name the file, making sure now that it can be written."""
        return cls(serialise.check_writable(path, overwrite=True), identity)

    def load(self, skeleton: Any) -> tuple[Any, list] | None:
        """Return the stored tree and rows of history, or None where there is no file yet.

        Raises
        ------
        SettingError
            If the file belongs to another training.
        """
        if not self.path.exists():
            return None
        tensors, header = serialise.read(self.path)
        if header.get("kind") != "checkpoint" or header.get("identity") != self.identity:
            raise SettingError(
                f"{self.path} is the checkpoint of a training with other data or settings. "
                "Restore those to resume it, name another file, or delete this one."
            )
        return serialise.fill(skeleton, tensors), json.loads(header["history"])

    def save(self, tree: Any, rows: tuple, *, now: bool = False) -> None:
        """Write the tree, unless one was written a moment ago and ``now`` is false."""
        if not now and time.monotonic() - self._written < _SECONDS_BETWEEN:
            return
        leaves = serialise.leaves_by_name(jax.device_get(tree))
        header = {"kind": "checkpoint", "identity": self.identity, "history": json.dumps(rows)}
        serialise.write(self.path, {name: np.asarray(leaf) for name, leaf in leaves}, header)
        self._written = time.monotonic()
