"""Checks that networks and draws of the given sizes fit in memory."""

import itertools
from collections.abc import Mapping
from typing import Any

from wellposed import models
from wellposed._checks import check_count, check_number
from wellposed._errors import unknown_name
from wellposed._forks import check_process
from wellposed._memory import check_memory

from ._build import plan_of

_FLOAT = 4  # bytes
# Copies of the weights: before and after a step, gradient, Adam's two moments, best epoch.
_COPIES = 6
_HELD_TWICE = 2  # the pieces of draws, and their concatenation


def check_networks(settings: Mapping[str, Any], n_rows: int, d: int) -> None:
    """Refuse networks, or draws of z in a batch, that exceed the memory of this machine.

    Parameters
    ----------
    settings : of a VAE, each within its own bounds
    n_rows, d : of the training data

    Raises
    ------
    SettingError
        For sizes beyond the memory, before anything is allocated.
    """
    batch = min(plan_of(dict(settings), n_rows).batch_size, n_rows)
    k, hidden = int(settings["n_components"]), [int(width) for width in settings["hidden"]]
    uses_mlp = "mlp" in (str(settings["encoder"]), str(settings["decoder"]))
    widths = [d, *hidden, 2 * k] if uses_mlp else [1, 2 * k]
    weights = sum(a * b for a, b in itertools.pairwise(widths))
    check_memory(
        _COPIES * _FLOAT * weights,
        f"n_components={k}" + (f" with hidden={tuple(hidden)}" if uses_mlp else ""),
        "Use fewer latents or narrower layers.",
    )
    draws = int(settings["n_importance"]) if settings["objective"] == "iwae" else 1
    check_memory(
        _FLOAT * batch * draws * max(d, k),
        f"n_importance={draws} with batches of {batch} rows",
        "Use fewer draws or a smaller batch_size.",
    )


def check_draws(n_samples: Any, how: Any, alpha: Any, *, width: int) -> None:
    """Check the arguments of ``sample``; each draw has ``width`` numbers.

    Raises
    ------
    SettingError
        For numbers out of range, or beyond the memory, before anything is allocated.
    ForkedProcessError
        In a process that cannot compute.
    """
    check_process()
    if how not in models.SAMPLERS:
        raise unknown_name("how", how, models.SAMPLERS)
    check_count("n_samples", n_samples, most=10**9)
    check_number("alpha", alpha)
    check_memory(
        _HELD_TWICE * 8 * n_samples * width,
        f"n_samples={n_samples}, of {width} numbers each,",
        "Draw them in several calls, each with a random_state of its own.",
    )
