"""Checkpoint file of a training, which resumes from it with the same result."""

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import jax
import numpy as np

from wellposed import serialise
from wellposed._errors import DamagedFileError, OutputError, SettingError, TrainingWarning

_SECONDS_BETWEEN = 5.0


def fingerprint(arrays: Any, *settings: Any) -> str:
    """Return the SHA-256, in hex, of the settings and the data that determine a training.

    Parameters
    ----------
    arrays : pytree of arrays
    settings : further values, by their ``repr``

    Examples
    --------
    >>> fingerprint((np.zeros(2),), "a") == fingerprint((np.zeros(3),), "a")
    False
    """
    digest = hashlib.sha256(repr((jax.tree.structure(arrays), settings)).encode())
    for leaf in jax.tree.leaves(arrays):
        content = np.asarray(leaf, order="C")
        digest.update(f"{content.dtype}{content.shape}".encode())
        digest.update(content.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


@dataclasses.dataclass
class Checkpoint:
    """A file with a pytree of arrays, rewritten whole every few seconds by a thread.

    ``identity`` is the fingerprint of the training, and ``stages`` are the records of the trainings
    that it needs before: of each fold.
    """

    path: Path
    identity: str
    stages: list = dataclasses.field(default_factory=list)
    _written: float = dataclasses.field(default_factory=time.monotonic)
    _failed: bool = False
    _pending: Future | None = None
    _bytes: int = 0  # of the tensors that were written last

    @classmethod
    def at(cls, path: str | os.PathLike, identity: str, *, writes: bool = True) -> "Checkpoint":
        """Make the checkpoint of a path, and check that the file can be written.

        A process that only reads it, which is when ``writes`` is false, does not check.

        Raises
        ------
        OutputError
            If it cannot be written, or is a device, which cannot be read again.
        """
        if not writes:
            return cls(Path(os.fsdecode(path)).absolute(), identity)
        file = serialise.check_writable(path, overwrite=True)
        if file.exists() and not file.is_file():
            raise OutputError(
                f"A checkpoint must be a file that can be read again; {path} is not. Name a file."
            )
        return cls(file, identity)

    def load(self, skeleton: Any) -> tuple[Any, list] | None:
        """Return the stored tree and rows of history, or None where there is no file yet.

        Raises
        ------
        SettingError
            If the file belongs to another training.
        DamagedFileError
            If its contents are not those of a checkpoint of this training.
        """
        stored = self._read()
        if stored is None:
            return None
        tensors, header = stored
        with self._named():
            if len(_records(header, "stages")) != len(self.stages):
                return None
            return _fill(skeleton, tensors), _records(header, "history")

    def with_stages(self) -> Self:
        """Return the checkpoint with the earlier stages that its file holds, if there is one.

        Raises
        ------
        SettingError, DamagedFileError
            As :meth:`load` does.
        """
        stored = self._read()
        with self._named():
            stages = [] if stored is None else _records(stored[1], "stages")
        return dataclasses.replace(self, stages=stages)

    def _read(self) -> tuple[dict[str, np.ndarray], dict[str, str]] | None:
        if not self.path.exists():
            return None
        tensors, header = serialise.read(self.path)
        if header.get("kind") != "checkpoint" or header.get("identity") != self.identity:
            raise SettingError(
                f"{self.path} is the checkpoint of a training with other data or settings. "
                "Restore those to resume it, name another file, or delete this one."
            )
        return tensors, header

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Name the file, and the remedy, in errors of its contents."""
        try:
            yield
        except DamagedFileError as error:
            raise DamagedFileError(
                f"{self.path} cannot be resumed: {error} Delete it to train from the start, or "
                "take it from a backup."
            ) from error

    def save(self, tree: Any, rows: tuple, *, now: bool = False) -> None:
        """Write the tree, unless ``now`` is false and the last write was a few seconds ago.

        A thread writes while the training goes on, one file at a time; with ``now`` the file is
        written when this returns. Where it cannot be, a warning is given once and the training
        continues.
        """
        pending = self._pending
        if not now and pending is not None and not pending.done():
            return
        self._collect()
        if not now and time.monotonic() - self._written < _SECONDS_BETWEEN:
            return
        leaves = serialise.leaves_by_name(jax.device_get(tree))
        tensors = {name: np.asarray(leaf) for name, leaf in leaves}
        header = {"kind": "checkpoint", "identity": self.identity, "history": json.dumps(rows)}
        if self.stages:
            header["stages"] = json.dumps(self.stages)
        self._written = time.monotonic()
        self._bytes = sum(tensor.nbytes for tensor in tensors.values())
        writer = ThreadPoolExecutor(1, "wellposed-checkpoint")
        self._pending = writer.submit(serialise.write, self.path, tensors, header)
        writer.shutdown(wait=now)
        if now:
            self._collect()

    def _collect(self) -> None:
        """Wait for the file that is being written, and warn if it could not be."""
        pending, self._pending = self._pending, None
        if pending is None:
            return
        try:
            pending.result()
            self._failed = False
        except OutputError as error:
            self._warn(error)

    def _warn(self, error: OutputError) -> None:
        if not self._failed:
            warnings.warn(
                f"The checkpoint was not written: {error} It needs {_size(self._bytes)} beside the "
                f"old one{_free(self.path)}. Training goes on. Make room for the next checkpoint; "
                "until it is written, a stopped training resumes from the last.",
                TrainingWarning,
                stacklevel=5,
            )
        self._failed = True


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.3g} MB"


def _free(path: Path) -> str:
    """State the room on the disk of a file, where the system gives it."""
    try:
        return f", and its disk has {_size(shutil.disk_usage(path.parent).free)} free"
    except OSError:
        return ""


def _fill(skeleton: Any, tensors: dict[str, np.ndarray]) -> Any:
    """Put the tensors of the file into the skeleton; refuse missing and further tensors."""
    tree = serialise.fill(skeleton, tensors, exactly=True)
    for name, leaf in serialise.leaves_by_name(tree):
        # The best value alone may be infinite, before the first epoch.
        if bool(np.isnan(leaf).any()) or (leaf.ndim and not bool(np.isfinite(leaf).all())):
            raise DamagedFileError(f"{name} is not finite.")
    return tree


def _records(header: dict[str, Any], name: str) -> list:
    """Read a list of records, "history" or "stages"; the training checks what each holds."""
    text = header.get(name, "[]" if name == "stages" else None)
    if not isinstance(text, str):
        raise DamagedFileError(f"It has no {name}.")
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"Its {name} cannot be read.") from error
    if not isinstance(rows, list):
        raise DamagedFileError(f"Its {name} is not a list.")
    return rows
