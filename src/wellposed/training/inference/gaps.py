"""What is lost between log p(x) and the ELBO, and where."""

import dataclasses
from typing import Any

import numpy as np

from wellposed._errors import DataError
from wellposed.evaluation import Estimate


@dataclasses.dataclass(frozen=True, eq=False)
class AmortisationGap:
    """ELBO of each row under the encoder's q, and under the better one found; arrays (n,), nats.

    ``gap`` is their difference, exactly zero where no better q was found (``improved`` false);
    ``standard_error`` is that of the difference, from draws that the two have in common.
    """

    encoder: np.ndarray
    optimised: np.ndarray
    standard_error: np.ndarray
    improved: np.ndarray  # 1 where the optimised q was kept, else 0

    @property
    def gap(self) -> np.ndarray:
        """optimised − encoder."""
        return self.optimised - self.encoder

    @property
    def mean(self) -> Estimate:
        """Mean gap, its error over rows; that of the draws, where there is but one row."""
        return _mean(self.gap, self.standard_error)

    def __str__(self) -> str:
        return (
            f"The encoder loses {self.mean} nats a datum to the best diagonal Gaussian found for "
            f"each of {len(self.gap)} rows: ELBO {self.encoder.mean():.5g} under its q, "
            f"{self.optimised.mean():.5g} under theirs. On {self.improved.mean():.0%} of the rows "
            "a better q was found."
        )


@dataclasses.dataclass(frozen=True)
class InferenceGaps:
    r"""log p(x) − ELBO, in two parts, mean nats a datum with errors over rows.

    .. math:: \log p(x) - L[q] = \underbrace{L[q^*] - L[q]}_{amortisation}
       + \underbrace{\log p(x) - L[q^*]}_{approximation}

    q* is the best diagonal Gaussian found for the datum. A climb that stops short moves nats from
    the first part to the second; an estimate of log p(x) that is too small makes the second, and
    the total, too small.

    References: Cremer, Li & Duvenaud (2018), eq. 5.
    """

    n_rows: int
    amortisation: Estimate
    approximation: Estimate
    total: Estimate

    def __str__(self) -> str:
        first = self.amortisation.value >= self.approximation.value
        remedy = (
            "The larger part is the encoder's: train it longer, or make it wider."
            if first
            else "The larger part is that of the family: no diagonal Gaussian fits the posterior."
        )
        if self.total.value < 2 * self.total.standard_error or self.total.value <= 0:
            remedy = "Nothing measurable is lost."
        return (
            f"Over {self.n_rows} rows, log p(x) exceeds the ELBO by {self.total} nats a datum: "
            f"{self.amortisation} for want of a better encoder, {self.approximation} for want of "
            f"a better family than diagonal Gaussians. {remedy}"
        )


def inference_gaps(found: AmortisationGap, log_likelihood: Any) -> InferenceGaps:
    """Split log p(x) − ELBO into amortisation and approximation gap.

    Parameters
    ----------
    found : of the rows in question
    log_likelihood : array of shape (n,), log p(x) of the same rows by any estimator: exact,
        importance sampling, annealed importance sampling; nats in data units

    Raises
    ------
    DataError
        If there is not one finite number a row.
    """
    log_p = np.asarray(log_likelihood, np.float64)
    if log_p.shape != found.encoder.shape or not np.isfinite(log_p).all():
        raise DataError(
            f"log_likelihood must be {len(found.encoder)} finite numbers, one for each row of the "
            f"amortisation gap; got shape {log_p.shape}. Pass score_samples() of the same rows."
        )
    return InferenceGaps(
        n_rows=len(log_p),
        amortisation=found.mean,
        approximation=_mean(log_p - found.optimised, found.standard_error),
        total=_mean(log_p - found.encoder, found.standard_error),
    )


def _mean(values: np.ndarray, of_draws: np.ndarray) -> Estimate:
    n = len(values)
    error = values.std(ddof=1) / np.sqrt(n) if n > 1 else of_draws[0]
    return Estimate(float(values.mean()), float(error))
