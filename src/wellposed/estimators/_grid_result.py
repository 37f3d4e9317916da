"""What a grid of trainings brings home."""

import dataclasses
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Grid:
    """One row of figures for each member of a grid.

    ``rows`` are mappings with the member's axes first, then how it ended and what it measured:

    - ``outcome`` as :class:`wellposed.training.Outcome` has it, or "not built"; ``reason`` says
      why, empty where there is nothing to say; ``epochs`` trained; ``seconds`` since the
      member before it was measured (of members that train at once, the first has all of it);
    - ``elbo``, ``log_likelihood`` (E_q log p(x|z)) and ``rate`` (KL), means over rows in nats and
      data units, each with its standard error over rows in ``..._error``; NaN where it was not
      built;
    - ``noise_variance``, the mean σ² in model units; ``collapsed``, the share of latents that are
      (ε, δ)-collapsed, and ``active``, the number of active units;
    - whatever ``measure`` returned.

    Examples
    --------
    >>> import numpy as np
    >>> import wellposed as wp
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> vae = wp.VAE(1, hidden=(8,), max_epochs=3, random_state=0)
    >>> found = wp.fit_grid(vae, {"noise": [0.5, 1.0]}, X)
    >>> [row["noise"] for row in found.rows]
    [0.5, 1.0]
    """

    axes: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]
    best: Any  # the fitted estimator of the highest ELBO; None where no member ended
    complete: bool  # false after an interruption

    @property
    def table(self) -> Any:
        """The rows as a ``pandas.DataFrame``.

        Raises
        ------
        ImportError
            Where pandas is not installed; ``rows`` need it not.
        """
        import pandas as pd

        return pd.DataFrame(list(self.rows))

    def __str__(self) -> str:
        shown = (*self.axes, "outcome", "elbo", "rate", "noise_variance", "collapsed", "active")
        cells = [shown, *([_cell(row, name) for name in shown] for row in self.rows)]
        widths = [max(len(line[i]) for line in cells) for i in range(len(shown))]
        lines = (
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
            for line in cells
        )
        note = "" if self.complete else "\nInterrupted: the same call with the same folder goes on."
        return "\n".join(lines) + note


def _cell(row: dict[str, Any], name: str) -> str:
    value = row.get(name, "")
    if not isinstance(value, float):
        return str(value)
    if not np.isfinite(value):
        return "-"
    error = row.get(f"{name}_error")
    return f"{value:.4g}" if error is None else f"{value:.2f} ± {error:.2f}"
