"""Rate and distortion of a model: the costs in nats of z, and of x given z."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from wellposed._checks import check_count
from wellposed._errors import DataError
from wellposed._forks import check_process
from wellposed._typing import PRNGKey
from wellposed.models import VAEModel

from .._estimate import Estimate
from .._passes import elbo
from .prior_mismatch import OWN, prior_mismatch


@dataclasses.dataclass(frozen=True)
class RateDistortion:
    r"""Rate and distortion of one model on rows of data, in nats a datum and data units.

    Standard errors are over rows. The rate is the sum of information and mismatch, whose bounds
    hold in expectation; see :func:`wellposed.evaluation.prior_mismatch`.

    Parameters
    ----------
    n_rows : number of rows
    rate : R = E KL(q(z | x) ‖ p(z)); its error includes that of the draws of z
    distortion : D = −E E_q log p(x | z)
    elbo : −(R + D), the bound with β = 1
    information : lower and upper bound of I(x; z)
    mismatch : lower and upper bound of KL(q(z) ‖ p(z))
    entropy : H of the data; None if the density of the data is unknown
    least_information : H − D; None if the density of the data is unknown

    Examples
    --------
    >>> from wellposed.evaluation import rate_distortion
    >>> found = rate_distortion(model, X, key=key)
    >>> abs(found.elbo.value + found.rate.value + found.distortion.value) < 1e-4
    True
    """

    n_rows: int
    rate: Estimate
    distortion: Estimate
    elbo: Estimate
    information: tuple[Estimate, Estimate]
    mismatch: tuple[Estimate, Estimate]
    entropy: Estimate | None = None
    least_information: Estimate | None = None

    @property
    def information_range(self) -> tuple[float, float]:
        """Lower and upper bound of I(x; z), clipped to 0 ≤ I ≤ R, nats a datum."""
        low, high = self.information
        return max(low.value, 0.0), max(min(high.value, self.rate.value), 0.0)

    @property
    def is_consistent(self) -> bool | None:
        """Whether H − D ≤ I ≤ R within three standard errors; None if H is unknown."""
        if self.least_information is None:
            return None
        low, high = self.information
        enough = _exceeds(high, self.least_information)
        return enough and _exceeds(self.rate, low)

    def __str__(self) -> str:
        low, high = self.information_range
        error = max(end.standard_error for end in self.information)
        return " ".join(
            [
                f"Over {self.n_rows} rows, rate {self.rate} and distortion {self.distortion} nats "
                f"a datum: an ELBO of {self.elbo}.",
                f"The information I(x; z) is {low:.3g} to {high:.3g} (± {error:.2g}) nats; the "
                "rest of the rate is KL(q(z) ‖ p(z)).",
                self._bounds(),
            ]
        )

    def _bounds(self) -> str:
        if self.entropy is None or self.least_information is None:
            return (
                "The entropy H of the data, and so the lower end of H − D ≤ I ≤ R, is unknown. "
                "For simulated data, pass their log density."
            )
        verdict = "holds" if self.is_consistent else "FAILS: one of the three estimates is wrong"
        return (
            f"With the data's entropy H = {self.entropy}, H − D = {self.least_information}: "
            f"H − D ≤ I ≤ R {verdict}."
        )


def rate_distortion(
    model: VAEModel,
    rows: ArrayLike,
    *,
    key: PRNGKey,
    n_samples: int = 16,
    log_density: ArrayLike | None = None,
    most_rows: int = 5_000,
) -> RateDistortion:
    r"""Measure rate and distortion, and the information within the rate.

    .. math:: R = E\,KL(q(z|x) \| p(z)), \quad D = -E\,E_q \log p(x|z), \quad ELBO = -(R + D),
       \qquad H - D \le I_q(x; z) \le R

    H is the entropy of the data, −E log p*(x). Models with equal ELBOs have different positions on
    the line R + D = −ELBO. At R = 0, z has no information about x; at the smallest D it has the
    most.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    key : PRNG key; :func:`wellposed.evaluation.elbo` returns the same rate and distortion for it
    n_samples : draws of z a row, for the distortion and, unless p(z) is N(0, I), the rate
    log_density : for simulated data, log p*(x) of each row, nats in data units, shape (n,)
    most_rows : largest number of rows for the information; its time grows with the square

    Raises
    ------
    DataError
        For fewer than two rows, or a ``log_density`` without a finite number for each row.

    References: Alemi, Poole, Fischer, Dillon, Saurous & Murphy (2018), eqs 4-5 and 9.

    Examples
    --------
    >>> rate_distortion(model, X, key=key).rate.value > 0
    True
    """
    check_process()
    rows = np.asarray(rows)
    split = prior_mismatch(model, rows, key=key, most_rows=most_rows)
    check_count("n_samples", n_samples, "16 is a start.")
    terms = elbo(model, rows, n_samples=n_samples, key=key)
    likelihood, kl = (np.asarray(t, np.float64) for t in (terms.log_likelihood, terms.kl))
    entropy = least = None
    if log_density is not None:
        truth = _checked(log_density, len(rows))
        entropy, least = Estimate.of(-truth), Estimate.of(likelihood - truth)
    own = split.priors[OWN]
    return RateDistortion(
        n_rows=len(rows),
        rate=Estimate.of(kl),
        distortion=Estimate.of(-likelihood),
        elbo=Estimate.of(likelihood - kl),
        information=split.information,
        mismatch=(own.low, own.high),
        entropy=entropy,
        least_information=least,
    )


def _checked(log_density: ArrayLike, n: int) -> np.ndarray:
    truth = np.asarray(log_density, np.float64)
    if truth.shape != (n,) or not np.isfinite(truth).all():
        raise DataError(
            f"log_density must be {n} finite numbers, one for each row; got shape {truth.shape}. "
            "Pass log p*(x) in nats and data units, or None if the data are not simulated."
        )
    return truth


def _exceeds(larger: Estimate, smaller: Estimate) -> bool:
    error = np.hypot(larger.standard_error, smaller.standard_error)
    return bool(larger.value + 3 * error + 1e-6 * abs(larger.value) >= smaller.value)
