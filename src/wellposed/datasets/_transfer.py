"""One request: bring a partial file nearer to its full length."""

import contextlib
import http.client
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from wellposed._errors import OutputError

CHUNK = 1 << 16

_RANGE = re.compile(r"bytes (?P<start>\d+)-\d+/(?P<total>\d+|\*)")


class RefusedError(Exception):
    """The mirror answered with something other than the file; asking again is no use."""


class BrokenOffError(Exception):
    """The mirror stopped in the middle; what has come is kept, and worth continuing."""


def transfer(
    url: str, part: Path, size: int, *, timeout: float, progress: Callable[[int], None]
) -> None:
    """Continue ``part`` up to ``size`` bytes, or begin it anew where the server knows no ranges.

    ``timeout`` is in seconds without a byte, not for the whole.
    """
    start = held(part)
    headers = {"User-Agent": "wellposed", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with _opened(urllib.request.Request(url, headers=headers), timeout) as response:
        start = _offset(response, start, size)
        _save(_chunks(response, start, size, progress), part, "ab" if start else "wb")
    if held(part) < size:
        raise BrokenOffError(f"closed the connection after {held(part)} of {size} bytes")


def held(part: Path) -> int:
    """Count the bytes that are here already."""
    return part.stat().st_size if part.exists() else 0


@contextlib.contextmanager
def writable(path: Path) -> Iterator[None]:
    """Turn trouble with the disk into an error that names the way out."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"Data are fetched into a folder that can be written; {path} cannot ({error}). "
            f"Make room there, or set WELLPOSED_CACHE to another folder."
        ) from error


def _opener() -> urllib.request.OpenerDirector:
    """Build an opener for http and https alone: the usual one follows redirects to ftp as well."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


@contextlib.contextmanager
def _opened(request: urllib.request.Request, timeout: float) -> Iterator[Any]:
    try:
        response = _opener().open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        raise RefusedError(f"HTTP {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise RefusedError(f"could not be reached: {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise BrokenOffError(_reason(error)) from error
    with response:
        yield response


def _offset(response: Any, asked: int, size: int) -> int:
    """Return where the body begins, after checking that it is part of a file of ``size`` bytes."""
    if response.status == 206:
        match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if match is None or int(match["start"]) != asked:
            raise RefusedError(f"answered a request for bytes from {asked} on with another range")
        length = match["total"]
    elif response.status == 200:
        asked, length = 0, response.headers.get("Content-Length", "*")
    else:
        raise RefusedError(f"HTTP {response.status} {response.reason}")
    if length not in ("*", str(size)):
        raise RefusedError(f"offers {length} bytes, expected {size}")
    return asked


def _chunks(
    response: Any, start: int, size: int, progress: Callable[[int], None]
) -> Iterator[bytes]:
    """Yield the body, at most one byte more than is due: enough to see that it is too long."""
    count = start
    while count <= size:
        try:
            # read1 hands over what has come; read would wait for a full chunk and lose it.
            chunk = response.read1(min(CHUNK, size + 1 - count))
        except (OSError, http.client.HTTPException) as error:
            raise BrokenOffError(f"{_reason(error)} after {count} of {size} bytes") from error
        if not chunk:
            return
        count += len(chunk)
        yield chunk
        progress(min(count, size))


def _save(chunks: Iterable[bytes], part: Path, mode: str) -> None:
    with writable(part), part.open(mode) as handle:
        for chunk in chunks:
            handle.write(chunk)
        handle.flush()
        os.fsync(handle.fileno())


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "sent nothing for too long"
    return f"broke the connection ({error or type(error).__name__})"
