"""The whole state of a training in one file, so that it can stop anywhere and go on the same."""

import dataclasses
import hashlib
import json
import os
import time
import warnings
from pathlib import Path
from typing import Any

import jax
import numpy as np

from wellposed import serialise
from wellposed._errors import DamagedFileError, OutputError, SettingError, TrainingWarning

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
    _failed: bool = False

    @classmethod
    def at(cls, path: str | os.PathLike, identity: str) -> "Checkpoint":
        """Name the file, making sure now that it can be written.

        Raises
        ------
        OutputError
            If it cannot, or is a device, from which no training can be resumed.
        """
        found = serialise.check_writable(path, overwrite=True)
        if found.exists() and not found.is_file():
            raise OutputError(
                f"A checkpoint must be a file that can be read again; {path} is none. Name a file."
            )
        return cls(found, identity)

    def load(self, skeleton: Any) -> tuple[Any, list] | None:
        """Return the stored tree and rows of history, or None where there is no file yet.

        Raises
        ------
        SettingError
            If the file belongs to another training.
        DamagedFileError
            If it is not what was written.
        """
        if not self.path.exists():
            return None
        tensors, header = serialise.read(self.path)
        if header.get("kind") != "checkpoint" or header.get("identity") != self.identity:
            raise SettingError(
                f"{self.path} is the checkpoint of a training with other data or settings. "
                "Restore those to resume it, name another file, or delete this one."
            )
        try:
            return _filled(skeleton, tensors), _history(header.get("history"))
        except DamagedFileError as error:
            raise DamagedFileError(
                f"{self.path} cannot be resumed: {error} Delete it to train from the start, or "
                "take it from a backup."
            ) from error

    def save(self, tree: Any, rows: tuple, *, now: bool = False) -> None:
        """Write the tree, unless one was written a moment ago and ``now`` is false.

        A disk that is full, or gone, warns once and stops no training: the model is in memory.
        """
        if not now and time.monotonic() - self._written < _SECONDS_BETWEEN:
            return
        leaves = serialise.leaves_by_name(jax.device_get(tree))
        header = {"kind": "checkpoint", "identity": self.identity, "history": json.dumps(rows)}
        try:
            serialise.write(self.path, {name: np.asarray(leaf) for name, leaf in leaves}, header)
            self._failed = False
        except OutputError as error:
            self._warn(error)
        self._written = time.monotonic()

    def _warn(self, error: OutputError) -> None:
        if not self._failed:
            warnings.warn(
                f"The checkpoint was not written: {error} Training goes on; make room, and the "
                "next one is written. Until then a stopped training resumes from the last one "
                "that was.",
                TrainingWarning,
                stacklevel=4,
            )
        self._failed = True


def _filled(skeleton: Any, tensors: dict[str, np.ndarray]) -> Any:
    """Put the file's tensors into the skeleton's places: all of them, and no others."""
    tree = serialise.fill(skeleton, tensors, exactly=True)
    for name, leaf in serialise.leaves_by_name(tree):
        # Only how good the best epoch was may be infinite, before there is one.
        if bool(np.isnan(leaf).any()) or (leaf.ndim and not bool(np.isfinite(leaf).all())):
            raise DamagedFileError(f"{name} is not finite.")
    return tree


def _history(text: Any) -> list:
    """Read the rows of history; whose columns they are, their training knows."""
    if not isinstance(text, str):
        raise DamagedFileError("It has no history.")
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedFileError("Its history cannot be read.") from error
    if not isinstance(rows, list):
        raise DamagedFileError("Its history is no list.")
    return rows
