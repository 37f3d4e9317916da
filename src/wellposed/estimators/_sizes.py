"""Whether the networks and the draws that the settings ask for fit in memory."""

import itertools
from collections.abc import Mapping
from typing import Any

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


def check_draws(n_samples: int, width: int) -> None:
    """Refuse more draws of ``width`` numbers than this machine can hold.

    Raises
    ------
    SettingError
        Before anything is allocated.
    """
    check_memory(
        _HELD_TWICE * 8 * n_samples * width,
        f"n_samples={n_samples}, of {width} numbers each,",
        "Draw them in several calls, each with a random_state of its own.",
    )
