"""Connections that never complete a request: they end, and hold up nobody."""

import contextlib
import socket
import time

import pytest
from serving import ask, in_thread, scene

SECONDS, MOST = 0.5, 8
HEAD = b"GET /%s/facts HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"


@pytest.fixture(scope="module")
def server():
    with in_thread(scene(7, 2), seconds=SECONDS, most=MOST) as running:
        yield running


def connected(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def head(server):
    return HEAD % (server.token.encode(), server.port)


def ended(half):
    """Whether the other end closes, within the timeout of the socket; what came before."""
    content = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := half.recv(65_536):
            content += piece
    return content


@pytest.mark.parametrize("sent", [b"", b"GET", None], ids=["nothing", "a word", "half a head"])
def test_a_request_that_stays_half_sent_is_closed(server, sent):
    with connected(server) as half:
        half.sendall(head(server) if sent is None else sent)
        assert ended(half) == b""
    assert ask(server, "facts").status == 200


def test_a_head_that_trickles_is_closed(server):
    with connected(server) as half:
        half.sendall(head(server))
        for _ in range(200):
            try:
                half.sendall(b"X-Slow: 1\r\n")
            except OSError:  # a reset, or a broken pipe
                return
            time.sleep(0.1)
        pytest.fail("it was kept for 20 s")


@pytest.mark.parametrize("second", [b"", b"GET /"])
def test_a_second_request_that_stays_half_sent_is_closed(server, second):
    with connected(server) as half:
        half.sendall(head(server) + b"\r\n" + second)
        assert ended(half).startswith(b"HTTP/1.1 200 OK")


def test_a_refused_body_that_never_comes_is_closed(server):
    with connected(server) as half:
        half.sendall(b"POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        assert ended(half).startswith(b"HTTP/1.1 421")


def test_a_connection_is_kept_while_its_requests_are_whole(server):
    with connected(server) as kept:
        for _ in range(4):
            kept.sendall(head(server) + b"\r\n")
            content = b""
            while not content.endswith(b'"labels":null}'):
                content += kept.recv(65_536)
            assert content.startswith(b"HTTP/1.1 200 OK")
            time.sleep(0.4 * SECONDS)  # the waits together are longer than one is allowed


def test_many_of_them_do_not_hold_up_a_whole_request():
    with in_thread(scene(7, 2), seconds=60, most=MOST) as server, contextlib.ExitStack() as stack:
        halves = [stack.enter_context(connected(server)) for _ in range(5 * MOST)]
        for half in halves:
            with contextlib.suppress(OSError):
                half.sendall(head(server))
        assert ask(server, "facts").status == 200
        for oldest in halves[: 4 * MOST]:
            assert ended(oldest) == b""
        halves[-1].sendall(b"\r\n")
        assert halves[-1].recv(65_536).startswith(b"HTTP/1.1 200 OK")
