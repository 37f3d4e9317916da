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
from wellposed.datasets._http import CHUNK, UndeliveredError, pieces_of

BODY = np.random.default_rng(0).bytes(5000)
PIECE = 1200


class Handler(http.server.BaseHTTPRequestHandler):
    """The first part of the path names the behaviour."""

    def do_GET(self):
        behaviour, self.name = self.path.strip("/").split("/")
        self.server.requests.append(behaviour)
        self.body = self.server.files.get(self.name, b"")
        getattr(self, behaviour)()

    def log_message(self, *args):
        """Keep quiet."""

    def head(self, length=None):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body) if length is None else length))
        self.end_headers()

    def good(self):
        self.head()
        self.wfile.write(self.body)

    def truncate(self):
        self.head()
        self.wfile.write(self.body[:PIECE])

    def corrupt(self):
        self.body = self.body[:100] + bytes([self.body[100] ^ 1]) + self.body[101:]
        self.good()

    def error500(self):
        self.send_error(500)

    def error404(self):
        self.send_error(404)

    def stall(self):
        self.head()
        self.wfile.write(self.body[:PIECE])
        self.wfile.flush()
        self.server.closing.wait(10)

    def silent(self):
        self.server.closing.wait(10)

    def nonsense(self):
        self.wfile.write(b"this is not HTTP\r\n\r\n")

    def hang_up(self):
        """Close without a word."""

    def page(self):
        self.body = b"<html>please log in</html>"
        self.good()

    def endless(self):
        self.send_response(200)
        self.end_headers()
        while not self.server.closing.is_set():
            self.wfile.write(bytes(1 << 16))

    def no_length(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def short(self):
        self.body = self.body[:PIECE]
        self.no_length()

    def redirect(self):
        self.send_response(302)
        self.send_header("Location", f"/good/{self.name}")
        self.end_headers()

    def redirect_to_file(self):
        self.send_response(302)
        self.send_header("Location", "file:///etc/hostname")
        self.end_headers()

    def redirect_to_ftp(self):
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


@pytest.mark.parametrize("mirror", ["good", "no_length", "redirect"])
def test_a_mirror_that_serves_well_is_enough(dataset, fetched, mirror):
    assert fetched(dataset(mirror)) == {"a.gz": BODY}


@pytest.mark.parametrize("mirror", ["truncate", "stall", "corrupt"])
def test_the_next_mirror_starts_from_the_beginning(server, dataset, fetched, mirror):
    assert fetched(dataset(mirror, "good"), timeout=0.3) == {"a.gz": BODY}
    assert server.requests == [mirror, "good"]


def test_a_file_has_the_permissions_of_any_new_file(dataset, fetched, tmp_path):
    fetched(dataset("good"))
    (tmp_path / "other").touch()
    assert (tmp_path / "tiny" / "a.gz").stat().st_mode == (tmp_path / "other").stat().st_mode


FAILURES = {
    "corrupt": "has SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}",
    "error500": "HTTP Error 500",
    "error404": "HTTP Error 404",
    "page": "offers 26 bytes, expected 5000",
    "endless": "sends more than 5000 bytes",
    "silent": ".*timed out",
    "stall": ".*timed out",
    "hang_up": ".*Remote end closed connection",
    "nonsense": "BadStatusLine: this is not HTTP",
    "truncate": r"has 1200 bytes, expected 5000|IncompleteRead.*1200 bytes read",
    "short": "has 1200 bytes, expected 5000",
    "redirect_to_file": "HTTP Error 302.*'file:///etc/hostname' is not allowed",
    "redirect_to_ftp": "unknown url type: ftp",
}


@pytest.mark.parametrize(("mirror", "reason"), FAILURES.items(), ids=FAILURES)
def test_every_failure_is_named_and_survived(dataset, fetched, tmp_path, mirror, reason):
    with pytest.raises(DownloadError, match=rf"/{mirror}/a\.gz: (?:{reason})"):
        fetched(dataset(mirror), timeout=0.3)
    assert list((tmp_path / "tiny").iterdir()) == []
    assert fetched(dataset(mirror, "good"), timeout=0.3) == {"a.gz": BODY}


@pytest.mark.parametrize("behaviour", ["error500", "error404", "redirect_to_file"])
def test_an_answer_that_is_an_error_leaves_no_connection_open(server, behaviour):
    url = f"http://127.0.0.1:{server.server_port}/{behaviour}/a.gz"
    with pytest.raises(UndeliveredError) as caught:
        list(pieces_of(url, len(BODY), 5.0, lambda _: None))
    assert caught.value.__cause__.fp.closed


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
    with pytest.raises(DownloadError, match="Connection refused"):
        fetched(nobody)


def test_what_is_there_and_right_is_not_asked_for_again(server, dataset, fetched):
    fetched(dataset("good"))
    fetched(dataset("good"))
    assert len(server.requests) == 1


def test_what_is_there_and_wrong_is_replaced(dataset, fetched, tmp_path):
    fetched(dataset("good"))
    (tmp_path / "tiny" / "a.gz").write_bytes(bytes(5000))
    assert fetched(dataset("good")) == {"a.gz": BODY}


def test_progress_counts_the_bytes_of_each_file(server, fetched):
    body = np.random.default_rng(2).bytes(2 * CHUNK + 100)
    server.files = {"a.gz": body}
    mirrors = (f"http://127.0.0.1:{server.server_port}/good/",)
    calls = []
    fetched(
        Dataset("tiny", (remote("a.gz", body),), mirrors),
        progress=lambda *call: calls.append(call),
    )
    counts = [count for _, count, _ in calls]
    assert counts == sorted(counts)
    assert {CHUNK, 2 * CHUNK} <= set(counts)
    assert set(calls) == {("a.gz", count, len(body)) for count in counts}
    assert counts[-1] == len(body)


def test_nothing_is_printed_or_logged_beside_the_progress(dataset, fetched, capfd, caplog):
    fetched(dataset("good"))
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


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
    (tmp_path / "tiny" / "a.gz" / "in the way").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"a\.gz"):
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
