"""Cache of compiled programs on disk, from which the next process loads them.

JAX writes and reads the entries. This module chooses the folder, limits its size, and deletes
incomplete entries.
"""

import contextlib
import functools
import hashlib
import importlib
import os
import platform
import shutil
import sys
import tempfile
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
from jaxlib.version import __version__ as jaxlib_version

from wellposed._cache_folder import cache_folder
from wellposed._errors import SettingError

VARIABLE = "WELLPOSED_COMPILED"
MOST_BYTES = 512 * 2**20
_OFF, _ON = ("0", "off", "no", "false"), ("", "1", "on", "yes", "true")
_LEAST_FREE = 128 * 2**20  # with less free space on the disk, nothing is cached
_WRITES_A_SWEEP = 200
_DEFAULT_LEAST_SECONDS = 1.0  # of JAX: programs that compile faster are not cached
_CHECKED = ".checked"  # its time is that of the last search for incomplete entries

_config: Any = jax.config  # its settings are made at run time, unknown to type checkers

_lock = threading.Lock()
_asked = False
_writes = 0


def keep_compiled() -> None:
    """Make JAX cache compiled programs in the user's folder, unless the user chose otherwise.

    The first call in a process decides. A folder or size that is set for JAX's own compilation
    cache stays as it is; so does a cache that is turned off, by JAX's settings or by
    ``WELLPOSED_COMPILED=off``. Where no folder can be used, nothing is cached and no error is
    raised.

    Raises
    ------
    SettingError
        If ``$WELLPOSED_COMPILED`` is neither "on" nor "off".
    """
    global _asked
    if _asked:
        return
    with _lock:
        if _asked:
            return
        wanted = _is_on()
        _asked = True
        folder = _usable_folder() if wanted and not _is_the_users() else None
    if folder is None:
        return
    _config.update("jax_compilation_cache_dir", str(folder))
    if _config.jax_persistent_cache_min_compile_time_secs == _DEFAULT_LEAST_SECONDS:
        _config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.monitoring.register_event_listener(_on_event)


def _is_on() -> bool:
    asked = os.environ.get(VARIABLE, "").strip().lower()
    if asked not in (*_OFF, *_ON):
        raise SettingError(
            f"${VARIABLE} must be on or off; got {asked!r}. It decides whether compiled programs "
            "are kept on disk; unset it to keep them."
        )
    return asked not in _OFF


def _is_the_users() -> bool:
    """Whether JAX's own cache was set up, bounded or turned off by the user."""
    return (
        _config.jax_compilation_cache_dir is not None
        or not _config.jax_enable_compilation_cache
        or _config.jax_compilation_cache_max_size != -1
    )


def _usable_folder() -> Path | None:
    """Prepare and return the folder for this jaxlib, processor and compression; None if that fails.

    Errors of the file system are ignored: programs are then compiled again.
    """
    try:
        root = cache_folder() / "compiled"
        folder = root / f"jaxlib-{jaxlib_version}-{_processor()}-{_compression()[0]}"
        root.parent.mkdir(parents=True, exist_ok=True)
        for made in (root, folder):
            made.mkdir(mode=0o700, exist_ok=True)
            if not _is_private(made):
                return None
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"\0")
        sweep(root, MOST_BYTES)
        _drop_cut_short(folder)
        return folder if _free_bytes(folder) > _LEAST_FREE else None
    except (OSError, RuntimeError):  # RuntimeError: there is no home folder
        return None


def _is_private(folder: Path) -> bool:
    """Whether only the user can write there: loaded entries are executed."""
    if os.name != "posix":
        return True
    found = folder.stat()
    return found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _processor() -> str:
    """Digest of the type of processor: code for one type may be illegal on another."""
    facts = [platform.machine(), platform.processor()]
    if sys.platform == "darwin":
        facts.append(os.uname().version)  # the name of the chip
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as lines:
        facts += [line for line in _first_block(lines) if line.startswith(_DECISIVE)]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]


_DECISIVE = ("model name", "flags", "Features", "CPU part", "isa")


def _first_block(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if not line.strip():
            return
        yield line


def sweep(root: Path, most_bytes: int) -> None:
    """Delete the entries that were used least recently until the rest fit in so many bytes.

    Several processes may sweep at once, and others read and write meanwhile.
    """
    entries = sorted(_entries(root))
    excess = sum(size for _, size, _ in entries) - most_bytes
    for _, size, path in entries:
        if excess <= 0:
            return
        excess -= size
        with contextlib.suppress(OSError):  # another process deleted it, or reads it on Windows
            path.unlink()


def _entries(root: Path) -> Iterator[tuple[float, int, Path]]:
    """Time of last use, bytes and path of each file."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            with contextlib.suppress(OSError):
                found = path.stat()
                yield max(found.st_atime, found.st_mtime), found.st_size, path


def _drop_cut_short(folder: Path) -> None:
    """Delete entries that a full disk or a killed process left incomplete; JAX keeps them.

    Each entry is read once: the time of a file is that of the last search.
    """
    stamp = folder / _CHECKED
    last = stamp.stat().st_mtime if stamp.exists() else 0.0
    stamp.touch(mode=0o600)
    for path in folder.glob("*-cache"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime >= last and _is_cut_short(path.read_bytes()):
                path.unlink()


def _is_cut_short(entry: bytes) -> bool:
    _, decompress, error = _compression()
    try:
        decompress(entry)
    except error:
        return True
    return False


@functools.cache
def _compression() -> tuple[str, Callable[[bytes], bytes], type[Exception]]:
    """What JAX compresses entries with: zstandard where it is installed, and reads no other."""
    for name in ("compression.zstd", "zstandard"):
        with contextlib.suppress(ImportError):
            module = importlib.import_module(name)
            return "zstd", module.decompress, module.ZstdError
    return "zlib", zlib.decompress, zlib.error


def _on_event(event: str, **_: object) -> None:
    """Silence warnings of JAX on unreadable entries, and limit the size of the folder."""
    global _writes
    if event == "/jax/compilation_cache/compile_requests_use_cache":
        # At each event, since a block of warnings.catch_warnings may have begun or ended.
        warnings.filterwarnings("ignore", r"Error (reading|writing) persistent compilation cache")
    elif event == "/jax/compilation_cache/cache_misses":
        _writes += 1
        folder = _config.jax_compilation_cache_dir
        if _writes % _WRITES_A_SWEEP == 0 and folder is not None:
            sweep(Path(folder).parent, MOST_BYTES)
