"""Valid data files of every format, and ways to damage them."""

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np

TABLES = ("npy", "npz", "csv", "csv.gz", "parquet", "idx", "idx.gz")
IMAGES = ("png", "jpeg", "bmp", "gif", "tiff", "webp")
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)


def valid_files(kind: str) -> list[bytes]:
    """Build a few valid files of a format, unlike in types, shapes and packing."""
    rng = np.random.default_rng(7)
    if kind in IMAGES:
        return _images(kind, rng)
    build = {"npy": _npy, "npz": _npz, "csv": _csv, "parquet": _parquet, "idx": _idx}
    files = build[kind.removesuffix(".gz")](rng)
    return [gzip.compress(body, mtime=0) for body in files] if kind.endswith(".gz") else files


def damage(kind: str, files: list[bytes], rng: np.random.Generator) -> bytes:
    """Damage one of the files, within its packing half of the time: checksums then agree."""
    body = files[rng.integers(len(files))]
    other = files[rng.integers(len(files))]
    inside = rng.random() < 0.5
    if inside and kind.endswith(".gz"):
        bodies = [gzip.decompress(one) for one in (body, other)]
        return gzip.compress(_mutate(*bodies, rng), mtime=0)
    if inside and kind == "npz":
        return _within_zip(body, other, rng)
    mutated = _mutate(body, other, rng)
    return _with_checksums(mutated) if inside and kind == "png" else mutated


