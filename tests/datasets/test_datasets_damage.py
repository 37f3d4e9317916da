"""Malicious files: one error of the library, and no memory beyond what they declare."""

import gzip
import io
import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from wellposed._errors import DamagedFileError, DataError, WellposedError
from wellposed.datasets import read

MEBIBYTE = 1 << 20


def npy(header, body=b""):
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def described(shape, descr="<f8"):
    return f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}"


def png(width, height, rows, extra=b""):
    def chunk(kind, body):
        sum_ = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + sum_

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + head + extra + body + chunk(b"IEND", b"")


def zipped(name, body, packing=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        archive.writestr(name, body)
    return out.getvalue()


IDX_HEAD = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3])
DAMAGED = {
    "huge shape": ("x.npy", npy(described("(1000000000000, 10)"))),
    "overflowing shape": ("x.npy", npy(described("(9223372036854775807, 3)"))),
    "negative shape": ("x.npy", npy(described("(-2, -3)"), bytes(48))),
    "zero times huge": ("x.npy", npy(described("(1000000000000000000000, 0)"))),
    "open bracket": ("x.npy", npy("{'descr': '<f8', 'shape': (")),
    "deep brackets": ("x.npy", npy("(" * 5000)),
    "null in the header": ("x.npy", npy("{'descr': '<f8'\0")),
    "no type": ("x.npy", npy(described("(1,)", "nonsense"), bytes(8))),
    "huge type": ("x.npy", npy("{'descr': [('a', '<f8', (99999999999,))], 'shape': (3,)}")),
    "header that is no table": ("x.npy", npy("[1, 2]")),
    "member of another length": ("x.npz", zipped("x.npy", npy(described("(2,)"), bytes(999)))),
    "member cut": ("x.npz", zipped("x.npy", npy(described("(2, 2)"), bytes(9)))),
    "member that is text": ("x.npz", zipped("readme.txt", b"hello")),
    "shape of sparse rows": ("s.npz", None),
    "gzip of nonsense": ("x.idx.gz", b"\x1f\x8b\x08\x00" + bytes(range(60))),
    "lengths beyond any file": (
        "x.idx.gz",
        gzip.compress(bytes([0, 0, 8, 3]) + b"\xff" * 12 + bytes(999)),
    ),
    "rows beyond the shape": ("x.idx.gz", gzip.compress(IDX_HEAD + bytes(7))),
    "text of nulls": ("x.csv", b"a,b\n1,\x002\n"),
    "long cell": ("x.csv", b'a,b\n1,"' + b"x" * 200_000 + b'"\n'),
    "not UTF-8": ("x.csv", b"a,b\n1,\xe9\n"),
    "cut gzip of text": ("x.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 999)[:-9]),
    "parquet in name": ("x.parquet", b"PAR1" + bytes(40) + b"PAR1"),
    "parquet footer": ("x.parquet", b"PAR1" + b"\x15\x04" * 9 + struct.pack("<I", 18) + b"PAR1"),
    "picture that is PostScript": ("a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
    "picture cut": ("a.png", png(40, 40, bytes(range(200)) * 9)[:99]),
    "picture without rows": ("a.png", png(40, 40, bytes(20))),
    "picture without width": ("a.png", png(0, 4, b"")),
    "picture with a bomb of text": (
        "a.png",
        png(4, 4, bytes(20), b"\0\0\0\1zTXtx" + bytes(4)),
    ),
}


def written(folder, name, body):
    path = folder / name
    if body is None:
        parts = {"data": np.ones(1), "indices": np.zeros(1, int), "indptr": np.array([0, 1])}
        np.savez(path, **parts, shape=np.array([np.inf, 1]))
    else:
        path.write_bytes(body)
    return folder if name.endswith(".png") else path


@pytest.mark.parametrize(("name", "body"), DAMAGED.values(), ids=DAMAGED)
def test_damage_is_one_kind_of_error(tmp_path, name, body):
    with pytest.raises(DamagedFileError, match=name.partition(".")[2]) as caught:
        read(written(tmp_path, name, body))
    assert len(str(caught.value)) < 600 + len(str(tmp_path))


REFUSED = {
    "pixels": ("a.png", png(20_000, 20_000, bytes(99)), "at most"),
    "more pixels than an image has": ("a.png", png(5_000, 5_000, bytes(99)), "with size="),
    "bzip2": ("x.npz", zipped("x.npy", npy(described("(1, 1)"), bytes(8)), 12), "deflated"),
    "dates": ("x.npy", npy(described("(1, 1)", "<M8[s]"), bytes(8)), "real numbers"),
    "Python objects": ("x.npy", npy(described("(1, 1)", "|O"), b"cos\n"), "pickled"),
}


@pytest.mark.parametrize(("name", "body", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_whole_but_refused(tmp_path, name, body, message):
    with pytest.raises(DataError, match=message):
        read(written(tmp_path, name, body))


def test_sparse_rows_that_no_machine_holds(tmp_path):
    parts = {"data": np.ones(1), "indices": np.zeros(1, int), "indptr": np.array([0, 1])}
    np.savez(tmp_path / "x.npz", **parts, shape=np.array([1, 10**14]))
    with pytest.raises(DataError, match=r"must fit in memory.*\(1, 100000000000000\)"):
        read(tmp_path / "x.npz")


def bomb(pieces):
    """Pack zeros a piece at a time, so that the test itself takes no memory."""
    packer = zlib.compressobj(wbits=31)
    head = packer.compress(IDX_HEAD)
    packed = [packer.compress(bytes(MEBIBYTE)) for _ in range(pieces)]
    return head + b"".join(packed) + packer.flush()


@pytest.fixture
def peak():
    """Return a function that gives the peak of the resident set since the fixture, in MiB."""
    status = Path("/proc/self/status")
    if not status.exists() or not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("the peak of the resident set can be reset on Linux alone")

    def memory(field):
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024

    def start():
        Path("/proc/self/clear_refs").write_text("5")
        before = memory("VmRSS")
        return lambda: memory("VmHWM") - before

    return start


def test_bombs_are_not_unpacked(tmp_path, peak):
    (tmp_path / "x.idx.gz").write_bytes(bomb(128))
    (tmp_path / "x.npz").write_bytes(zipped("x.npy", npy(described("(2,)"), bytes(64 * MEBIBYTE))))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.png").write_bytes(png(2**15, 2**15, bytes(MEBIBYTE)))
    for name in ("x.idx.gz", "x.npz", "folder"):
        above = peak()
        with pytest.raises(WellposedError):
            read(tmp_path / name)
        assert above() < 16, name


def test_memory_is_that_of_the_table(tmp_path, peak):
    rows = np.random.default_rng(0).normal(size=(200_000, 20))
    np.save(tmp_path / "x.npy", np.asfortranarray(rows).astype(">f8"))
    np.savez_compressed(tmp_path / "x.npz", np.zeros(rows.shape))
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({f"c{i}": rows[:, i] for i in range(20)})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=len(rows))
    del table
    for name in ("x.npy", "x.npz", "x.parquet"):
        above = peak()
        source = read(tmp_path / name)
        # The allocators keep what tests before have freed: some of it is used again.
        assert above() < source.values.nbytes / MEBIBYTE + 28, name
        del source


def test_errors_of_the_system_stay_what_they_are(tmp_path, monkeypatch):
    (tmp_path / "x.csv").write_text("1,2\n")
    (tmp_path / "a.png").write_bytes(png(4, 4, bytes(20)))

    def refuse(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    for path in (tmp_path / "x.csv", tmp_path):
        with pytest.raises(PermissionError):
            read(path)


def test_what_a_parser_raises_is_kept_as_the_cause(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"PAR1" + bytes(40) + b"PAR1")
    with pytest.raises(DamagedFileError) as caught:
        read(tmp_path / "x.parquet")
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize("given", ["", "a\0b.csv", "a" * 5000 + ".csv", b"nowhere.csv"])
def test_strange_paths(given):
    with pytest.raises(DataError, match="Data are read from a file or folder"):
        read(given)


def test_links_and_pipes(tmp_path):
    os.symlink(tmp_path / "b.csv", tmp_path / "a.csv")
    os.symlink(tmp_path / "a.csv", tmp_path / "b.csv")
    with pytest.raises(DataError, match="link that leads nowhere"):
        read(tmp_path / "a.csv")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "p.csv")
        with pytest.raises(DataError, match="pipe or a device"):
            read(tmp_path / "p.csv")
