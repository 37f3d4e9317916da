"""Limits of connections without a complete request: time and number. Needs uvicorn."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 5.0  # as long as uvicorn keeps a connection on which nothing was sent
MOST_WAITING = 128  # far below what a process may have open; a browser has six


def make_protocol(
    seconds: float = HEAD_SECONDS, most: int = MOST_WAITING
) -> type[asyncio.Protocol]:
    """Build a server's protocol that closes connections which do not complete a request.

    The head of a request must come within ``seconds`` of the connection, or of the answer before
    it. Beyond ``most`` connections without one, the oldest is closed: a request that comes whole,
    as the page's do, never waits for others that do not.

    Each call makes a class with a count of its own: one server, one class.
    """
    waiting: dict[H11Protocol, asyncio.TimerHandle] = {}  # the oldest first

    class Impatient(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait()
            if len(waiting) > most:
                next(iter(waiting))._hang_up()  # type: ignore[attr-defined]

        def handle_events(self) -> None:
            super().handle_events()
            if self._answering:
                self._wait_no_more()

        def on_response_complete(self) -> None:
            self._wait_no_more()
            self._wait()
            super().on_response_complete()  # which begins the next answer, where its head is here

        def connection_lost(self, exc: Exception | None) -> None:
            self._wait_no_more()
            super().connection_lost(exc)

        @property
        def _answering(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete

        def _wait(self) -> None:
            waiting[self] = self.loop.call_later(seconds, self._hang_up)

        def _wait_no_more(self) -> None:
            timer = waiting.pop(self, None)
            if timer is not None:
                timer.cancel()

        def _hang_up(self) -> None:
            self._wait_no_more()
            self.transport.abort()

    return Impatient
