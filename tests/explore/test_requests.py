"""What the server answers, and what it refuses: it is a door into this machine."""

import json
import socket

import numpy as np
import pytest
from serving import ask, in_thread, scene

K = 3
WISH = {"z": [0.5, -1.0, 0.0], "alpha": 1.0, "draw": 0}


@pytest.fixture(scope="module")
def server():
    labels = np.arange(120) % 10
    with in_thread(scene(64, K, 120, labels=labels, image_shape_=(8, 8))) as running:
        yield running


@pytest.fixture
def living(server):
    """The server, which must answer as before once the test is done."""
    before = ask(server, "look", WISH).content
    yield server
    assert ask(server, "look", WISH).content == before


def refused(reply, status, *told):
    """Check the status, and that the message has a rule, the value and a remedy."""
    assert reply.status == status, reply.content
    assert reply.headers["content-type"] == "application/json"
    message = json.loads(reply.content)["error"]
    for word in ("must", *told):
        assert word in message
    assert message.rstrip(".").count(". ") >= 1  # the remedy is a sentence of its own


def test_the_page_and_its_files(server):
    kinds = {}
    for name in ("", "page.css", "page.js", "plane.js", "sliders.js", "views.js", "icon.svg"):
        reply = ask(server, name)
        assert reply.status == 200
        kinds[name] = reply.headers["content-type"].split(";")[0]
        assert b"http://" not in reply.content.replace(b"http://www.w3.org/2000/svg", b"")
        assert b"https://" not in reply.content
    assert kinds[""] == "text/html"
    assert kinds["page.css"] == "text/css"
    assert kinds["page.js"] == "text/javascript"
    assert kinds["icon.svg"] == "image/svg+xml"


def test_facts(server):
    facts = json.loads(ask(server, "facts").content)
    assert facts["shown"] == {"kind": "pictures", "height": 8, "width": 8, "channels": 1}
    assert len(facts["points"]) == len(facts["rows"]) == len(facts["labels"]) == 50
    assert facts["rows"][0] == 0
    assert facts["rows"][-1] == facts["nRows"] - 1 == 119
    assert facts["classes"] == list("0123456789")
    assert facts["labels"] == [row % 10 for row in facts["rows"]]
    weights = [latent["weight"] for latent in facts["latents"]]
    assert weights == sorted(weights, reverse=True)


def test_a_look_is_what_the_model_decodes(server):
    reply = ask(server, "look", WISH)
    assert reply.status == 200
    mean, draw, quantile = np.frombuffer(reply.content, np.uint8).reshape(3, 64)
    low, high = np.quantile(server.scene.points.rows, (0.002, 0.998))
    expected = np.asarray(server.scene.model.decode(np.array(WISH["z"], np.float32)).mean)
    for seen, values in ((mean, expected), (quantile, expected + np.sqrt(0.3))):
        share = np.clip((values - low) / (high - low), 0, 1)
        assert np.abs(seen - 255 * (1 - share)).max() <= 1  # high values are dark
    again = ask(server, "look", WISH | {"draw": 1}).content
    assert again[:64] == mean.tobytes()
    assert again[64:128] != draw.tobytes()
    at_the_mean = ask(server, "look", WISH | {"alpha": 0}).content
    assert at_the_mean[128:] == mean.tobytes()


def test_a_datum(server):
    reply = ask(server, "datum", {"datum": 7})
    assert reply.status == 200
    numbers = np.frombuffer(reply.content[: 12 * K], "<f4").reshape(3, K)
    q = server.scene.model.encode(server.scene.points.rows[7])
    np.testing.assert_allclose(numbers[0], q.loc, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(numbers[1], q.scale, rtol=1e-4)
    mean, scale = numbers[:2].astype(float)
    rate = 0.5 * (mean**2 + scale**2 - 1) - np.log(scale)
    np.testing.assert_allclose(numbers[2], rate, rtol=1e-3, atol=1e-5)
    _, back = np.frombuffer(reply.content[12 * K :], np.uint8).reshape(2, 64)
    there = ask(server, "look", WISH | {"z": mean.tolist()}).content
    assert there[:64] == back.tobytes()


@pytest.mark.parametrize(
    "path", ["/", "/facts", "/x/facts", "/%00/facts", "/%C3%A9/", "//", "/a/../facts"]
)
def test_without_the_token(living, path):
    refused(ask(living, path=path), 403, "token")


def test_a_token_that_is_almost_right(living):
    wrong = living.token[:-1] + ("A" if living.token[-1] != "A" else "B")
    refused(ask(living, path=f"/{wrong}/facts"), 403, "token")
    refused(ask(living, path=f"/{living.token}x/facts"), 403, "token")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "", "0.0.0.0:{port}"])
def test_under_another_name(living, host):
    """As after DNS rebinding: the browser believes that evil.example is at 127.0.0.1."""
    host = host.format(port=living.port)
    refused(ask(living, "facts", Host=host), 421, "host must be")
    origin = f"http://{host}"
    refused(ask(living, "look", WISH, Host=host, Origin=origin), 421, "host must be")


def test_localhost_is_a_name_of_this_machine(server):
    name = f"localhost:{server.port}"
    assert ask(server, "look", WISH, Host=name, Origin=f"http://{name}").status == 200


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "https://127.0.0.1:{port}", "http://127.0.0.1"]
)
def test_from_another_page(living, origin):
    origin = origin and origin.format(port=living.port)
    refused(ask(living, "look", WISH, Origin=origin), 403, "origin must be")
    if origin is not None:
        refused(ask(living, "facts", Origin=origin), 403, "origin must be")


