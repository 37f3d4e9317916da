"""Damaged data files: what they raise, the memory and the time that they take.

    python -m benchmarks.fuzz_readers                # 1,200 files a table's format, 400 an image's
    python -m benchmarks.fuzz_readers --count 50     # fewer, the first of the same
    python -m benchmarks.fuzz_readers --only parquet png

Valid files of thirteen formats, damaged by flipped bits, cuts, splices, edited headers, random
bytes and stray signs, within their packing half of the time, so that checksums agree. Each format
runs in a process of its own. A file may be read or refused by an error of the library; any other
exception is foreign, and so is the end of the process. Memory is the peak of the resident set above
that before the file, less what the file declares: the table where it was read, else its bytes, or
its pixels. It is measured on Linux alone.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.fuzz_files import IMAGES, TABLES, damage, valid_files

SEED = 16
KINDS = (*TABLES, *IMAGES)
MOST_MEBIBYTES, MOST_SECONDS = 64, 10


@dataclass(frozen=True)
class Outcome:
    """Outcome of one damaged file."""

    number: int
    outcome: str  # "read", "refused" or the name of a foreign exception
    mebibytes: float  # above what it declares
    seconds: float


def fuzz(kind: str, count: int, folder: Path, first: int = 0) -> Iterator[Outcome]:
    """Read ``count`` damaged files of a format, one after another; file i is always the same."""
    from wellposed._errors import WellposedError
    from wellposed.datasets import read

    files = valid_files(kind)
    for body in files:  # so that imports and first uses are not measured
        with contextlib.suppress(WellposedError):  # animations are refused
            read(_write(kind, body, folder))
    for number in range(first, count):
        rng = np.random.default_rng([SEED, KINDS.index(kind), number])
        body = damage(kind, files, rng)
        path = _write(kind, body, folder)
        before, start = _reset_peak(), time.perf_counter()
        declared = 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                declared = read(path).values.nbytes
                outcome = "read"
            except WellposedError:
                outcome = "refused"
            except BaseException as error:
                outcome = f"{type(error).__name__}: {error}"[:200]
        seconds = time.perf_counter() - start
        above = (_memory("VmHWM") - before - max(declared, _declared_bytes(kind, body))) / 2**20
        yield Outcome(number, outcome, above, seconds)


def _write(kind: str, body: bytes, folder: Path) -> Path:
    """Write a file to read: an image alone in its folder."""
    path = folder / f"a.{kind}"
    path.write_bytes(body)
    return folder if kind in IMAGES else path


def _declared_bytes(kind: str, body: bytes) -> int:
    """Return the bytes of a file, or of an image's pixels."""
    if kind not in IMAGES:
        return len(body)
    import io

    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(body)) as picture:
                return max(len(body), 3 * picture.width * picture.height)
    except Exception:  # any exception, since the file is damaged
        return len(body)


def _reset_peak() -> int:
    """Set the peak of the resident set to what it is now, on Linux, and return that."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(field: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:  # other systems: memory is not measured
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def _child(kind: str, count: int, first: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for outcome in fuzz(kind, count, Path(folder), first):
            print(json.dumps(asdict(outcome)), flush=True)


def _in_process(kind: str, count: int) -> list[Outcome]:
    """Run a format in a process of its own; a crash is recorded, and a new process continues."""
    outcomes: list[Outcome] = []
    while len(outcomes) < count:
        command = [sys.executable, "-m", "benchmarks.fuzz_readers", "--child", kind]
        command += ["--count", str(count), "--first", str(len(outcomes))]
        run = subprocess.run(command, capture_output=True, text=True)
        outcomes += [Outcome(**json.loads(line)) for line in run.stdout.splitlines()]
        if run.returncode:
            reason = run.stderr.strip().splitlines()[-1:] or [""]
            outcomes.append(Outcome(len(outcomes), f"exit {run.returncode}: {reason[0]}", 0, 0))
    return outcomes


def main() -> int:
    """Print a row a format; exit 1 if a figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--child", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        _child(given.child, given.count, given.first)
        return 0
    print(
        f"{'format':9}{'files':>6}{'read':>6}{'refused':>9}{'foreign':>9}{'MiB':>8}{'seconds':>9}"
    )
    missed, foreign = False, []
    for kind in given.only:
        outcomes = _in_process(kind, given.count or (400 if kind in IMAGES else 1200))
        read, refused = (sum(o.outcome == name for o in outcomes) for name in ("read", "refused"))
        strange = [o for o in outcomes if o.outcome not in ("read", "refused")]
        memory, longest = max(o.mebibytes for o in outcomes), max(o.seconds for o in outcomes)
        print(
            f"{kind:9}{len(outcomes):6}{read:6}{refused:9}{len(strange):9}{memory:8.1f}{longest:9.2f}",
            flush=True,
        )
        missed |= bool(strange) or memory > MOST_MEBIBYTES or longest > MOST_SECONDS
        foreign += [f"{kind} {o.number}: {o.outcome}" for o in strange]
    print("\n".join(foreign))
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
