"""The web application: files of the page, facts, and two requests. Needs starlette."""

import asyncio
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from ._gate import Gate, guard
from ._refusal import RefusedError
from ._requests import most_bytes, parse_datum, parse_wish
from ._scene import Scene

_BYTES = "application/octet-stream"
# What is not in this table is not served.
_FILES = {
    "": ("page.html", "text/html"),
    "page.css": ("page.css", "text/css"),
    "page.js": ("page.js", "text/javascript"),
    "plane.js": ("plane.js", "text/javascript"),
    "sliders.js": ("sliders.js", "text/javascript"),
    "views.js": ("views.js", "text/javascript"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
_DRAINED = 1 << 20  # bytes of an oversized body read before the refusal, or it would not arrive
BODY_SECONDS = 2  # for a body to come: it comes from this machine
_REMEDIES = {404: "Open the page itself.", 405: "Ask as the page does."}


def make_app(scene: Scene, gate: Gate) -> Any:
    """Build the application, behind its gate."""
    limit = most_bytes(scene.k)

    async def facts(request: Request) -> Response:
        del request
        return JSONResponse(scene.facts())

    async def look(request: Request) -> Response:
        wish = parse_wish(await _body(request, limit), scene.k)
        return Response(scene.look(wish.z, alpha=wish.alpha, draw=wish.draw), media_type=_BYTES)

    async def datum(request: Request) -> Response:
        n = 0 if scene.points is None else len(scene.points.rows)
        chosen = parse_datum(await _body(request, limit), n)
        return Response(scene.datum(chosen), media_type=_BYTES)

    routes = [
        Route("/facts", facts, methods=["GET"]),
        Route("/look", look, methods=["POST"]),
        Route("/datum", datum, methods=["POST"]),
        *(Route(f"/{name}", _file(*where), methods=["GET"]) for name, where in _FILES.items()),
    ]
    handlers: dict[Any, Any] = {RefusedError: _refused, HTTPException: _http, Exception: _failed}
    app = Starlette(routes=[Mount(f"/{gate.token}", routes=routes)], exception_handlers=handlers)
    return guard(app, gate, _refusal)


def _file(name: str, kind: str) -> Any:
    content = (files("wellposed.explorer") / "page" / name).read_bytes()

    async def served(request: Request) -> Response:
        del request
        return Response(content, media_type=kind)

    return served


async def _body(request: Request, limit: int) -> bytes:
    """Read a JSON body of at most ``limit`` bytes, whatever its length was said to be."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError(
            415, f"A body must be application/json; got {kind[:60] or 'no type'}. Name the type."
        )
    body, size = b"", 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                size += len(piece)
                if size <= limit:
                    body += piece
                elif size > _DRAINED:
                    break
    except TimeoutError as error:
        raise RefusedError(
            408, f"A body must come within {BODY_SECONDS} s; got {size} bytes. Send it whole."
        ) from error
    if size > limit:
        got = f"{size}" if size <= _DRAINED else f"over {_DRAINED}"
        raise RefusedError(
            413, f"A body must have at most {limit} bytes; got {got}. Send fewer digits."
        )
    return body


def _refusal(error: RefusedError) -> JSONResponse:
    return JSONResponse({"error": str(error)}, error.status)


async def _refused(request: Request, error: RefusedError) -> JSONResponse:
    del request
    return _refusal(error)


async def _http(request: Request, error: HTTPException) -> JSONResponse:
    """What starlette itself refuses: an unknown name or method."""
    text = f"There must be such an address; {request.method} has none here ({error.detail}). "
    return JSONResponse(
        {"error": text + _REMEDIES.get(error.status_code, "Open the page itself.")},
        error.status_code,
        dict(error.headers or {}),
    )


async def _failed(request: Request, error: Exception) -> JSONResponse:
    """A bug of ours: the traceback goes to the terminal, the server continues."""
    del request, error
    return JSONResponse({"error": "This is a bug; the terminal has its traceback."}, 500)
