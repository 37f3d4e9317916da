"""Fixtures for all tests."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


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
