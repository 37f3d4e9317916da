"""Why rows are outliers: what each column contributes, which cells are wrong, what was expected."""

import dataclasses
from typing import Any

import numpy as np

_SHOWN_ROWS, _SHOWN_CELLS = 20, 4


@dataclasses.dataclass(frozen=True, eq=False)
class Explanation:
    r"""Contributions of columns to −log p(x) of rows, and the cells that are wrong.

    .. math:: -\log p(x) = \sum_j c_j, \quad
       c_{(j)} = -\log p(x_{(j)} \mid x_{(j + 1)}, \dots, x_{(d)})

    with the columns in an order of each row, the most suspicious first: each is judged given
    those that are less so.

    Parameters
    ----------
    surprise : −log p(x) of each row, shape (n,), nats
    contributions : c_j, shape (n, d), nats; a missing entry has zero
    order : columns of each row, the most suspicious first, shape (n, d)
    p_values : of each cell given the other right cells of its row, shape (n, d)
    wrong : cells whose p-value is at most the level, shape (n, d)
    expected : E[x_j | the right cells] in data units where a cell is wrong, and the cell elsewhere:
        array of shape (n, d), or a frame
    names : of the columns
    observed : the rows, as ``expected``

    Examples
    --------
    >>> import wellposed as wp
    >>> detector = wp.OutlierVAE(vae, random_state=0).fit(X)  # doctest: +SKIP
    >>> print(detector.explain(X[:2]))  # doctest: +SKIP
    """

    surprise: np.ndarray
    contributions: np.ndarray
    order: np.ndarray
    p_values: np.ndarray
    wrong: np.ndarray
    expected: Any
    names: tuple[str, ...]
    observed: Any

    @property
    def first(self) -> tuple[str, ...]:
        """Name of the most suspicious column of each row."""
        return tuple(self.names[j] for j in self.order[:, 0])

    def __str__(self) -> str:
        lines = [self._line(i) for i in range(min(len(self.surprise), _SHOWN_ROWS))]
        if len(self.surprise) > _SHOWN_ROWS:
            lines.append(f"and {len(self.surprise) - _SHOWN_ROWS} more rows")
        return "\n".join(lines)

    def _line(self, i: int) -> str:
        wrong = [j for j in self.order[i] if self.wrong[i, j]]
        text = f"row {i}: −log p(x) = {self.surprise[i]:.4g} nats; "
        if not wrong:
            return f"{text}no cell is wrong by itself"
        cells = [f"{self.names[j]} {self._cell(i, j)}" for j in wrong[:_SHOWN_CELLS]]
        more = len(wrong) - len(cells)
        return text + "; ".join(cells) + (f"; and {more} more cells" if more > 0 else "")

    def _cell(self, i: int, j: int) -> str:
        return (
            f"is {self.cell_text(i, j)} "
            f"({self.contributions[i, j]:+.1f} nats, p = {self.p_values[i, j]:.2g})"
        )

    def cell_text(self, row: int, column: int) -> str:
        """Return a cell and the value expected in its place, as text."""
        is_, expected = (
            _shown(self._given(row, column, cells)) for cells in (self.observed, self.expected)
        )
        return f"{is_} where {expected} is expected"

    def _given(self, i: int, j: int, cells: Any) -> Any:
        if isinstance(cells, np.ndarray):
            return cells[i, j]
        column = cells[self.names[j]]
        return column.iloc[i] if hasattr(column, "iloc") else column[i]


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)