def _mutate(body: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    for _ in range(rng.integers(1, 3)):
        body = _MUTATIONS[rng.integers(len(_MUTATIONS))](bytearray(body), other, rng)
    return body


def _flip(body: bytearray, other: bytes, rng: np.random.Generator) -> bytes:
    for _ in range(rng.integers(1, 17) if body else 0):
        body[rng.integers(len(body))] ^= 1 << int(rng.integers(8))
    return bytes(body)


def _truncate(body: bytearray, other: bytes, rng: np.random.Generator) -> bytes:
    return bytes(body[: rng.integers(len(body) + 1)])


def _splice(body: bytearray, other: bytes, rng: np.random.Generator) -> bytes:
    """Put a piece of another file in place of a piece of this one, of its own length."""
    start, stop = sorted(rng.integers(0, len(body) + 1, 2))
    from_, to = sorted(rng.integers(0, len(other) + 1, 2))
    return bytes(body[:start]) + other[from_:to] + bytes(body[stop:])


def _edit_header(body: bytearray, other: bytes, rng: np.random.Generator) -> bytes:
    """Write an extreme number over a few bytes near the beginning, or the end."""
    width = int(rng.choice([1, 2, 4, 8]))
    value = _EXTREMES[rng.integers(len(_EXTREMES))] % (1 << (8 * width))
    reach = max(1, min(96, len(body)))
    at = int(rng.integers(reach))
    at = at if rng.random() < 0.7 else max(0, len(body) - 1 - at)
    body[at : at + width] = value.to_bytes(width, "little" if rng.random() < 0.5 else "big")
    return bytes(body)


def _random_bytes(body: bytearray, other: bytes, rng: np.random.Generator) -> bytes:
    start, stop = sorted(rng.integers(0, len(body) + 1, 2))
    start = 0 if rng.random() < 0.1 else start
    body[start:stop] = rng.bytes(int(stop - start))
    return bytes(body)


def _edit_text(body: bytearray, other: bytes, rng: np.random.Generator) -> bytes:
    """Put signs that parsers trip over between the bytes."""
    signs = (b'"', b"\0", b"\n", b",", b";", b"#", b"(", b"'", b"-", b"1e999", b"\xff", b"9" * 30)
    for _ in range(rng.integers(1, 6)):
        at = int(rng.integers(len(body) + 1))
        body[at:at] = signs[rng.integers(len(signs))]
    return bytes(body)


_MUTATIONS: tuple[Callable[[bytearray, bytes, np.random.Generator], bytes], ...] = (
    _flip, _truncate, _splice, _edit_header, _random_bytes, _edit_text,
)  # fmt: skip


def _within_zip(body: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(out, "w") as new:
        packing = zipfile.ZIP_DEFLATED if rng.random() < 0.5 else zipfile.ZIP_STORED
        spoiled = old.namelist()[rng.integers(len(old.namelist()))]
        for name in old.namelist():
            member = old.read(name)
            new.writestr(name, _mutate(member, other, rng) if name == spoiled else member, packing)
    return out.getvalue()


def _with_checksums(body: bytes) -> bytes:
    """Correct the checksum of each chunk of a PNG, as far as its lengths lead."""
    out, at = bytearray(body), 8
    while at + 12 <= len(out):
        (length,) = struct.unpack(">I", out[at : at + 4])
        end = at + 8 + length
        if end + 4 > len(out):
            break
        out[end : end + 4] = struct.pack(">I", zlib.crc32(bytes(out[at + 4 : end])))
        at = end + 4
    return bytes(out)


def _npy(rng: np.random.Generator) -> list[bytes]:
    arrays = [
        rng.normal(size=(30, 5)),
        np.asfortranarray(rng.normal(size=(20, 4)).astype(">f4")),
        rng.integers(0, 255, (6, 8, 8, 3), np.uint8),
        rng.integers(-9, 9, (40, 3)),
        rng.random((15, 2)) > 0.5,
    ]
    return [_save(np.save, array) for array in arrays]


def _save(save: Callable[..., None], *arrays: np.ndarray, **named: np.ndarray) -> bytes:
    out = io.BytesIO()
    save(out, *arrays, **named)
    return out.getvalue()


def _npz(rng: np.random.Generator) -> list[bytes]:
    rows, names = rng.normal(size=(25, 4)), np.array(list("abcd"))
    dense = rng.integers(0, 3, (12, 6))
    packed = {
        "data": dense[dense > 0],
        "indices": np.nonzero(dense)[1],
        "indptr": np.append(0, np.cumsum((dense > 0).sum(1))),
        "shape": np.array(dense.shape),
        "format": np.array(b"csr"),
    }
    return [
        _save(np.savez, X=rows, feature_names=names),
        _save(np.savez_compressed, anything=rows.astype("f4")),
        _save(np.savez_compressed, **packed),
    ]


def _csv(rng: np.random.Generator) -> list[bytes]:
    rows = rng.normal(size=(40, 4)).round(3).tolist()
    comma = "a,b,c,d\n" + "\n".join(",".join(map(str, row)) for row in rows)
    quoted = 'id,"x, y",z\n' + "\n".join(f'"{i}",{row[0]},NA' for i, row in enumerate(rows))
    return [
        comma.encode(),
        quoted.encode(),
        ("# remark\n" + comma.replace(".", "@").replace(",", ";").replace("@", ",")).encode(),
        "\n".join(" ".join(map(str, row)) for row in rows).encode(),
        ("v\n" + "\n".join(str(row[0]) if row[1] > 0 else "" for row in rows)).encode(),
    ]


def _parquet(rng: np.random.Generator) -> list[bytes]:
    import pandas as pd

    frame = pd.DataFrame(rng.normal(size=(60, 3)), columns=list("abc"))
    mixed = frame.assign(i=rng.integers(0, 9, 60), b=rng.random(60) > 0.5)
    mixed["n"] = pd.array([None, *range(59)], "Int32")
    ways = [
        (frame, {"compression": None}),
        (mixed, {"compression": "snappy"}),
        (frame, {"compression": "zstd", "row_group_size": 16}),
        (mixed, {"compression": "gzip", "use_dictionary": False}),
    ]
    files = []
    for table, options in ways:
        out = io.BytesIO()
        table.to_parquet(out, **options)
        files.append(out.getvalue())
    return files


def _idx(rng: np.random.Generator) -> list[bytes]:
    kinds = [(0x08, ">u1", (9, 6, 6)), (0x0B, ">i2", (12, 5)), (0x0E, ">f8", (10, 3))]
    files = []
    for code, dtype, shape in kinds:
        head = bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
        files.append(head + rng.integers(0, 100, shape).astype(dtype).tobytes())
    return files


def _images(kind: str, rng: np.random.Generator) -> list[bytes]:
    from PIL import Image

    grey = rng.integers(0, 256, (12, 16), np.uint8)
    smooth = np.add.outer(np.arange(20), np.arange(24)).astype(np.uint8)
    colour = np.dstack([smooth, 2 * smooth, 255 - smooth])
    pictures = [Image.fromarray(one) for one in (grey, smooth, colour)]
    options: list[dict] = [{}]
    if kind == "jpeg":
        options.append({"progressive": True})
    if kind == "tiff":
        options += [{"compression": name} for name in ("tiff_lzw", "tiff_deflate", "packbits")]
    if kind == "webp":
        options.append({"lossless": True})
    if kind in ("png", "gif", "bmp"):
        pictures.append(Image.fromarray(colour).convert("P"))
        pictures.append(Image.fromarray(grey > 127))
    if kind in ("gif", "png", "webp"):
        options.append({"save_all": True})
    files = []
    for picture in pictures:
        for how in options:
            out = io.BytesIO()
            turned = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            more = {"append_images": [turned]} if how.get("save_all") else {}
            picture.save(out, kind, **how, **more)
            files.append(out.getvalue())
    return files
