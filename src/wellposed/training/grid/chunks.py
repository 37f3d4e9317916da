"""Several trainings on the same data: as one program where that is faster, else one by one."""

import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from numpy.typing import ArrayLike

from wellposed._errors import SettingError
from wellposed._forks import check_process

from .._fit import fit_member
from .._folds import fit_folds
from .._member import Member
from .._outcome import Outcome
from .._rows import pad_rows
from .._run import Run
from .together import Together, common_shape

# Share of a device's memory; the rest is for the compiler's buffers and the data.
_SHARE = 0.5
# Copies of the parameters that an epoch holds: before and after, with Adam's moments, the best
# so far and the gradient. And numbers a row of a batch, in multiples of d: the activations.
_COPIES, _ACTIVATIONS = 9, 100


def resolve_together(together: bool | str) -> bool:
    """Return whether members of one shape train at once.

    Parameters
    ----------
    together : "auto", True or False
        "auto" is true on an accelerator, or where there are several devices.

    Raises
    ------
    SettingError
        If ``together`` is neither True, False nor "auto".

    Examples
    --------
    >>> resolve_together(True)
    True
    """
    if together not in (True, False, "auto"):
        raise SettingError(f'together must be True, False or "auto"; got {together!r}. Omit it.')
    devices = jax.local_devices()
    many = devices[0].platform != "cpu" or len(devices) > 1
    return many if together == "auto" else bool(together)


def fit_grid(
    members: Sequence[Member],
    data: ArrayLike,
    *,
    folder: str | os.PathLike | None = None,
    together: bool | str = "auto",
    progress: bool | str = False,
    on_end: Callable[[int, Run], object] | None = None,
    done: Collection[int] = (),
) -> list[Run | None]:
    """Train several models on the same data.

    Members of equal shapes are one compiled program. On a CPU they train one after another; on an
    accelerator as many as its memory holds train at once, over all devices.

    Parameters
    ----------
    members : sequence of Member
    data : array of shape (n, d), data units
    folder : path, optional; the state of each training, so that an interrupted grid resumes
    together : "auto", True or False; see :func:`resolve_together`
    progress : "auto" (on a terminal), True or False; whether to show a progress bar
    on_end : function of the index of a member and its run; afterwards ``folder`` loses the state
    done : indices of members not to train, unless they are one program with others

    Returns
    -------
    list of Run, in the order of ``members``; None for those that are done or never started

    Raises
    ------
    UnboundedLikelihoodError, SettingError : as :func:`fit` does, before any training

    Examples
    --------
    >>> import wellposed as wp
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> model = wp.VAE(1, hidden=(4,), max_epochs=1, random_state=0).fit(X).model_
    >>> runs = fit_grid([Member(model, jax.random.key(seed)) for seed in range(2)], X)
    >>> print(*(len(run.history.rows) for run in runs))
    200 200
    """
    check_process()
    data = np.asarray(data)
    devices = jax.local_devices() if resolve_together(together) else None
    padded = jax.device_put(pad_rows(data))
    runs: list[Run | None] = [None] * len(members)
    chunks = _chunks(members, len(data), padded, devices)
    for chunk in (chunk for chunk in chunks if not set(chunk) <= set(done)):
        path = None if folder is None else Path(folder) / _checkpoint_name(chunk)
        ended = _train([members[i] for i in chunk], data, path, progress)
        for i, run in zip(chunk, ended, strict=True):
            runs[i] = run
            if on_end and run.outcome is not Outcome.interrupted:
                on_end(i, run)
        if any(run.outcome is Outcome.interrupted for run in ended):
            return runs
        if path and on_end:
            path.unlink(missing_ok=True)
    return runs


def _train(
    members: Sequence[Member], data: np.ndarray, path: Path | None, progress: bool | str
) -> list[Run]:
    if len(members) == 1:
        fit = fit_folds if members[0].folds else fit_member
        return [fit(members[0], data, checkpoint=path, progress=progress)]
    stack = Together.of(members, data, jax.local_devices())
    return stack.run(checkpoint=path, progress=progress)


def _checkpoint_name(chunk: Sequence[int]) -> str:
    return f"member-{chunk[0]:04d}.ckpt" if len(chunk) == 1 else f"chunk-{chunk[0]:04d}.ckpt"


def _chunks(
    members: Sequence[Member],
    n: int,
    data: jax.Array,
    devices: Sequence[Any] | None,
) -> list[list[int]]:
    """Positions of the members that train at once: of equal shapes, as many as fit in memory."""
    shapes = [common_shape(member, n, data) for member in members]  # checks every member
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
        size = -(-len(group) // n_chunks)  # of equal sizes: another size compiles again
        chunks += [group[start : start + size] for start in range(0, len(group), size)]
    return sorted(chunks)


def _most(member: Member, data: jax.Array, device: Any) -> int:
    """Number of such members that fit in the memory of one device."""
    limit = (device.memory_stats() or {}).get("bytes_limit")
    if limit is None:
        return 1_000_000
    numbers = sum(leaf.size for leaf in jax.tree.leaves(member.model) if hasattr(leaf, "size"))
    row = _ACTIVATIONS * data.shape[1] * min(member.plan.batch_size, data.shape[0])
    each = 4 * (_COPIES * numbers + row)
    return max(1, int((_SHARE * limit - data.nbytes) // each))
