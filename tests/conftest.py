"""Fixtures for all tests."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]

# What one module compiled, another loads, and so do workers and processes that tests start. The
# folder is this run's own, so that no run knows of another.
_COMPILED = tempfile.TemporaryDirectory(prefix="wellposed-compiled-")
_CACHE = {
    "jax_compilation_cache_dir": _COMPILED.name,
    "jax_persistent_cache_min_compile_time_secs": "0",
    "jax_persistent_cache_min_entry_size_bytes": "-1",
}
for _name, _value in _CACHE.items():
    _given = os.environ.setdefault(_name.upper(), _value)
    jax.config.update(_name, _given if _name.endswith("dir") else int(_given))


def pytest_configure(config: pytest.Config) -> None:
    """Compile fast rather than well where tests compile more than they compute: not the slow."""
    if config.option.markexpr == "not slow":
        flags = os.environ.get("XLA_FLAGS", "")
        if "optimization_level" not in flags:
            os.environ["XLA_FLAGS"] = f"{flags} --xla_backend_optimization_level=0".strip()


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


@pytest.fixture(scope="module", autouse=True)
def compiled_code_is_dropped() -> Iterator[None]:
    """Forget a module's compiled functions: a whole run would hold gigabytes of them."""
    yield
    jax.clear_caches()


@pytest.fixture
def x64() -> Iterator[None]:
    """Compute in float64, as oracles want it."""
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="session")
def digits() -> np.ndarray:
    """The embedded digits, uint8, shape (1797, 64)."""
    from wellposed import datasets

    return datasets.load_digits().values
