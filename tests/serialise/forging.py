"""Forged model files: real ones, one thing in them changed, the checksum right again."""

import copy
import hashlib
import json
import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import wellposed as wp
from wellposed.serialise import _file, _layout

MODELS = Path(__file__).parents[1] / "data" / "models"
ROWS = json.loads((MODELS / "scores.json").read_text())

ODD = (
    None, True, False, 0, 1, -1, 2, 3, 17, 2**31, 2**53 + 1, 10**30, -0.5, 1e-30, 1e30, 1e300,
    "", "x", "relu", "shared", "conditional", "inf", [], {}, [1], [[]], [0, -1], {"float": "nan"},
    {"float": "-inf"}, {"float": "1e400"}, {"tuple": []}, {"tuple": [1, "a"]}, {"list": [None]},
    {"dict": {}}, {"pairs": [1]}, {"pairs": [{"tuple": [[], 1]}]}, {"array": "absent"},
    {"foreign": "Net", "name": "model.encoder"}, {"class": "os.system", "fields": {}},
    {"class": "noise.AbstractNoise", "fields": {}}, {"class": "transforms.Identity", "fields": {}},
    {"class": "latents.StandardNormal", "fields": {"k": 1}},
)  # fmt: skip

Parts = tuple[dict[str, np.ndarray], dict[str, Any]]


def path_of(name: str) -> Path:
    """Path of the real file of that name."""
    (path,) = MODELS.rglob(f"{name}.wp")
    return path


def parts_of(path: Path) -> Parts:
    """Tensors and header of a real file."""
    return _file.read(path)


def seal(tensors: dict[str, np.ndarray], text: str) -> bytes:
    """Bytes of a file with a header, given as text, and the right checksum."""
    metadata = {"sha256": "0" * 64, "wellposed": text}
    return reseal(_layout.pack(tensors, metadata), "0" * 64)


def reseal(content: bytes, stated: str) -> bytes:
    """The same bytes with the right checksum in place of the stated one."""
    blank = content.replace(f'"sha256":"{stated}"'.encode(), f'"sha256":"{"0" * 64}"'.encode(), 1)
    digest = hashlib.sha256(blank).hexdigest()
    return blank.replace(f'"sha256":"{"0" * 64}"'.encode(), f'"sha256":"{digest}"'.encode(), 1)


def forge(parts: Parts, rng: random.Random) -> tuple[str, bytes]:
    """Change one thing; return what, and the bytes of the file."""
    tensors, header = copy.deepcopy(parts)
    kind = rng.choice((_value, _value, _value, _structure, _tensor, _tensor, _tensor, _text, _raw))
    return kind(tensors, header, rng)


def _value(tensors: Any, header: Any, rng: random.Random) -> tuple[str, bytes]:
    """Another value, of whatever type, somewhere in the header."""
    places = list(_places(header))
    holder, key = rng.choice(places)
    old = holder[key]
    if type(old) in (int, float) and rng.random() < 0.5:
        new: Any = rng.choice((-old, old + 1, old - 1, old * 1000, old * 1e30, old + 0.5))
    else:
        new = copy.deepcopy(rng.choice(ODD))
    holder[key] = new
    return f"{key}: {str(old)[:20]} becomes {str(new)[:20]}", seal(tensors, json.dumps(header))


def _structure(tensors: Any, header: Any, rng: random.Random) -> tuple[str, bytes]:
    """Something missing, doubled, renamed, exchanged or nested."""
    holder, key = rng.choice(list(_places(header)))
    other, its = rng.choice(list(_places(header)))
    old, what = holder[key], rng.choice(("missing", "exchanged", "nested", "more", "copied"))
    if what == "missing":
        del holder[key]
    elif what == "exchanged":
        holder[key], other[its] = copy.deepcopy(other[its]), copy.deepcopy(old)
    elif what == "copied":
        holder[key] = copy.deepcopy(other[its])
    elif what == "nested":
        for _ in range(rng.choice((1, 50, 200))):
            old = {rng.choice(("tuple", "list")): [old]}
        holder[key] = old
    elif isinstance(holder, dict):
        holder[f"{key}_"] = copy.deepcopy(old)
    else:
        holder.append(copy.deepcopy(old))
    return f"{key} {what}", seal(tensors, json.dumps(header))


def _text(tensors: Any, header: Any, rng: random.Random) -> tuple[str, bytes]:
    """A header that is no JSON of ours: numbers that are none, names given twice, depth."""
    text = json.dumps(header)
    what = rng.choice(("NaN", "-Infinity", "1e999", "9" * 5000, "twice", "deep", "cut", "list"))
    if what == "twice":
        text = text[:-1] + ', "kind": "PPCA"}'
    elif what == "deep":
        text = text[:-1] + ', "more": ' + "[" * 100_000 + "]" * 100_000 + "}"
    elif what == "cut":
        text = text[: rng.randrange(len(text))]
    elif what == "list":
        text = f"[{text}]"
    else:
        text = text.replace('"_seed":', f'"_seed": {what}, "_":', 1)
    return f"text {what[:10]}", seal(tensors, text)


