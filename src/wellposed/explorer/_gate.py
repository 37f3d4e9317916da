"""Access control: only the page that was opened with the token, on this machine."""

import dataclasses
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ._refusal import RefusedError

HOST = "127.0.0.1"
MOST_PATH = 1_024  # bytes of an address, its query included

# Only the page's own files, and no page around it. Nothing is kept when the server has ended.
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

App = Callable[..., Awaitable[None]]


@dataclasses.dataclass(frozen=True)
class Gate:
    """Checks of a request before its body is read."""

    token: str
    port: int

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://{HOST}:{self.port}/{self.token}/"

    def check(self, scope: MutableMapping[str, Any]) -> None:
        """Raise ``RefusedError`` for a request from elsewhere.

        A name that an attacker has pointed at 127.0.0.1 (DNS rebinding) stands in Host; another
        page that sends a form or a fetch stands in Origin; and neither knows the token.
        """
        headers = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1"), value.decode("latin-1"))
        hosts = (f"{HOST}:{self.port}", f"localhost:{self.port}")
        if headers.get("host") not in hosts:
            raise RefusedError(
                421,
                f"The host must be {' or '.join(hosts)}; got {_cut(headers.get('host'))}. "
                f"Open the address that was printed.",
            )
        origin, own = headers.get("origin"), f"http://{headers['host']}"
        if origin != own and not (origin is None and scope["method"] in ("GET", "HEAD")):
            raise RefusedError(
                403,
                f"The origin must be {own}; got {_cut(origin)}. Ask from the page itself.",
            )
        if len(scope["raw_path"]) + len(scope["query_string"]) > MOST_PATH:
            raise RefusedError(
                414,
                f"An address must have at most {MOST_PATH} bytes; got "
                f"{len(scope['raw_path']) + len(scope['query_string'])}. Send numbers in the body.",
            )
        first = scope["path"].split("/")[1:2] or [""]
        given = first[0].encode("utf-8", "replace")
        if not secrets.compare_digest(given, self.token.encode("ascii")):
            raise RefusedError(
                403,
                "An address must begin with the token that was printed at the start; this one "
                "has another, or none. Copy the whole address.",
            )


def guard(app: App, gate: Gate, refusal: Callable[[RefusedError], App]) -> App:
    """Put the gate before an application, and the security headers on every answer."""

    async def admitted(scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *own]}
            await send(message)

        answer = app
        try:
            gate.check(scope)
        except RefusedError as error:
            answer = refusal(error)
        await answer(scope, receive, send_with_headers)

    return admitted


def _cut(value: str | None) -> str:
    if value is None:
        return "none"
    return repr(value if len(value) <= 60 else f"{value[:60]}…")
