"""Result of a grid of trainings."""

import dataclasses
from typing import Any

import numpy as np

from wellposed._html import table as html_table

from .._vae import VAE

_SHOWN = ("outcome", "elbo", "rate", "noise_variance", "collapsed", "active")


@dataclasses.dataclass(frozen=True)
class Grid:
    """One row of figures for each member of a grid.

    ``rows`` are mappings with the member's axes first, then its outcome and its figures:

    - ``outcome`` as :class:`wellposed.training.Outcome` has it, or "not built"; ``reason`` explains
      it, or is empty; ``epochs`` trained; ``seconds`` since the member before it was measured (of
      members that train at once, the first has all of it);
    - ``elbo``, ``log_likelihood`` (E_q log p(x|z)) and ``rate`` (KL), means over rows in nats and
      data units, each with its standard error over rows in ``..._error``; NaN where it was not
      built;
    - ``noise_variance``, the mean σ² in model units; ``collapsed``, the share of latents that are
      (ε, δ)-collapsed, and ``active``, the number of active units;
    - the figures that ``measure`` returned.

    Examples
    --------
    >>> import numpy as np
    >>> import wellposed as wp
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> vae = wp.VAE(1, hidden=(8,), max_epochs=3, random_state=0)
    >>> grid = wp.fit_grid(vae, {"noise": [0.5, 1.0]}, X)
    >>> [row["noise"] for row in grid.rows]
    [0.5, 1.0]
    """

    axes: tuple[str, ...]  # names of the settings that vary
    rows: tuple[dict[str, Any], ...]  # one for each member
    best: VAE | None  # the fitted estimator of the highest ELBO; None where no member ended
    complete: bool  # false after an interruption

    @property
    def table(self) -> Any:
        """The rows as a ``pandas.DataFrame``.

        Raises
        ------
        ImportError
            Where pandas is not installed; ``rows`` do not need it.
        """
        import pandas as pd

        return pd.DataFrame(list(self.rows))

    def __str__(self) -> str:
        cells = [self._head, *self._cells]
        widths = [max(len(line[i]) for line in cells) for i in range(len(self._head))]
        lines = (
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
            for line in cells
        )
        return "\n".join([*lines, *self._notes])

    def _repr_html_(self) -> str:
        caption = " ".join([f"{len(self.rows)} trainings.", *self._notes])
        return html_table(caption, self._head, self._cells)

    @property
    def _head(self) -> tuple[str, ...]:
        return (*self.axes, *_SHOWN)

    @property
    def _cells(self) -> list[list[str]]:
        return [[_cell(row, name) for name in self._head] for row in self.rows]

    @property
    def _notes(self) -> list[str]:
        gone_on = "Interrupted: the same call with the same folder continues it."
        return [] if self.complete else [gone_on]


def _cell(row: dict[str, Any], name: str) -> str:
    value = row.get(name, "")
    if not isinstance(value, float):
        return str(value)
    if not np.isfinite(value):
        return "-"
    error = row.get(f"{name}_error")
    return f"{value:.4g}" if error is None else f"{value:.2f} ± {error:.2f}"
