"""Figures that were measured, kept in build/gaps so that an interrupted run continues."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.data import REPOSITORY
from benchmarks.gaps.data import Task
from benchmarks.gaps.imputers import IMPUTERS, Score, score

Makers = dict[str, tuple[Callable[[], Any], ...]]
FOLDER = REPOSITORY / "build" / "gaps"


def scored(name: str, task: Task, makers: Makers = IMPUTERS, *, again: bool = False) -> Score:
    """Return the figures of an imputer on a task, measured now or earlier.

    Parameters
    ----------
    name : of the imputer
    task : Task
    makers : imputers by name
    again : whether to measure in any case
    """
    path: Path = FOLDER / f"{task.name} {name}.json".replace(" ", "-").replace(",", "")
    if path.exists() and not again:
        return Score(**json.loads(path.read_text()))
    found = score(makers[name], task)
    FOLDER.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dataclasses.asdict(found)))
    return found
