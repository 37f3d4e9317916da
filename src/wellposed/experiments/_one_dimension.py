"""The one-dimensional example of a discussion on Cross Validated, with a sign corrected."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from wellposed._checks import check_numbers
from wellposed.numerics import LOG_2PI

_PRECISIONS = 2.0 ** np.arange(-3, 13)


@dataclasses.dataclass(frozen=True, eq=False)
class OneDimension:
    """ELBOs of the datum x = 0, in nats, for p values of λ and s scales of q.

    Examples
    --------
    >>> found = one_dimension([0.5, 1e12])
    >>> found.best_elbo.shape == found.precisions.shape
    True
    """

    precisions: np.ndarray  # (p,), λ: the noise variance is 1/(2λ)
    scales: np.ndarray  # (s,)
    elbo: np.ndarray  # (p, s), decoder mean μ(z) = z
    best_scale: np.ndarray  # (p,), (2λ + 1)^(−1/2)
    best_elbo: np.ndarray  # (p,), equal to log p(0)
    published_scale: np.ndarray  # (p,), (2λ − 1)^(−1/2), with the wrong sign; NaN for λ ≤ ½
    elbo_at_published_scale: np.ndarray  # (p,)
    limit: float  # sup over λ of best_elbo: −½ log 2π
    constant_mean: np.ndarray  # (p,), ELBO with μ(z) = 0: ½ log(λ/π); not bounded


def one_dimension(
    precisions: npt.ArrayLike = _PRECISIONS, *, scales: npt.ArrayLike | None = None
) -> OneDimension:
    r"""Compute the ELBO of x = 0, q = N(0, s²), p(x|z) = N(x | μ(z), 1/(2λ)) in closed form.

    With μ(z) = z, since E_q z² = s²,

    .. math:: L(\lambda, s) = \tfrac12 \log\tfrac\lambda\pi - \lambda s^2
        + \log s - \tfrac{s^2}2 + \tfrac12 .

    ∂L/∂s = 1/s − (2λ + 1)s = 0 gives s² = 1/(2λ + 1) for every λ > 0: λ' = λ **+** ½. The
    discussion has λ − ½ instead, and therefore a condition λ > ½ that is not needed. The maximum is
    log N(0; 0, 1 + 1/(2λ)), the exact log p(0), since q is then the posterior. It increases with λ
    to the limit −½ log 2π = −0.9189. The reason is the mean μ(z) = z, which depends on the latent:
    a precise reconstruction has a large KL. With μ(z) = 0 the latent is not used, the KL is zero at
    s = 1, and L = ½ log(λ/π) is not bounded.

    Parameters
    ----------
    precisions : float or array-like of shape (p,), λ > 0
    scales : float or array-like of shape (s,), s > 0; by default 121 values from 0.003 to 3

    Raises
    ------
    SettingError
        If a precision or a scale is not positive and finite.

    References
    ----------
    "Is the optimization of the Gaussian VAE well-posed?", Cross Validated, question 373858.

    Examples
    --------
    >>> record = one_dimension([0.5, 1e12])
    >>> record.best_scale.round(4).tolist(), record.best_elbo.round(4).tolist()
    ([0.7071, 0.0], [-1.2655, -0.9189])
    """
    precisions = np.atleast_1d(check_numbers("precisions", precisions, "Try 1.0.", above=0))
    scales = np.geomspace(0.003, 3.0, 121) if scales is None else scales
    scales = np.atleast_1d(check_numbers("scales", scales, "Try 1.0.", above=0))
    best = (2 * precisions + 1) ** -0.5
    published = np.full_like(precisions, np.nan)
    defined = precisions > 0.5
    published[defined] = (2 * precisions[defined] - 1) ** -0.5
    return OneDimension(
        precisions=precisions,
        scales=scales,
        elbo=_elbo(precisions[:, None], scales[None, :]),
        best_scale=best,
        best_elbo=-0.5 * (LOG_2PI + np.log1p(0.5 / precisions)),
        published_scale=published,
        elbo_at_published_scale=_elbo(precisions, published),
        limit=-0.5 * LOG_2PI,
        constant_mean=0.5 * np.log(precisions / math.pi),
    )


def _elbo(precision: np.ndarray, scale: np.ndarray) -> np.ndarray:
    likelihood = 0.5 * np.log(precision / math.pi) - precision * scale**2
    return likelihood - (0.5 * (scale**2 - 1) - np.log(scale))
