"""Figures that were measured, kept in build/gaps so that an interrupted run continues."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.data import REPOSITORY
from benchmarks.gaps.data import Task
from benchmarks.gaps.imputers import IMPUTERS, Score, score

Makers = dict[str, tuple[Callable[[], Any], ...]]
Figures = TypeVar("Figures")
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
    return kept(f"{task.name} {name}", Score, lambda: score(makers[name], task), again=again)


def kept(
    title: str, kind: type[Figures], measure: Callable[[], Figures], *, again: bool = False
) -> Figures:
    """Return figures of a title, a dataclass, that ``measure`` returns now or returned earlier."""
    path: Path = FOLDER / f"{title}.json".replace(" ", "-").replace(",", "")
    if path.exists() and not again:
        return kind(**json.loads(path.read_text()))
    found: Any = measure()
    FOLDER.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dataclasses.asdict(found)))
    return found
