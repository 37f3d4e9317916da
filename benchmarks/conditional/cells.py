"""Single cells in two batches: in the second, each count is thinned by a rate of its gene."""

import dataclasses

import numpy as np

import wellposed as wp
from benchmarks.data import root

CELLS = "single-cell/mouse_brain_10x_10000x1000_counts_csr.npz"


@dataclasses.dataclass(frozen=True)
class Cells:
    """Counts of the same cells in both batches, and the batch in which each was observed.

    Parameters
    ----------
    whole, thinned : arrays of shape (n, d), counts of a cell in the first and in the second batch
    batch : array of shape (n,), 0 or 1
    """

    whole: np.ndarray
    thinned: np.ndarray
    batch: np.ndarray

    @property
    def observed(self) -> np.ndarray:
        """The counts of each cell in its own batch."""
        return np.where(self.batch[:, None] == 1, self.thinned, self.whole)

    def rows(self, batch: np.ndarray | None = None) -> np.ndarray:
        """Return the observed counts, then the batch; or those of all cells in another batch."""
        if batch is None:
            return np.column_stack([self.observed, self.batch])
        counts = np.where(batch[:, None] == 1, self.thinned, self.whole)
        return np.column_stack([counts, batch])

    def part(self, at: slice) -> "Cells":
        """Return some of the cells."""
        return Cells(self.whole[at], self.thinned[at], self.batch[at])


def read_cells(n_cells: int, n_genes: int, rates: tuple[float, float]) -> Cells:
    """Read the cells, in random order, and the genes with the largest means.

    Parameters
    ----------
    n_cells, n_genes : how many
    rates : lowest and highest rate of thinning; that of each gene is drawn between them
    """
    rng = np.random.default_rng(0)
    counts = np.asarray(wp.datasets.read(root() / CELLS).values)
    genes = np.sort(np.argsort(-counts.mean(axis=0), kind="stable")[:n_genes])
    whole = rng.permutation(counts)[:n_cells][:, genes].astype(int)
    thinned = rng.binomial(whole, rng.uniform(*rates, size=n_genes))
    return Cells(whole, thinned, rng.integers(2, size=n_cells))
