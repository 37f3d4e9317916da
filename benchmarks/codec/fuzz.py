"""Damaged containers: what they raise, the memory and the time that they take.

``python -m benchmarks.codec.fuzz`` (``--count 20000``). Each file is a valid one with bytes
changed, removed, inserted or moved, or cut. Every second one has the checksum of the changed part
corrected, as no accident does: it may then decode to other rows, but must not crash, hang or take
more memory. The exit code is 1 after any other outcome.
"""

import argparse
import resource
import sys
import time
import warnings
import zlib
from collections import Counter
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

import wellposed as wp
from wellposed._errors import WellposedError
from wellposed.coding.container import Reader, blocks
from wellposed.coding.container.varint import pack_number

MOST_SECONDS, MOST_MEBIBYTES = 10, 64
_BITS = 4.0


def containers() -> dict[str, tuple[bytes, Any]]:
    """Return valid files by name, each with its model."""
    rng = np.random.default_rng(0)
    levels = rng.binomial(9, 0.3, (400, 6))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        settings: dict[str, Any] = {"hidden": (8,), "max_epochs": 2, "transform": "identity"}
        noise = wp.noise.DiscretizedLogistic(10)
        vae = wp.VAE(2, noise=noise, prior="standard", random_state=0, **settings).fit(levels)
        counts = wp.VAE(2, noise=wp.noise.Poisson(library=True), random_state=0, **settings)
        counts = counts.fit(levels)
        shares = wp.VAE(2, noise="beta", random_state=0, **settings).fit(levels / 10.0)
    coder = wp.coding.integer_model(vae.model_)
    frame = pd.DataFrame({"a": levels[:, 0] / 4, "b": list("abcd") * 100, "c": levels[:, 1]})
    return {
        "noise": (wp.compress(None, rng.integers(0, 256, (60, 5)).astype("u1")), None),
        "decimals": (wp.compress(None, np.round(rng.normal(size=(200, 3)), 2)), None),
        "blocks": (wp.compress(None, levels, block_rows=50), None),
        "frame": (wp.compress(None, frame, block_rows=150), None),
        "model": (wp.compress(coder, levels, block_rows=100), coder),
        "model inside": (wp.compress(coder, levels, include_model=True), None),
        "counts": (_by_model(counts, levels), None),
        "shares": (_by_model(shares, levels / 10.0), None),
        "quantised": (wp.compress(coder, levels, block_rows=100, target_bits=_BITS), coder),
    }


def _by_model(model: Any, rows: np.ndarray) -> bytes:
    """Compress with the model inside, even where it does not make the file smaller."""
    with mock.patch.object(blocks, "pack_plain", return_value=bytes(10**6)):
        return wp.compress(model, rows, include_model=True)


def damage(data: bytes, rng: np.random.Generator) -> bytes:
    """Change, remove, insert or move some bytes, or cut the end."""
    changed, at = bytearray(data), int(rng.integers(len(data)))
    length, kind = int(rng.integers(1, 40)), rng.integers(5)
    if kind == 0:
        for _ in range(rng.integers(1, 9)):
            changed[rng.integers(len(changed))] = rng.integers(256)
    elif kind == 1:
        del changed[at : at + length]
    elif kind == 2:
        changed[at:at] = rng.bytes(length)
    elif kind == 3:
        other = int(rng.integers(len(data)))
        changed[at : at + length] = data[other : other + length]
    else:
        del changed[at:]
    return bytes(changed)


def forge(data: bytes, rng: np.random.Generator) -> bytes:
    """Change bytes of the header or of a block, and correct its checksum."""
    blocks, _ = Reader(data).extents()
    if rng.random() < 0.3 or not blocks:
        head = bytearray(data)
        length = head[9] & 127  # one byte, or more than these tests change
        for _ in range(rng.integers(1, 4)):
            head[10 + int(rng.integers(max(1, length)))] = rng.integers(256)
        begun = zlib.crc32(bytes([head[4]])) if head[4] > 1 else 0
        head[5:9] = zlib.crc32(head[9 : 10 + length], begun).to_bytes(4, "little")
        return bytes(head)
    i = int(rng.integers(len(blocks)))
    place = blocks[i]
    assert place is not None
    block = bytearray(data[place[0] : place[1]])
    for _ in range(rng.integers(1, 5)):
        block[4 + int(rng.integers(len(block) - 4))] = rng.integers(256)
    block[:4] = zlib.crc32(block[4:], zlib.crc32(pack_number(i))).to_bytes(4, "little")
    return data[: place[0]] + bytes(block) + data[place[1] :]


def main() -> None:
    """Damage files, and print the outcomes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    arguments = parser.parse_args()
    files, rng = containers(), np.random.default_rng(21)
    outcomes: Counter[str] = Counter()
    slowest, before = 0.0, 0
    for number in range(arguments.count):
        name = list(files)[number % len(files)]
        data, coder = files[name]
        forged = number // len(files) % 2 == 1
        changed = forge(data, rng) if forged else damage(data, rng)
        if changed == data:
            outcomes["unchanged"] += 1
            continue
        begun = time.perf_counter()
        try:
            wp.decompress(changed, coder)
            outcome = "decoded, checksum corrected" if forged else "DECODED"
        except WellposedError as error:
            outcome = f"refused as {type(error).__name__}"
        except Exception as error:
            outcome = f"FOREIGN {type(error).__name__} of {name}: {error}"[:160]
        slowest = max(slowest, time.perf_counter() - begun)
        outcomes[outcome] += 1
        if number == 500:
            before = _peak()
    for outcome, count in outcomes.most_common():
        print(f"{count:8,} {outcome}")
    grown = _peak() - before
    print(f"slowest {slowest:.2f} s; peak memory grew by {grown:.0f} MiB after the first 500")
    bad = any(outcome.isupper() or outcome.startswith("FOREIGN") for outcome in outcomes)
    sys.exit(bad or slowest > MOST_SECONDS or grown > MOST_MEBIBYTES)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
