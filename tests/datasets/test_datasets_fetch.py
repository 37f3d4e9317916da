"""Downloads from a local server that misbehaves in every way that real ones do."""

import hashlib
import http.server
import re
import threading

import numpy as np
import pytest

from wellposed._errors import (
    DamagedFileError,
    DataError,
    DownloadError,
    OutputError,
    SettingError,
)
from wellposed.datasets import DATASETS, Dataset, RemoteFile, cache_dir, fetch, load

BODY = np.random.default_rng(0).bytes(5000)
PIECE = 1200


class Handler(http.server.BaseHTTPRequestHandler):
    """The first part of the path names the behaviour."""

    def do_GET(self):
        behaviour, self.name = self.path.strip("/").split("/")
        asked = self.headers.get("Range")
        self.server.requests.append((behaviour, asked))
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked else 0
        self.body = self.server.files.get(self.name, b"")
        getattr(self, behaviour)(start)

    def log_message(self, *args):
        """Keep quiet."""

    def head(self, start, length=None, total=None):
        total = len(self.body) if total is None else total
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("Content-Length", str(total - start if length is None else length))
        self.end_headers()

    def good(self, start):
        self.head(start)
        self.wfile.write(self.body[start:])

    def no_ranges(self, start):
        self.good(0)

    def truncate(self, start):
        self.head(start)
        self.wfile.write(self.body[start : start + PIECE])

    def truncate_without_ranges(self, start):
        self.truncate(0)

    def corrupt(self, start):
        self.body = self.body[:100] + bytes([self.body[100] ^ 1]) + self.body[101:]
        self.good(start)

    def corrupt_half(self, start):
        self.body = bytes(100) + self.body[100:]
        self.head(start)
        self.wfile.write(self.body[start:2000] if start == 0 else b"")

    def error500(self, start):
        self.send_error(500)

    def error404(self, start):
        self.send_error(404)

    def stall(self, start):
        self.head(start)
        self.wfile.write(self.body[start : start + PIECE])
        self.wfile.flush()
        self.server.closing.wait(10)

    def silent(self, start):
        self.server.closing.wait(10)

    def nonsense(self, start):
        self.wfile.write(b"this is not HTTP\r\n\r\n")

    def hang_up(self, start):
        """Close without a word."""

    def page(self, start):
        self.body = b"<html>please log in</html>"
        self.good(0)

    def endless(self, start):
        self.send_response(200)
        self.end_headers()
        while not self.server.closing.is_set():
            self.wfile.write(bytes(1 << 16))

    def no_length(self, start):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def other_range(self, start):
        self.head(start + 7 if start else 0)
        self.wfile.write(self.body[start:])

    def shrunk(self, start):
        self.head(start, total=3000)

    def redirect(self, start):
        self.send_response(302)
        self.send_header("Location", f"/good/{self.name}")
        self.end_headers()

    def redirect_to_file(self, start):
        self.send_response(302)
        self.send_header("Location", "file:///etc/hostname")
        self.end_headers()

    def redirect_to_ftp(self, start):
        self.send_response(302)
        self.send_header("Location", "ftp://127.0.0.1:1/x")
        self.end_headers()


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Clients that hang up are what is tested."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with Server(("127.0.0.1", 0), Handler) as running:
        running.requests, running.closing = [], threading.Event()
        running.files = {"a.gz": BODY}
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.closing.set()
        running.shutdown()
        thread.join()


def remote(name, body):
    return RemoteFile(name, len(body), hashlib.sha256(body).hexdigest())


@pytest.fixture
def dataset(server):
    """Build a data set of one small file from behaviours, one a mirror."""

    def build(*behaviours):
        root = f"http://127.0.0.1:{server.server_port}"
        mirrors = tuple(f"{root}/{behaviour}/" for behaviour in behaviours)
        return Dataset("tiny", (remote("a.gz", BODY),), mirrors)

    return build


@pytest.fixture
def fetched(tmp_path):
    """Fetch into a fresh cache, and return what lies there."""

    def run(dataset, **options):
        folder = fetch(dataset, cache=tmp_path, timeout=options.pop("timeout", 5.0), **options)
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    return run


@pytest.mark.parametrize("mirror", ["good", "no_ranges", "no_length", "redirect"])
def test_a_mirror_that_serves_well_is_enough(dataset, fetched, mirror):
    assert fetched(dataset(mirror)) == {"a.gz": BODY}


def test_a_broken_transfer_is_continued_where_it_broke(server, dataset, fetched):
    assert fetched(dataset("truncate")) == {"a.gz": BODY}
    ranges = [None, *(f"bytes={PIECE * i}-" for i in range(1, 5))]
    assert server.requests == [("truncate", asked) for asked in ranges]


