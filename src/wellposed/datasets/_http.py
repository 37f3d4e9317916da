"""The body of an address, piece by piece, by the standard library's client."""

import http.client
import urllib.request
from collections.abc import Callable, Iterator
from urllib.error import HTTPError, URLError

CHUNK = 1 << 16  # bytes

# Those of urllib without the ones for files and FTP: a redirection must not leave the web.
_HANDLERS = (
    urllib.request.ProxyHandler,
    urllib.request.UnknownHandler,
    urllib.request.HTTPHandler,
    urllib.request.HTTPSHandler,
    urllib.request.HTTPDefaultErrorHandler,
    urllib.request.HTTPRedirectHandler,
    urllib.request.HTTPErrorProcessor,
)


class UndeliveredError(Exception):
    """An address does not deliver; the text is the reason."""


def pieces_of(url: str, size: int, timeout: float, show: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the body of an address, which is expected to have ``size`` bytes.

    Parameters
    ----------
    url : http or https
    size : bytes
    timeout : seconds to wait for a connection, and between bytes
    show : called with the number of bytes so far

    Raises
    ------
    UndeliveredError
        If there is no such body, its length is another, or the transfer fails.
    """
    opener = urllib.request.OpenerDirector()
    for handler in _HANDLERS:
        opener.add_handler(handler())
    request = urllib.request.Request(url, headers={"User-Agent": "wellposed"})
    try:
        with opener.open(request, timeout=timeout) as response:
            declared = response.headers.get("Content-Length", str(size))
            if declared != str(size):
                raise UndeliveredError(f"offers {declared} bytes, expected {size}")
            count = 0
            while piece := response.read(CHUNK):
                count += len(piece)
                if count > size:
                    raise UndeliveredError(f"sends more than {size} bytes")
                show(count)
                yield piece
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, HTTPError):  # it is a response too, with an open connection
            error.close()
        raise UndeliveredError(_reason(error)) from error


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, URLError) and not isinstance(error, HTTPError) else ""
    text = " ".join(str(cause or error).split())
    return (
        f"{type(error).__name__}: {text}" if isinstance(error, http.client.HTTPException) else text
    )
