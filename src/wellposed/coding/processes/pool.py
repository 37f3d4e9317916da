"""Workers for the blocks of one file."""

import contextlib
import os
import queue
import subprocess
import sys
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from .job import PACK, READ, Job, request
from .messages import DONE, HELLO, exactly, flat, receive, send

_PROGRAM = "wellposed.coding.processes.serve"
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_PATIENCE = 60.0  # seconds for a worker to begin


class Processes(contextlib.AbstractContextManager):
    """Processes that pack and read blocks, each with one thread; for threads that ask them.

    They are new interpreters that import neither JAX nor the caller's program, so that a script
    needs no guard against being imported anew. They end with the context, and if their pipe does.

    Parameters
    ----------
    job : what to do
    n : number of processes
    """

    def __init__(self, job: Job, n: int):
        self._job, self._n = job, n
        self._idle: queue.SimpleQueue[_Worker | None] = queue.SimpleQueue()
        self._all: list[_Worker] = []
        self._closed = self._warned = False

    def __enter__(self) -> "Processes":
        front = self._job.to_bytes()
        for _ in range(self._n):
            worker = _Worker.start(front)
            if worker is not None:
                self._all.append(worker)
            self._idle.put(worker)
        if len(self._all) < self._n:
            self._warn()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        for worker in self._all:
            worker.end()

    def pack(self, parts: Sequence[np.ndarray]) -> bytes | None:
        """Return the body of a block; None if no worker could make it."""
        answer = self._ask(request(PACK, len(parts[0]), [flat(part) for part in parts]))
        return None if answer is None else bytes(answer)

    def read(self, body: bytes | memoryview, n: int) -> list[np.ndarray] | None:
        """Return the cells of a block of n rows; None if no worker could read it."""
        answer = self._ask(request(READ, n, [body]))
        return None if answer is None else self._job.parts(answer, n)

    def _ask(self, parts: list[bytes | memoryview]) -> memoryview | None:
        worker, kept = self._idle.get(), None
        try:
            answer = None if worker is None else worker.ask(parts)
            kept = worker
            return answer
        # It has ended, its pipes are closed, or its answer does not fit in memory.
        except (OSError, EOFError, ValueError, MemoryError):
            if self._closed:
                raise
            self._warn()
            return None
        finally:
            self._idle.put(kept)

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(
                "Blocks are coded by processes; one of them did not start, or ended. Its blocks "
                "are coded by this one, which takes longer and gives the same bytes.",
                RuntimeWarning,
                stacklevel=4,
            )


def can_start() -> bool:
    """Whether ``sys.executable`` is an interpreter, and no program that has one inside."""
    name = Path(sys.executable or "").stem.lower()
    return not getattr(sys, "frozen", False) and name.startswith(("python", "pypy"))


class _Worker:
    def __init__(self, process: subprocess.Popen, asked: IO[bytes], answers: IO[bytes]):
        self._process, self._asked, self._answers = process, asked, answers
        self._is_ready = False
        self._limit = threading.Timer(_PATIENCE, process.kill)
        self._limit.daemon = True

    @classmethod
    def start(cls, front: tuple[bytes, bytes]) -> "_Worker | None":
        """Start a process; None where the system has no interpreter to start, or refuses."""
        environment = os.environ | dict.fromkeys(_ONE_THREAD, "1")
        environment["PYTHONPATH"] = os.pathsep.join(_import_path())
        command = [sys.executable, "-P", "-m", _PROGRAM]
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment)
        except (OSError, ValueError):
            return None
        assert process.stdin is not None
        assert process.stdout is not None
        worker = cls(process, process.stdin, process.stdout)
        worker._limit.start()
        try:
            for part in front:
                send(worker._asked, part)
        except OSError:
            worker.end()
            return None
        return worker

    def ask(self, parts: list[bytes | memoryview]) -> memoryview | None:
        """Return the answer to a message, None if the worker failed at it.

        Raises
        ------
        OSError, EOFError
            If the process has ended.
        """
        if not self._is_ready:
            if exactly(self._answers, len(HELLO)) != HELLO:
                raise EOFError("a program answered that is no worker")
            self._limit.cancel()
            self._is_ready = True
        send(self._asked, *parts)
        answer = receive(self._answers)
        return answer[1:] if bytes(answer[:1]) == DONE else None

    def end(self) -> None:
        """End the process, whatever it does."""
        self._limit.cancel()
        self._process.kill()
        for pipe in (self._asked, self._answers):
            with contextlib.suppress(OSError):
                pipe.close()
        self._process.wait()


def _import_path() -> list[str]:
    """Return where this process imports from, as a worker can be told."""
    here = ""
    with contextlib.suppress(OSError):  # a folder that is gone
        here = os.getcwd()
    found = [entry or here for entry in sys.path if isinstance(entry, str)]
    return [entry for entry in found if entry and os.pathsep not in entry]