def test_a_stall_is_cut_short_and_continued(server, dataset, fetched):
    assert fetched(dataset("stall"), timeout=0.2) == {"a.gz": BODY}
    assert server.requests[1] == ("stall", f"bytes={PIECE}-")


def test_the_next_mirror_continues_what_another_began(server, dataset, fetched):
    assert fetched(dataset("truncate_without_ranges", "good")) == {"a.gz": BODY}
    assert server.requests[-1] == ("good", f"bytes={PIECE}-")


@pytest.mark.parametrize("mirror", ["good", "no_ranges"])
def test_the_next_call_continues_what_an_earlier_one_left(
    server, dataset, fetched, tmp_path, mirror
):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "a.gz.part").write_bytes(BODY[:3000])
    assert fetched(dataset(mirror)) == {"a.gz": BODY}
    assert server.requests == [(mirror, "bytes=3000-")]


@pytest.mark.parametrize("length", [1, 4999, 5000, 9000])
def test_rubbish_left_by_an_earlier_call_does_not_condemn_the_mirror(
    dataset, fetched, tmp_path, length
):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "a.gz.part").write_bytes(b"?" * length)
    assert fetched(dataset("good")) == {"a.gz": BODY}


def test_a_corrupt_half_from_one_mirror_does_not_condemn_the_next(server, dataset, fetched):
    assert fetched(dataset("corrupt_half", "good")) == {"a.gz": BODY}
    assert server.requests[-2:] == [("good", "bytes=2000-"), ("good", None)]


FAILURES = {
    "corrupt": r"what it sent has SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}",
    "error500": "HTTP 500",
    "error404": "HTTP 404",
    "page": "offers 26 bytes, expected 5000",
    "endless": "what it sent has 5001 bytes, expected 5000",
    "silent": "sent nothing",
    "hang_up": "broke the connection",
    "nonsense": "broke the connection",
    "truncate_without_ranges": "closed the connection after 1200 of 5000 bytes",
    "redirect_to_file": "HTTP 302",
    "redirect_to_ftp": "could not be reached: unknown url type: ftp",
}


@pytest.mark.parametrize(("mirror", "reason"), FAILURES.items(), ids=FAILURES)
def test_every_failure_is_named_and_survived(dataset, fetched, tmp_path, mirror, reason):
    with pytest.raises(DownloadError, match=rf"/{mirror}/a\.gz: {reason}"):
        fetched(dataset(mirror), timeout=0.3)
    assert not (tmp_path / "tiny" / "a.gz").exists()
    assert fetched(dataset(mirror, "good"), timeout=0.3) == {"a.gz": BODY}


@pytest.mark.parametrize(
    ("mirror", "reason"), [("other_range", "another range"), ("shrunk", "offers 3000 bytes")]
)
def test_a_range_that_was_not_asked_for_is_refused(dataset, fetched, tmp_path, mirror, reason):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "a.gz.part").write_bytes(BODY[:1000])
    with pytest.raises(DownloadError, match=reason):
        fetched(dataset(mirror))


@pytest.mark.parametrize(("mirror", "requests"), [("silent", 1), ("truncate_without_ranges", 2)])
def test_a_mirror_that_brings_nothing_more_is_left(server, dataset, fetched, mirror, requests):
    with pytest.raises(DownloadError):
        fetched(dataset(mirror), timeout=0.2)
    assert len(server.requests) == requests


def test_a_corrupt_copy_is_deleted(dataset, fetched, tmp_path):
    with pytest.raises(DownloadError):
        fetched(dataset("corrupt"))
    assert list((tmp_path / "tiny").iterdir()) == []


def test_the_final_failure_lists_every_mirror_and_the_remedy(dataset, fetched):
    with pytest.raises(DownloadError) as caught:
        fetched(dataset("error404", "corrupt", "error500"))
    lines = str(caught.value).splitlines()
    assert [re.search(r"/(\w+)/a\.gz: ", line)[1] for line in lines[1:4]] == [
        "error404",
        "corrupt",
        "error500",
    ]
    assert "wellposed data fetch tiny --from DIR" in lines[-1]


def test_an_address_where_nobody_listens_is_named(fetched):
    nobody = Dataset("tiny", (remote("a.gz", BODY),), ("http://127.0.0.1:1",))
    with pytest.raises(DownloadError, match="could not be reached"):
        fetched(nobody)


def test_what_is_there_and_right_is_not_asked_for_again(server, dataset, fetched):
    fetched(dataset("good"))
    fetched(dataset("good"))
    assert len(server.requests) == 1


