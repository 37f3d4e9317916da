"""Fixtures for all tests."""

import contextlib
import ctypes
import gc
import glob
import os
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

# Each worker has a core; several threads of linear algebra in each wait for one another, and take
# twice the time. The libraries read it when they are loaded, in workers before this file is.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import jax
import numpy as np
import pytest

import compile_cache

REPOSITORY = Path(__file__).resolve().parents[1]
MOST_RESIDENT_BYTES = 2e9
MOST_MAPPINGS = 25_000  # Linux allows 65,530, and XLA aborts beyond


def _keep_compiled_programs() -> tempfile.TemporaryDirectory | None:
    """What one module compiled, another loads, and so do workers, processes and later runs.

    Where no folder outlives the run, the programs go to a folder that does not.
    """
    path, own = compile_cache.folder(), None
    if path is None:
        own = tempfile.TemporaryDirectory(prefix="wellposed-compiled-")
        path = Path(own.name)
    settings = {
        "jax_compilation_cache_dir": str(path),
        "jax_persistent_cache_min_compile_time_secs": "0",
        "jax_persistent_cache_min_entry_size_bytes": "-1",
    }
    for name, value in settings.items():
        given = os.environ.setdefault(name.upper(), value)
        jax.config.update(name, given if name.endswith("dir") else int(given))
    jax.config.update("jax_traceback_in_locations_limit", 0)  # lines of code, which none reads
    return own


_OF_THIS_RUN = _keep_compiled_programs()


# Without the fusion emitters XLA compiles in half the time, and small programs take longer to be
# split for several threads than to be compiled. It ends the process at a flag that it does not
# know, so these are for the versions that were tried.
_COMPILE_FAST = ("--xla_backend_optimization_level=0",) + (
    ("--xla_cpu_use_fusion_emitters=false", "--xla_cpu_parallel_codegen_split_count=1")
    if version("jaxlib").startswith("0.10.")
    else ()
)


def pytest_configure(config: pytest.Config) -> None:
    """Compile fast rather than well where tests compile more than they compute: not the slow."""
    if config.option.markexpr == "not slow":
        flags = os.environ.get("XLA_FLAGS", "")
        if "optimization_level" not in flags:
            os.environ["XLA_FLAGS"] = " ".join([flags, *_COMPILE_FAST]).strip()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Bound what earlier runs left; workers have a controller that did."""
    kept = compile_cache.root()
    if kept is not None and not hasattr(session.config, "workerinput"):
        compile_cache.evict(kept)


def pytest_collection_finish() -> None:
    """Leave what was imported out of Python's collections, and collect less often.

    Tracing makes many objects: with the usual thresholds a tenth of the time goes to collections.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    """Remove an entry that cannot be read, half written by a run that was stopped, say.

    JAX warns, compiles the program and would leave the entry as it is.
    """
    unread = re.match(
        "Error reading persistent compilation cache entry for '(.+?)'", str(warning_message.message)
    )
    kept = compile_cache.folder()
    if unread and kept is not None:
        for entry in kept.glob(f"{glob.escape(unread[1])}-*"):
            entry.unlink(missing_ok=True)


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """Return the path of a shared file or folder; skip the test where it is absent."""
    root = Path(os.environ.get("WELLPOSED_DATA", REPOSITORY.parent / "shared" / "data"))

    def locate(name: str) -> Path:
        path = root / name
        if not path.exists():
            pytest.skip(f"{path} is absent; set WELLPOSED_DATA to the folder with the data")
        return path

    return locate


def _resident_bytes() -> float:
    """Memory that this process holds; infinite where the platform does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return float("inf")
    return pages * os.sysconf("SC_PAGE_SIZE")


def _mappings() -> int:
    """Number of memory mappings of this process; zero where the platform does not say."""
    try:
        return Path("/proc/self/maps").read_bytes().count(b"\n")
    except OSError:
        return 0


def _drop_compiled_code() -> None:
    """Clear compiled functions once there are many: in a whole run they take gigabytes.

    Each takes more than a megabyte, which the C library keeps unless it is told to trim, and
    several mappings.
    """
    if _resident_bytes() > MOST_RESIDENT_BYTES or _mappings() > MOST_MAPPINGS:
        jax.clear_caches()
        gc.collect()
        with contextlib.suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)


@pytest.fixture(scope="module", autouse=True)
def compiled_code_is_dropped() -> Iterator[None]:
    """After each module, and after each slow test, which compiles as much as a module."""
    yield
    _drop_compiled_code()


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """See the fixture above."""
    if item.get_closest_marker("slow"):
        _drop_compiled_code()


@pytest.fixture
def x64() -> Iterator[None]:
    """Compute in float64, which the oracles need."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="session")
def digits() -> np.ndarray:
    """The embedded digits, uint8, shape (1797, 64)."""
    from wellposed import datasets

    return datasets.load_digits().values
