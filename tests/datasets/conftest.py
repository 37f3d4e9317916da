"""Where the large public data sets are, when they are."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


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
