"""A VAE whose ELBO diverges, in closed form."""

import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import log_ndtr, ndtr

from wellposed._checks import check_count, check_number, check_numbers
from wellposed._errors import DataError
from wellposed.numerics import LOG_2PI

from ._rows import as_rows

_VARIANCES = 10.0 ** -np.arange(0, 65, 2.0)


@dataclasses.dataclass(frozen=True, eq=False)
class Divergence:
    r"""Mean log densities as the variance in a ball of z tends to zero; nats a datum, data units.

    One latent, p(z) = N(0, 1), and a decoder that reproduces one datum, x₁:

    .. math:: \mu(z) = x_1, \qquad
       \sigma^2(z) = \epsilon \text{ if } |z| \le r, \text{ else } \tau^2

    *Likelihood.* With π = P(|z| ≤ r) the marginal is the mixture
    p(x) = π N(x | x₁, εI) + (1 − π) N(x | x₁, τ²I). The log density of the
    data at x₁, a share w, grows by (d/2) log(1/ε); that of the others is at least
    log[(1 − π) N(x_i | x₁, τ²I)].

    *ELBO.* Take q(z|x₁) = N(0, (r/t)²), with mass 1 − 2Φ(−t) in the ball, and q(z|x_i) = N(m, s²)
    with m = r + ts, whose mass in the ball is δ ≤ Φ(−t) ≤ ½exp(−t²/2). With
    t² = 2 log(D̄/ε), D̄ the mean of D_i = |x_i − x₁|², that mass lowers the ELBO by
    δD̄/(2ε) ≤ ¼ nat. The rate of the others, ½(s² + m² − 1) − log s, is minimal at
    (1 + t²)s² + rts = 1. There s decreases as 1/t, m stays bounded, and the rates of all data grow
    as log t = ½ log log(1/ε) + constant. Hence

    .. math:: \text{mean ELBO} = \tfrac d2 w \log\tfrac1\epsilon
        - \tfrac12 \log\log\tfrac1\epsilon + O(1) \to \infty .

    The KL grows as log log(1/ε), the log likelihood as log(1/ε). With a fixed s, each of the others
    has a KL of s² log(1/ε) instead; the ELBO diverges all the same if s is small enough.

    *Floor.* With σ = f + √ε in the ball and f + τ outside, every N(x | μ, σ²I) is at most
    (2πf²)^(−d/2), so the same curves stay below −(d/2) log 2πf².

    Examples
    --------
    >>> found = divergence(variances=[1e-8, 1e-64])
    >>> bool(found.elbo[-1] > found.elbo[0])
    True
    """

    variances: np.ndarray  # (e,), ε
    elbo: np.ndarray  # (e,)
    log_likelihood: np.ndarray  # (e,)
    floored_elbo: np.ndarray  # (e,), the same construction with σ = floor + √ε
    floored_log_likelihood: np.ndarray  # (e,)
    bound: float  # −(d/2) log 2π floor²
    slope: float  # (d/2)·w, the slope of both curves in log(1/ε) in the limit


@dataclasses.dataclass(frozen=True)
class _Construction:
    """The part of the model that does not depend on ε."""

    others: np.ndarray  # (m,), squared distances to the datum, > 0
    share: float  # of the data that equal it
    d: int  # features
    radius: float
    outside: float
    scales: tuple[float, float] | None


def divergence(
    rows: npt.ArrayLike | None = None,
    *,
    datum: int = 0,
    variances: npt.ArrayLike = _VARIANCES,
    floor: float = 1 / math.sqrt(12),
    radius: float = 1.0,
    outside_variance: float | None = None,
    scales: tuple[float, float] | None = None,
) -> Divergence:
    """Compute the ELBO and log p(x) as σ(z) of one datum tends to zero, without Monte Carlo.

    :class:`Divergence` describes the model and shows why the KL does not prevent the divergence.

    Parameters
    ----------
    rows : array-like of shape (n, d), data units; by default ten digits, one of each
    datum : int, row of x₁, counted from 0, or from the end if negative
    variances : float or array-like of shape (e,), ε > 0, data units squared
    floor : float, f in data units; by default the deviation of rounding to whole numbers
    radius : float, r > 0
    outside_variance : float, τ², data units squared
        By default the optimum: the mean squared distance of the others divided by d.
    scales : two floats, standard deviations of q(z|x₁) and of q(z|x) for the others
        By default the functions of ε in :class:`Divergence`.

    Raises
    ------
    DataError
        If the rows are not a finite table, or all equal x₁.
    SettingError
        If there is no such row, or a variance, the floor, the radius or a scale is not positive
        and finite.

    References: Mattei & Frellsen (2018), theorem 1; Dai, Wang, Aston, Hua & Wipf (2018), theorem 5.

    Examples
    --------
    >>> record = divergence(variances=[1e-8, 1e-64])
    >>> bool(record.elbo[1] > record.bound > record.floored_log_likelihood[1])
    True
    """
    values = as_rows(rows, 10)
    variances = np.atleast_1d(check_numbers("variances", variances, "Try 1e-8.", above=0))
    remedy = "Try half the difference of neighbouring values."
    floor = check_number("floor", floor, remedy, above=0)
    squares = _squares(values, datum)
    free = _construction(squares, values.shape[1], radius, outside_variance, scales)
    floored = dataclasses.replace(free, outside=(floor + math.sqrt(free.outside)) ** 2)
    above = (floor + np.sqrt(variances)) ** 2
    return Divergence(
        variances=variances,
        elbo=np.array([_elbo(free, v) for v in variances]),
        log_likelihood=np.array([_log_likelihood(free, v) for v in variances]),
        floored_elbo=np.array([_elbo(floored, v) for v in above]),
        floored_log_likelihood=np.array([_log_likelihood(floored, v) for v in above]),
        bound=-0.5 * free.d * (LOG_2PI + 2 * math.log(floor)),
        slope=0.5 * free.d * free.share,
    )


