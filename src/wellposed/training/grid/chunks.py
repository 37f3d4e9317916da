"""Many trainings on one set of data: as one program where that pays, else one after another."""

import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from wellposed._errors import SettingError
from wellposed._forks import check_process

from .._fit import Run, fit
from .._member import Member
from .._outcome import Outcome
from .._rows import filled_up
from .together import Together, together_shape

# Of a device's memory; the rest is for what the compiler keeps, and for the data.
_SHARE = 0.5
# Copies of the parameters that an epoch holds: before and after, with Adam's moments, the best
# so far and the gradient. And numbers a row of a batch, in multiples of d: the activations.
_COPIES, _ACTIVATIONS = 9, 100


def at_once(together: bool | str) -> bool:
    """Whether members of a shape train at once; see :func:`fit_grid`.

    Raises
    ------
    SettingError
        If ``together`` is neither True, False nor "auto".
    """
    if together not in (True, False, "auto"):
        raise SettingError(f'together must be True, False or "auto"; got {together!r}. Omit it.')
    devices = jax.local_devices()
    many = devices[0].platform != "cpu" or len(devices) > 1
    return many if together == "auto" else bool(together)


def fit_grid(
    members: Sequence[Member],
    data: Any,
    *,
    folder: str | os.PathLike | None = None,
    together: bool | str = "auto",
    progress: bool | str = False,
    on_end: Callable[[int, Run], object] | None = None,
    done: Collection[int] = (),
) -> list[Run | None]:
    """Train several models on the same data.

    Members of equal shapes are one compiled program. On a CPU they train one after another, which
    is as fast; on an accelerator a chunk that fits its memory trains at once, over all devices.

    Parameters
    ----------
    members : the trainings
    data : array of shape (n, d), data units, any real dtype; kept once
    folder : where to write the state of each training, so that an interrupted grid goes on from
        it; None writes nothing
    together : whether members train at once: True, False, or "auto", on an accelerator or where
        there are several devices
    progress : show a bar: True, False or "auto" (on a terminal)
    on_end : called with a member's place and its run as soon as it has ended; once it has been
        for all that train at once, their state in ``folder`` is removed
    done : places of members of which the caller knows all: not trained, but for those that are
        one program with others

    Returns
    -------
    list of runs in the order of ``members``; None for those that are done or never started

    Raises
    ------
    UnboundedLikelihoodError, SettingError
        As :func:`fit` does, before anything is trained.
    """
    check_process()
    data = np.asarray(data)
    devices = jax.local_devices() if at_once(together) else None
    placed = jax.device_put(filled_up(data))
    shapes = [together_shape(member, len(data), placed) for member in members]  # checks every one
    chunks = _chunks(members, shapes, placed, devices)
    runs: list[Run | None] = [None] * len(members)
    for chunk in chunks:
        if set(chunk) <= set(done):
            continue
        path = None if folder is None else Path(folder) / _checkpoint_name(chunk)
        for i, run in zip(chunk, _trained(members, chunk, data, path, progress), strict=True):
            runs[i] = run
            if on_end is not None and run.outcome is not Outcome.interrupted:
                on_end(i, run)
        if any(_was_interrupted(runs[i]) for i in chunk):
            break
        if path is not None and on_end is not None:
            path.unlink(missing_ok=True)
    return runs


def _was_interrupted(run: Run | None) -> bool:
    return run is not None and run.outcome is Outcome.interrupted


def _trained(
    members: Sequence[Member],
    chunk: Sequence[int],
    data: np.ndarray,
    path: Path | None,
    progress: bool | str,
) -> list[Run]:
    if len(chunk) == 1:
        return [_alone(members[chunk[0]], data, path, progress)]
    one = Together.of([members[i] for i in chunk], data, jax.local_devices())
    return one.run(checkpoint=path, progress=progress)


def _checkpoint_name(chunk: Sequence[int]) -> str:
    return f"member-{chunk[0]:04d}.ckpt" if len(chunk) == 1 else f"chunk-{chunk[0]:04d}.ckpt"


def _alone(member: Member, data: np.ndarray, path: Path | None, progress: bool | str) -> Run:
    return fit(
        member.model,
        data,
        key=member.key,
        objective=member.objective,
        plan=member.plan,
        validation_fraction=member.validation_fraction,
        checkpoint=path,
        progress=progress,
        allow_unbounded=member.allow_unbounded,
    )


def _chunks(
    members: Sequence[Member],
    shapes: Sequence[tuple | None],
    data: jax.Array,
    devices: Sequence[Any] | None,
) -> list[list[int]]:
    """Places of the members that train at once: equal shapes, as many as the memory holds."""
    if devices is None:
        return [[i] for i in range(len(members))]
    chunks: list[list[int]] = []
    groups: dict[tuple, list[int]] = {}
    for i, shape in enumerate(shapes):
        if shape is None:
            chunks.append([i])
        else:
            groups.setdefault(shape, []).append(i)
    for group in groups.values():
        most = len(devices) * _most(members[group[0]], data, devices[0])
        n_chunks = -(-len(group) // most)
        size = -(-len(group) // n_chunks)  # as even as can be: a smaller last one compiles anew
        chunks += [group[start : start + size] for start in range(0, len(group), size)]
    return sorted(chunks)


def _most(member: Member, data: jax.Array, device: Any) -> int:
    """How many such members one device holds at once."""
    limit = (device.memory_stats() or {}).get("bytes_limit")
    if limit is None:
        return 1_000_000
    numbers = sum(leaf.size for leaf in jax.tree.leaves(member.model) if hasattr(leaf, "size"))
    row = _ACTIVATIONS * data.shape[1] * min(member.plan.batch_size, data.shape[0])
    each = 4 * (_COPIES * numbers + row)
    return max(1, int((_SHARE * limit - data.nbytes) // each))
