"""A small table, and a model fitted to it through the command line."""

from types import SimpleNamespace

import numpy as np
import pytest
from cli_running import SMALL, run, table


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