def test_what_is_there_and_wrong_is_replaced(dataset, fetched, tmp_path):
    fetched(dataset("good"))
    (tmp_path / "tiny" / "a.gz").write_bytes(bytes(5000))
    assert fetched(dataset("good")) == {"a.gz": BODY}


def test_progress_ends_at_the_whole(dataset, fetched):
    calls = []
    fetched(dataset("truncate"), progress=lambda *call: calls.append(call))
    counts = [count for _, count, _ in calls]
    assert counts == sorted(counts)
    assert {PIECE, 2 * PIECE} <= set(counts)
    assert calls[-1] == ("a.gz", 5000, 5000)


def test_a_folder_may_stand_in_for_the_network(dataset, fetched, tmp_path):
    given = tmp_path / "given"
    given.mkdir()
    with pytest.raises(DownloadError, match=r"given.a\.gz is missing.*a\.gz"):
        fetched(dataset("error500"), source=given)
    (given / "a.gz").write_bytes(BODY[:-1])
    with pytest.raises(DownloadError, match="has 4999 bytes, expected 5000"):
        fetched(dataset("error500"), source=given)
    (given / "a.gz").write_bytes(BODY)
    assert fetched(dataset("error500"), source=given) == {"a.gz": BODY}


def test_a_cache_that_cannot_be_written_is_no_mirrors_fault(dataset, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="WELLPOSED_CACHE"):
        fetch(dataset("good"), cache=tmp_path / "file")
    (tmp_path / "tiny" / "a.gz.part").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"a\.gz\.part"):
        fetch(dataset("good"), cache=tmp_path)


@pytest.mark.parametrize("mirror", ["ftp://host/x", "file:///x", "/x", "host/x"])
def test_other_schemes_are_refused(mirror):
    with pytest.raises(SettingError, match="http or https"):
        Dataset("tiny", (), (mirror,))


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/b", "..\\x", "..", ""])
def test_names_cannot_leave_the_cache(name):
    with pytest.raises(SettingError, match="plain name"):
        RemoteFile(name, 1, "0")
    with pytest.raises(SettingError, match="plain name"):
        Dataset(name, (), ())


def test_an_unknown_name_is_corrected():
    with pytest.raises(SettingError, match="Did you mean 'fashion-mnist'"):
        fetch("fashion_mnist")
    with pytest.raises(SettingError, match="timeout must be a finite number > 0"):
        fetch("mnist", timeout=0)


@pytest.mark.parametrize("name", DATASETS)
def test_the_catalogue_is_whole(name):
    dataset = DATASETS[name]
    assert dataset.name == name
    assert len(dataset.mirrors) >= 2
    assert len({file.sha256 for file in dataset.files}) == 4
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in dataset.files)


def idx_files(n=3):
    rng = np.random.default_rng(1)
    for stem, count in (("train", n), ("t10k", 2)):
        pixels = bytes([0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, 2, 0, 0, 0, 2]) + rng.bytes(4 * count)
        labels = bytes([0, 0, 8, 1, 0, 0, 0, count, *range(count)])
        yield f"{stem}-images-idx3-ubyte.gz", pixels
        yield f"{stem}-labels-idx1-ubyte.gz", labels


def test_what_was_fetched_is_loaded(server, tmp_path):
    server.files = dict(idx_files())
    files = tuple(remote(name, body) for name, body in server.files.items())
    small = Dataset("small", files, (f"http://127.0.0.1:{server.server_port}/good",))
    with pytest.raises(DataError, match="Run `wellposed data fetch small`"):
        load(small, cache=tmp_path)
    folder = fetch(small, cache=tmp_path)
    splits = load(small, cache=tmp_path)
    assert splits.train.values.shape == (3, 4)
    assert splits.train.image_shape == (2, 2)
    np.testing.assert_array_equal(splits.train.labels, [0, 1, 2])
    assert len(splits.test.values) == len(splits.test.labels) == 2
    (folder / files[0].name).write_bytes(b"x")
    with pytest.raises(DamagedFileError, match=r"has 1 bytes, expected.*fetch small` again"):
        load(small, cache=tmp_path)


def test_the_cache_is_where_the_platform_wants_it(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("WELLPOSED_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "xdg" / "wellposed"
    for relative in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", relative)
        assert cache_dir() == tmp_path / "home" / ".cache" / "wellposed"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_dir() == tmp_path / "home" / "Library" / "Caches" / "wellposed"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_dir() == tmp_path / "local" / "wellposed" / "Cache"
    monkeypatch.setenv("WELLPOSED_CACHE", str(tmp_path / "mine"))
    assert cache_dir() == tmp_path / "mine"
