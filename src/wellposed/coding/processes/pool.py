"""Workers for the blocks of one file."""

import contextlib
import os
import queue
import subprocess
import sys
from collections.abc import Sequence
from typing import IO

import numpy as np

from .job import PACK, READ, Job, request
from .messages import DONE, flat, receive, send

_PROGRAM = "wellposed.coding.processes.serve"
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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

    def __enter__(self) -> "Processes":
        front = self._job.to_bytes()
        for _ in range(self._n):
            worker = _Worker.start(front)
            if worker is not None:
                self._all.append(worker)
            self._idle.put(worker)
        return self

    def __exit__(self, *_: object) -> None:
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
        worker = self._idle.get()
        answer, alive = None, worker
        if worker is not None:
            try:
                answer = worker.ask(parts)
            except (OSError, EOFError, ValueError):  # it has ended, or its pipes are closed
                alive = None
        self._idle.put(alive)
        return answer


class _Worker:
    def __init__(self, process: subprocess.Popen, asked: IO[bytes], answers: IO[bytes]):
        self._process, self._asked, self._answers = process, asked, answers
        self._is_ready = False

    @classmethod
    def start(cls, front: tuple[bytes, bytes]) -> "_Worker | None":
        """Start a process; None where the system has no interpreter to start, or refuses."""
        environment = os.environ | dict.fromkeys(_ONE_THREAD, "1")
        environment["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
        command = [sys.executable, "-P", "-m", _PROGRAM]
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment)
        except (OSError, ValueError):
            return None
        assert process.stdin is not None
        assert process.stdout is not None
        worker = cls(process, process.stdin, process.stdout)
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
            receive(self._answers)
            self._is_ready = True
        send(self._asked, *parts)
        answer = receive(self._answers)
        return answer[1:] if bytes(answer[:1]) == DONE else None

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        for pipe in (self._asked, self._answers):
            with contextlib.suppress(OSError):
                pipe.close()
        self._process.wait()
