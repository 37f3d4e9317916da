"""Whether the networks and the draws that are asked for can be, and fit in memory."""

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
# The weights before and after a step, the gradient, Adam's two moments and the best epoch's.
_COPIES = 6
_HELD_TWICE = 2  # draws in pieces, and put together


def check_networks(settings: Mapping[str, Any], n_rows: int, d: int) -> None:
    """Refuse networks, or draws of z a batch, that this machine cannot hold.

    Parameters
    ----------
    settings : of a VAE, each within its own bounds
    n_rows, d : of the training data

    Raises
    ------
    SettingError
        Before anything is allocated.
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
    """Check what ``sample`` is asked for; each draw has ``width`` numbers.

    Raises
    ------
    SettingError
        For what is out of range, or more than this machine can hold, before it is allocated.
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
