"""Reading what commands are given."""

from pathlib import Path
from typing import Any


def read_rows(source: str, header: bool | None = None, drop: list[str] | None = None) -> Any:
    """Read data as ``wellposed.datasets.read`` does; digits in ``drop`` are positions."""
    from wellposed import datasets

    columns = [int(name) if name.isdigit() else name for name in drop or ()]
    return datasets.read(source, header=header, drop=columns)


def open_model(path: Path) -> Any:
    """Load a fitted estimator."""
    from wellposed.estimators import load

    return load(path)