def _construction(
    squares: np.ndarray,
    d: int,
    radius: float,
    outside: float | None,
    scales: tuple[float, float] | None,
) -> _Construction:
    radius = check_number("radius", radius, "Try 1.0.", above=0)
    if outside is not None:
        remedy = "Leave it out for the optimum."
        outside = check_number("outside_variance", outside, remedy, above=0)
    if scales is not None:
        remedy = "Leave it out for the defaults."
        pair = check_numbers("scales", scales, remedy, n=2, one=False, above=0)
        scales = (float(pair[0]), float(pair[1]))
    others = squares[squares > 0]
    share = (len(squares) - len(others)) / len(squares)
    outside = float(others.mean()) / d if outside is None else outside
    return _Construction(others, share, d, radius, outside, scales)


def _squares(values: np.ndarray, datum: int) -> np.ndarray:
    """Return the squared distances of all rows to one of them, shape (n,)."""
    n = len(values)
    datum = check_count("datum", datum, "Pass the number of a row.", low=-n, most=n - 1)
    squares = ((values - values[datum]) ** 2).sum(axis=1)
    if not (squares > 0).any():
        raise DataError(
            f"Some row must differ from the chosen one; all {n} are equal to it. "
            "Pass at least two distinct rows."
        )
    return squares


def _log_normal(c: _Construction, variance: float, squares: Any) -> Any:
    return -0.5 * c.d * (LOG_2PI + math.log(variance)) - 0.5 * squares / variance


def _log_likelihood(c: _Construction, variance: float) -> float:
    inside = math.log(math.erf(c.radius / math.sqrt(2)))
    outside = math.log(2) + float(log_ndtr(-c.radius))

    def log_p(squares: Any) -> Any:
        return np.logaddexp(
            inside + _log_normal(c, variance, squares), outside + _log_normal(c, c.outside, squares)
        )

    return float(c.share * log_p(0.0) + (1 - c.share) * log_p(c.others).mean())


def _elbo(c: _Construction, variance: float) -> float:
    t = math.sqrt(2 * max(math.log(c.others.mean() / variance), 1.0))
    own, other = c.scales or (c.radius / t, _best_scale(t, c.radius))
    centre = c.radius + t * other
    outside = 2 * ndtr(-c.radius / own)  # mass of q(z|x₁) outside the ball
    inside = ndtr(-t) - ndtr(-t - 2 * c.radius / other)  # mass of the others' q inside it
    first = _expectation(c, variance, 1 - outside, outside, 0.0) - _rate(0.0, own)
    rest = _expectation(c, variance, inside, 1 - inside, c.others).mean() - _rate(centre, other)
    return float(c.share * first + (1 - c.share) * rest)


def _best_scale(t: float, radius: float) -> float:
    """Solve (1 + t²)s² + rts = 1: the scale of minimal rate for a mean of r + ts."""
    a, b = 1 + t * t, radius * t
    return 2 / (b + math.sqrt(b * b + 4 * a))


def _expectation(
    c: _Construction, variance: float, inside: float, outside: float, squares: Any
) -> np.ndarray:
    """Return E_q log p(x | z) for the masses of q inside and outside the ball."""
    within, beyond = _log_normal(c, variance, squares), _log_normal(c, c.outside, squares)
    return inside * within + outside * beyond


def _rate(mean: float, scale: float) -> float:
    return 0.5 * (scale**2 + mean**2 - 1) - math.log(scale)
