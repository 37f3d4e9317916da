"""The gap between log p(x) and the ELBO, in its two parts."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from wellposed._errors import DataError
from wellposed.evaluation import Estimate


@dataclasses.dataclass(frozen=True, eq=False)
class AmortisationGap:
    """ELBO of each row under the encoder's q and under an optimised q.

    Parameters
    ----------
    encoder, optimised : arrays of shape (n,)
        The two ELBOs, nats. They are equal where the optimisation did not improve on the encoder.
    standard_error : array of shape (n,)
        Standard error of their difference, from common draws of z, nats.
    improved : array of shape (n,)
        1 where the optimised q was kept, else 0.

    Examples
    --------
    >>> from wellposed.training import amortisation_gap
    >>> found = amortisation_gap(vae.model_, X[:5], key=key, n_steps=20)
    >>> bool((found.optimised >= found.encoder).all())
    True
    """

    encoder: np.ndarray
    optimised: np.ndarray
    standard_error: np.ndarray
    improved: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """optimised − encoder."""
        return self.optimised - self.encoder

    @property
    def mean(self) -> Estimate:
        """Mean gap in nats, with its error over rows, or over draws where there is one row."""
        return _mean(self.gap, self.standard_error)

    def __str__(self) -> str:
        return (
            f"The encoder loses {self.mean} nats a datum to a diagonal Gaussian optimised for "
            f"each of {len(self.gap)} rows: ELBO {self.encoder.mean():.5g} under the encoder's q, "
            f"{self.optimised.mean():.5g} under the optimised q. The optimisation improved "
            f"{self.improved.mean():.0%} of the rows."
        )


@dataclasses.dataclass(frozen=True)
class InferenceGaps:
    r"""log p(x) − ELBO in two parts, mean nats a datum with errors over rows.

    .. math:: \log p(x) - L[q] = \underbrace{L[q^*] - L[q]}_{amortisation}
       + \underbrace{\log p(x) - L[q^*]}_{approximation}

    q* is a diagonal Gaussian optimised for the datum. An optimisation that stops early moves nats
    from the first part to the second; an estimate of log p(x) that is too small makes the second
    part and the total too small.

    References: Cremer, Li & Duvenaud (2018), eq. 5.

    Examples
    --------
    >>> from wellposed.training import inference_gaps
    >>> found = inference_gaps(vae.model_, X[:20], key=key)  # doctest: +SKIP
    >>> print(found)  # doctest: +SKIP
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
            else "The larger part is the family's: no diagonal Gaussian fits the posterior."
        )
        if self.total.value < 2 * self.total.standard_error or self.total.value <= 0:
            remedy = "Nothing measurable is lost."
        return (
            f"Over {self.n_rows} rows, log p(x) exceeds the ELBO by {self.total} nats a datum: "
            f"{self.amortisation} by amortisation (the encoder), {self.approximation} by "
            f"approximation (diagonal Gaussians). {remedy}"
        )


def inference_gaps(gap: AmortisationGap, log_likelihood: ArrayLike) -> InferenceGaps:
    """Split log p(x) − ELBO into amortisation and approximation gap.

    Parameters
    ----------
    gap : AmortisationGap
    log_likelihood : array of shape (n,)
        log p(x) of the same rows by any estimator: exact, importance sampling, annealed importance
        sampling; nats in data units.

    Raises
    ------
    DataError
        If ``log_likelihood`` is not one finite number a row.

    Examples
    --------
    >>> gap = AmortisationGap(*np.array([[-3.0, -2.0], [-2.5, -2.0], [0.1, 0.0], [1, 0]]))
    >>> inference_gaps(gap, [-2.0, -1.5]).total.value
    0.75
    """
    log_p = np.asarray(log_likelihood, np.float64)
    if log_p.shape != gap.encoder.shape or not np.isfinite(log_p).all():
        raise DataError(
            f"log_likelihood must be {len(gap.encoder)} finite numbers, one for each row of the "
            f"amortisation gap; got shape {log_p.shape}. Pass score_samples() of the same rows."
        )
    return InferenceGaps(
        n_rows=len(log_p),
        amortisation=gap.mean,
        approximation=_mean(log_p - gap.optimised, gap.standard_error),
        total=_mean(log_p - gap.encoder, gap.standard_error),
    )


def _mean(values: np.ndarray, of_draws: np.ndarray) -> Estimate:
    mean = Estimate.of(values)
    return mean if len(values) > 1 else Estimate(mean.value, float(of_draws[0]))