def test_no_other_page_is_let_in(living):
    asked = {"Access_Control_Request_Method": "POST", "Origin": "http://evil.example"}
    reply = ask(living, "look", method="OPTIONS", **asked)
    assert reply.status == 403
    assert not any(name.startswith("access-control") for name in reply.headers)


@pytest.mark.parametrize("what", ["good", "refused", "unknown", "another method"])
def test_every_answer_has_the_headers(server, what):
    reply = {
        "good": lambda: ask(server),
        "refused": lambda: ask(server, path="/"),
        "unknown": lambda: ask(server, "unknown"),
        "another method": lambda: ask(server, "facts", method="DELETE", Origin=_own(server)),
    }[what]()
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert reply.headers["x-frame-options"] == "DENY"
    assert reply.headers["cache-control"] == "no-store"
    assert "server" not in reply.headers
    assert not any(name.startswith("access-control") for name in reply.headers)


def _own(server):
    return f"http://127.0.0.1:{server.port}"


NUMBERS = {
    "NaN": ("NaN", 400),
    "inf": ("Infinity", 400),
    "overflow": ("1e999", 422),
    "huge": ("1e300", 422),
    "a bit too large": ("10001", 422),
    "many digits": ("9" * 500, 422),
    "a string": ('"0"', 422),
    "nothing": ("null", 422),
    "true": ("true", 422),
    "a list": ("[0]", 422),
}


@pytest.mark.parametrize("member", ["z", "alpha", "draw"])
@pytest.mark.parametrize(("text", "status"), NUMBERS.values(), ids=NUMBERS)
def test_bad_numbers(living, member, text, status):
    z = f"[0, 0, {text}]" if member == "z" else "[0, 0, 0]"
    alpha, draw = (text if member == name else "0" for name in ("alpha", "draw"))
    if (member, text) == ("draw", "10001"):
        text = draw = str(2**31)
    body = f'{{"z": {z}, "alpha": {alpha}, "draw": {draw}}}'
    refused(ask(living, "look", body), status, "JSON" if status == 400 else member)


@pytest.mark.parametrize("value", [-1, 50, 1.5, 10**400, "0", None, True, [], {}])
def test_bad_datum(living, value):
    refused(ask(living, "datum", {"datum": value}), 422, "datum must be", "0 to 49")


@pytest.mark.parametrize(
    "body",
    [
        WISH | {"z": []},
        WISH | {"z": [0, 0]},
        WISH | {"z": [0] * 4},
        WISH | {"z": {"0": 0}},
        WISH | {"z": "000"},
        WISH | {"draw": -1},
        WISH | {"draw": 0.5},
        WISH | {"more": 1},
        {"z": [0, 0, 0]},
        [],
        3,
        None,
    ],
    ids=str,
)
def test_bad_bodies(living, body):
    refused(ask(living, "look", json.dumps(body)), 422)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 1_000, b'{"z": 1' + b"9" * 1_000])
def test_what_is_no_json(living, body):
    refused(ask(living, "look", body), 400, "JSON")


def test_another_type_of_body(living):
    refused(ask(living, "look", WISH, Content_Type="text/plain"), 415, "application/json")
    refused(ask(living, "look", WISH, Content_Type=None), 415, "application/json")


@pytest.mark.parametrize("size", [2_000, 900_000])
def test_an_oversized_body(living, size):
    refused(ask(living, "look", b" " * size), 413, str(size))


def test_an_oversized_body_that_hides_its_size(living):
    pieces = b"400\r\n" + b" " * 1024 + b"\r\n"
    body = pieces * 20 + b"0\r\n\r\n"
    refused(ask(living, "look", body, **{"Transfer-Encoding": "chunked"}), 413, "20480")


def test_a_body_that_does_not_come(living):
    host = f"127.0.0.1:{living.port}"
    head = f"Host: {host}\r\nOrigin: http://{host}\r\nContent-Type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", living.port), timeout=20) as raw:
        lines = f"POST /{living.token}/look HTTP/1.1\r\n{head}Content-Length: 9\r\n\r\n{{"
        raw.sendall(lines.encode())
        assert ask(living, "look", WISH).status == 200  # others are answered meanwhile
        reply = b"".join(iter(lambda: raw.recv(10_000), b"")).decode()  # until it is closed
    assert reply.startswith("HTTP/1.1 408")
    assert "must come within 2 s; got 1 bytes." in reply


def test_an_oversized_address(living):
    refused(ask(living, "facts?" + "x" * 2_000), 414, "1024")
    refused(ask(living, "x" * 2_000), 414, "1024")
    with socket.create_connection(("127.0.0.1", living.port), timeout=20) as raw:
        raw.sendall(b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize(
    "name", ["unknown", "../_app.py", "page.html", "__init__.py", "page/page.js", "%2e%2e/_app.py"]
)
def test_nothing_but_its_own_files(living, name):
    reply = ask(living, name)
    refused(reply, 404)


def test_another_method(living):
    for name, method in (("look", "GET"), ("facts", "POST"), ("", "PUT")):
        reply = ask(living, name, method=method, Origin=_own(living))
        refused(reply, 405)
        assert reply.headers["allow"]


def test_what_is_no_http(living):
    with socket.create_connection(("127.0.0.1", living.port), timeout=20) as raw:
        raw.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 400")


def test_it_listens_on_this_machine_alone(server):
    """Every other address of the loopback network is another interface to a socket."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", server.port), timeout=5).close()
