"""The watch over processes that are silent, and over steps that do not end."""

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from ._end import End, end_process
from ._place import Place
from ._store import Store

_ENDED = "wellposed/ended"
_BEATS = "wellposed/beats"

_current: "Watch | None" = None


def beat() -> None:
    """State that a step of the training has ended, or that the first begins."""
    if _current is not None:
        _current.beat()


def rest() -> None:
    """State that no steps follow for now."""
    if _current is not None:
        _current.rest()


class Watch:
    """Two threads that end this process when others are silent or no step ends.

    One writes that this process is there, and reads that the others are: process 0 reads all, the
    others read process 0. A process that is silent for ``heartbeat`` seconds counts as gone. The
    other thread watches the steps of this process.

    Parameters
    ----------
    place : of this process
    store : that all processes see
    step_timeout : seconds within which a step must end, compilation included; None: no limit
    heartbeat : seconds of silence
    end : what ends the process
    clock : of seconds
    pause : seconds between two looks
    """

    def __init__(
        self,
        place: Place,
        store: Store,
        *,
        step_timeout: float | None,
        heartbeat: float,
        end: End = end_process,
        clock: Callable[[], float] = time.monotonic,
        pause: float | None = None,
    ):
        self._place, self._store, self._end, self._clock = place, store, end, clock
        self._step_timeout = math.inf if step_timeout is None else step_timeout
        self._heartbeat = heartbeat
        self._pause = min(2.0, heartbeat / 10) if pause is None else pause
        self._moved: float | None = None
        self._answered = clock()
        # Process 0 waits for all others, also for one that is silent from the beginning.
        others = range(1, place.n_processes if place.process == 0 else 1)
        self._heard = {str(i): ("", self._answered) for i in others}
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        """Start the threads; :func:`beat` is for this watch until the end of the block."""
        global _current
        for target in (self._exchange, self._look):
            thread = threading.Thread(target=target, name="wellposed-watch", daemon=True)
            thread.start()
            self._threads.append(thread)
        _current = self
        return self

    def __exit__(self, *error: Any) -> None:
        """Stop the threads."""
        global _current
        _current = None
        self._over.set()

    def beat(self) -> None:
        """State that a step has ended, or that the first begins."""
        self._moved = self._clock()

    def rest(self) -> None:
        """State that no steps follow for now."""
        self._moved = None

    def tell(self, message: str) -> None:
        """Leave a message for the others, which end with it."""
        with suppress(Exception):
            self._store.set(f"{_ENDED}/{self._place.process}", message)

    def _exchange(self) -> None:
        n = 0
        while not self._over.wait(self._pause):
            n += 1
            with suppress(Exception):  # a store that does not answer is what _look waits for
                self._store.set(f"{_BEATS}/{self._place.process}", str(n))
                told = self._store.under(_ENDED)
                told.pop(str(self._place.process), None)  # of its other thread
                if self._place.process == 0:
                    self._hear(self._store.under(_BEATS))
                self._answered = self._clock()
                if told and not self._over.is_set():
                    self._end(_told(self._place, told))
                    return

    def _hear(self, beats: dict[str, str]) -> None:
        now, heard = self._clock(), dict(self._heard)
        for process, value in beats.items():
            if heard.get(process, ("", 0.0))[0] != value:
                heard[process] = (value, now)
        self._heard = heard  # as a whole, since the other thread reads it

    def _look(self) -> None:
        before = self._clock()
        while not self._over.wait(self._pause / 2):
            now = self._clock()
            if now - before > self._heartbeat / 2:  # this process was itself frozen
                self._forgive(now)
            before = now
            message = self._silence(now) or self._standstill(now)
            if message and not self._over.is_set():
                self.tell_and_end(message)
                return

    def tell_and_end(self, message: str) -> None:
        """Tell the others, in at most a second, and end this process."""
        teller = threading.Thread(target=self.tell, args=(message,), daemon=True)
        teller.start()
        teller.join(1.0)
        self._end(message)

    def _forgive(self, now: float) -> None:
        self._answered = now
        self._heard = {process: (value, now) for process, (value, _) in self._heard.items()}

    def _silence(self, now: float) -> str | None:
        if now - self._answered > self._heartbeat:
            return (
                f"{self._place} ends: process 0 has not answered for {self._heartbeat:.0f} s. It "
                "is frozen, its host is gone, or the network is. Start the command again on all "
                "hosts; with a checkpoint the training continues."
            )
        gone = [p for p, (_, when) in self._heard.items() if now - when > self._heartbeat]
        if not gone:
            return None
        named = ", ".join(sorted(gone, key=int)[:8])
        return (
            f"{self._place} ends: nothing was heard from process {named} for "
            f"{self._heartbeat:.0f} s. It is frozen, its host is gone, or the network is. Start "
            "the command again on all hosts; with a checkpoint the training continues."
        )

    def _standstill(self, now: float) -> str | None:
        moved = self._moved
        if moved is None or now - moved <= self._step_timeout:
            return None
        return (
            f"{self._place} ends: no step has ended for {self._step_timeout:g} s (step_timeout). A "
            "process is stuck, or the limit is shorter than a step with its compilation. Look at "
            "the hosts, or raise the limit, and start again; with a checkpoint the training "
            "continues."
        )


def _told(place: Place, told: dict[str, str]) -> str:
    process, message = min(told.items())
    return f"{place} ends, since process {process} has ended. Its message: {message}"
