"""A small table, and a model fitted to it through the command line."""

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cli_running import SMALL, run, table

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def fitted(tmp_path_factory) -> SimpleNamespace:
    """The paths of a table as csv and npy, and of a model fitted to it."""
    folder = tmp_path_factory.mktemp("fitted")
    paths = SimpleNamespace(
        csv=folder / "table.csv", npy=folder / "table.npy", model=folder / "model.wp"
    )
    values = table()
    np.save(paths.npy, values)
    np.savetxt(paths.csv, values, "%.2f", ",", header="a,b,c,d,e", comments="")
    paths.result = run("fit", paths.csv, "-o", paths.model, *SMALL)
    return paths


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