def _tensor(tensors: Any, header: Any, rng: random.Random) -> tuple[str, bytes]:
    """A tensor of other numbers, another shape, another type, or none."""
    name = rng.choice(sorted(tensors))
    array = tensors[name]
    changes: dict[str, Callable[[], Any]] = {
        "NaN": lambda: _spoilt(array, np.nan, rng),
        "infinite": lambda: _spoilt(array, np.inf, rng),
        "-infinite": lambda: _spoilt(array, -np.inf, rng),
        "huge": lambda: _spoilt(array, 3e38, rng),
        "tiny": lambda: _spoilt(array, 1e-42, rng),
        "negative": lambda: (-np.abs(array.astype(float))).astype(array.dtype),
        "zero": lambda: np.zeros_like(array),
        "times 1e20": lambda: (array * 1e20).astype(array.dtype),
        "times 1e5": lambda: (array * 1e5).astype(array.dtype),
        "times -1e3": lambda: (array * -1e3).astype(array.dtype),
        "flat": lambda: array.reshape(-1),
        "turned": lambda: array.T,
        "an axis more": lambda: array[None],
        "cut": lambda: array[1:] if array.ndim else np.zeros(0, array.dtype),
        "doubled": lambda: np.concatenate([array, array]) if array.ndim else array[None],
        "a number": lambda: array.reshape(-1)[0] if array.size else np.zeros(()),
        "float64": lambda: array.astype(np.float64) * 1e300,
        "float16": lambda: array.astype(np.float16),
        "int32": lambda: array.astype(np.int32),
        "bool": lambda: array > 0,
        "another's": lambda: tensors[rng.choice(sorted(tensors))],
        "missing": lambda: None,
    }
    what = rng.choice(sorted(changes))
    with np.errstate(all="ignore"):
        made = changes[what]()
    if made is None:
        del tensors[name]
    else:
        tensors[name] = np.asarray(made)
    return f"{name} {what}", seal(tensors, json.dumps(header))


def _spoilt(array: np.ndarray, value: float, rng: random.Random) -> np.ndarray:
    """One entry, or all."""
    if array.dtype.kind != "f":
        return ~array if array.dtype.kind == "b" else -array
    spoilt = array.copy()
    if rng.random() < 0.5 and array.size:
        spoilt.flat[rng.randrange(array.size)] = value
    else:
        spoilt[...] = value
    return spoilt


def _raw(tensors: Any, header: Any, rng: random.Random) -> tuple[str, bytes]:
    """A list of tensors that does not fit the bytes behind it."""
    whole = seal(tensors, json.dumps(header))
    size = int.from_bytes(whole[:8], "little")
    entries, content = json.loads(whole[8 : 8 + size]), whole[8 + size :]
    name = rng.choice(sorted(tensors))
    entry = entries[name]
    start, stop = entry["data_offsets"]
    what = rng.choice(sorted(_RAW))
    if what == "bytes more":
        content += b"\0" * 8
    elif what == "bytes fewer":
        content = content[:-1]
    elif what == "no entry":
        entries[name] = None
    elif what == "a tensor more":
        entries["more"] = {"dtype": "F32", "shape": [0], "data_offsets": [stop, stop]}
    else:
        key, make = _RAW[what]
        entry[key] = make(entry, start, stop)
    head = json.dumps(entries, separators=(",", ":")).encode()
    stated = entries["__metadata__"]["sha256"]
    length = len(head) if what != "a long header" else 1 << 62
    return f"{name}: {what}", reseal(length.to_bytes(8, "little") + head + content, stated)


_RAW: dict[str, Any] = {
    "bytes more": None,
    "bytes fewer": None,
    "no entry": None,
    "a tensor more": None,
    "a long header": ("dtype", lambda e, *_: e["dtype"]),
    "huge shape": ("shape", lambda *_: [1 << 62, 1 << 62]),
    "empty huge shape": ("shape", lambda *_: [0, 1 << 62]),
    "negative shape": ("shape", lambda *_: [-1]),
    "many axes": ("shape", lambda e, *_: [*e["shape"], *[1] * 100]),
    "shape of text": ("shape", lambda *_: "ab"),
    "half type": ("dtype", lambda *_: "BF16"),
    "no type": ("dtype", lambda *_: None),
    "wide type": ("dtype", lambda *_: "F64"),
    "huge offsets": ("data_offsets", lambda e, a, b: [a, 1 << 62]),
    "fractional offsets": ("data_offsets", lambda e, a, b: [a + 0.5, b]),
    "overlap": ("data_offsets", lambda e, a, b: [max(0, a - 4), b]),
    "one offset": ("data_offsets", lambda e, a, b: [a]),
}


def _places(value: Any) -> Any:
    """Every place in nested lists and objects that holds something."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from _places(value[key])


def verdict(path: Path, rows: np.ndarray) -> str:
    """What becomes of a file: "refused", "finite", "not finite", or the foreign exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = wp.load(path)
        except (wp.DamagedFileError, wp.SettingError):
            return "refused"
        except Exception as error:
            return f"loading: {type(error).__name__}: {error}"
        try:
            made = (model.score_samples(rows), model.transform(rows), model.sample(2))
        except Exception as error:
            return f"scoring: {type(error).__name__}: {error}"
    return "finite" if all(np.isfinite(each).all() for each in made) else "not finite"
