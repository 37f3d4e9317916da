"""A folder of compiled programs that outlives the run, so that a second run compiles little.

XLA's own key of an entry holds the program, the compiler's version, options and flags. The folder
adds the versions of JAX and jaxlib, the compression, and the processor with its features, since
machine code that another processor made may stop this one, or be refused by it.
"""

import contextlib
import hashlib
import importlib
import os
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path

VARIABLE = "WELLPOSED_TEST_CACHE"
OFF = ("off", "0", "no", "false")
MOST_BYTES = 1 << 30


def root() -> Path | None:
    """The folder of all kept programs; None where ``$WELLPOSED_TEST_CACHE`` is ``off``."""
    given = os.environ.get(VARIABLE, "")
    if given.lower() in OFF:
        return None
    if given:
        return Path(given).expanduser().absolute()
    # The XDG specification tells programs to ignore a relative path.
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        shared = shared if shared.is_absolute() else Path.home() / ".cache"
    except RuntimeError:  # a user without a home folder
        return None
    return shared / "wellposed-tests"


def processor() -> str:
    """Return model and features of the processor, as far as the platform reports them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    told = ("vendor_id", "cpu family", "model", "model name", "flags", "Features", "CPU part")
    return "\n".join(line for line in lines if line.partition(":")[0].strip() in told)


def compression() -> str:
    """What JAX compresses entries with, zstd where it can be imported; it reads no other."""
    for name in ("compression.zstd", "zstandard"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
            return "zstd"
    return "zlib"


def folder() -> Path | None:
    """The folder of this processor and this version of XLA, made; None where it cannot be."""
    kept = root()
    if kept is None:
        return None
    made_by = hashlib.sha256(f"{platform.machine()}\n{processor()}".encode()).hexdigest()[:12]
    path = kept / f"jax-{version('jax')}-jaxlib-{version('jaxlib')}-{compression()}-{made_by}"
    try:
        # Entries are machine code: nobody else may write here.
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except OSError:
        return None
    return path


def evict(kept: Path, most_bytes: int = MOST_BYTES) -> None:
    """Remove the entries used longest ago, of any version, until the others fit.

    JAX's own bound (``jax_compilation_cache_max_size``) reads a time stamp of every entry at every
    write, which for thousands of small programs takes longer than to compile them.
    """
    entries = []
    for path in kept.glob("*/*"):
        try:
            facts = path.stat()
        except OSError:  # another run removed it
            continue
        entries.append((max(facts.st_atime, facts.st_mtime), facts.st_size, path))
    size = sum(entry[1] for entry in entries)
    for _, bytes_freed, path in sorted(entries, key=lambda entry: entry[0]):
        if size <= most_bytes:
            return
        path.unlink(missing_ok=True)
        size -= bytes_freed
