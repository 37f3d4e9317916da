"""Statistics of all rows, for a model that is prepared on a sample of them."""

import dataclasses

import numpy as np

from wellposed import sources, transforms
from wellposed.tables import Covariates


@dataclasses.dataclass(frozen=True, eq=False)
class Described:
    """All rows of a source, and which rows of the sample are trained on.

    Parameters
    ----------
    statistics : of all rows
    trained : positions in the sample of rows that are not held out
    """

    statistics: sources.Description
    trained: np.ndarray

    def shape(self, sample: np.ndarray) -> tuple[int, int]:
        """Return the number of all rows, and of the columns of a sample."""
        return self.statistics.n, sample.shape[1]

    def share_levels(self, covariates: Covariates | None) -> bool:
        """Whether the columns that are modelled share a unit; see :func:`transforms.share_levels`.

        The extremes tell it, where all values are whole numbers.
        """
        found, own = self.statistics, self._modelled(covariates)
        return found.whole and transforms.share_levels(np.stack([found.low, found.high])[:, own])

    def summary(
        self, of_sample: transforms.Summary, offset: np.ndarray, covariates: Covariates | None
    ) -> transforms.Summary:
        """Return the summary of all rows, the steps between values by the sample.

        Parameters
        ----------
        of_sample : summary of the sample, its offset subtracted
        offset : of each column that is modelled, shape (d,)
        covariates : columns that are not modelled, or None
        """
        found, own = self.statistics, self._modelled(covariates)
        low, high = (part[own] - offset for part in (found.low, found.high))
        varies = high > low
        return dataclasses.replace(
            of_sample,
            n=found.n,
            mean=np.where(varies, found.mean[own] - offset, low),
            variance=np.where(varies, found.variance[own], 0.0),
            low=low,
            high=high,
            whole=found.whole and not offset.any(),
        )

    def _modelled(self, covariates: Covariates | None) -> np.ndarray:
        """Positions of the columns that are modelled."""
        columns = np.arange(len(self.statistics.mean))
        return columns if covariates is None else np.setdiff1d(columns, covariates.positions)
