"""A VAE whose ELBO runs to infinity, written down rather than trained."""

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
    r"""Mean log densities in nats a datum, in data units, as the variance in the ball shrinks.

    One latent, p(z) = N(0, 1), and a decoder that knows one datum, x₁:

    .. math:: \mu(z) = x_1, \qquad
       \sigma^2(z) = \epsilon \text{ if } |z| \le r, \text{ else } \tau^2

    *Likelihood.* With π = P(|z| ≤ r) the marginal is the mixture
    p(x) = π N(x | x₁, εI) + (1 − π) N(x | x₁, τ²I). The data at x₁, a share w, gain
    (d/2) log(1/ε); the others keep log[(1 − π) N(x_i | x₁, τ²I)] at least.

    *ELBO.* Take q(z|x₁) = N(0, (r/t)²), with mass 1 − 2Φ(−t) in the ball, and q(z|x_i) = N(m, s²)
    with m = r + ts, whose mass in the ball is δ ≤ Φ(−t) ≤ ½exp(−t²/2). With
    t² = 2 log(D̄/ε), D̄ the mean of D_i = |x_i − x₁|², that mass costs δD̄/(2ε) ≤ ¼ nat. The rate
    of the others, ½(s² + m² − 1) − log s, is least where (1 + t²)s² + rts = 1, so s shrinks like
    1/t, m stays bounded, and the rates of all data grow like log t = ½ log log(1/ε) + constant.
    Hence

    .. math:: \text{mean ELBO} = \tfrac d2 w \log\tfrac1\epsilon
        - \tfrac12 \log\log\tfrac1\epsilon + O(1) \to \infty :

    the KL is paid in log log, the likelihood in log. A fixed s costs s² log(1/ε) for each of the
    others instead, and still loses to the gain if it is small enough.

    *Floor.* With σ = f + √ε in the ball and f + τ outside, every N(x | μ, σ²I) is at most
    (2πf²)^(−d/2), so the same curves end below −(d/2) log 2πf².
    """

    variances: np.ndarray  # (e,), ε
    elbo: np.ndarray  # (e,)
    log_likelihood: np.ndarray  # (e,)
    floored_elbo: np.ndarray  # (e,), the same construction with σ = floor + √ε
    floored_log_likelihood: np.ndarray  # (e,)
    bound: float  # −(d/2) log 2π floor²
    slope: float  # (d/2)·w, what both curves gain for each unit of log(1/ε) in the limit


@dataclasses.dataclass(frozen=True)
class _Construction:
    """What does not change with ε; squared distances to the chosen datum, d their dimension."""

    others: np.ndarray  # (m,), > 0
    share: float
    d: int
    radius: float
    outside: float
    scales: tuple[float, float] | None


def divergence(
    rows: Any = None,
    *,
    datum: int = 0,
    variances: npt.ArrayLike = _VARIANCES,
    floor: float = 1 / math.sqrt(12),
    radius: float = 1.0,
    outside_variance: float | None = None,
    scales: tuple[float, float] | None = None,
) -> Divergence:
    """Let σ(z) of one datum go to zero, and follow the ELBO and log p(x) without Monte Carlo.

    The construction, and why the KL does not stop it, are in :class:`Divergence`.

    Parameters
    ----------
    rows : array-like of shape (n, d), data units; ten digits, one of each, by default
    datum : row of x₁, counted from 0, or back from −1; rows equal to it share its fate
    variances : ε > 0, data units squared, shape (e,), or one number
    floor : f, a standard deviation in data units; that of rounding to whole numbers by default
    radius : r
    outside_variance : τ²; the best one, the others' mean squared distance a feature, by default
    scales : standard deviations of q(z|x₁) and of the others' q; None lets them follow ε as above

    Raises
    ------
    DataError
        If the rows are no finite table, or none differs from x₁.
    SettingError
        If there is no such row, or a variance, the floor, the radius or a scale is not positive
        and finite.

    References
    ----------
    Mattei & Frellsen (2018), theorem 1; Dai, Wang, Aston, Hua & Wipf (2018), theorem 5.

    Examples
    --------
    >>> found = divergence(variances=np.array([1e-8, 1e-64]))
    >>> bool(found.elbo[1] > found.bound > found.floored_log_likelihood[1])
    True
    """
    values = as_rows(rows, 10)
    variances = np.atleast_1d(check_numbers("variances", variances, "Try 1e-8.", above=0))
    floor = check_number("floor", floor, "Try half the step between neighbouring values.", above=0)
    squares = _squares(values, datum)
    built = _construction(squares, values.shape[1], radius, outside_variance, scales)
    floored = dataclasses.replace(built, outside=(floor + math.sqrt(built.outside)) ** 2)
    above = (floor + np.sqrt(variances)) ** 2
    return Divergence(
        variances=variances,
        elbo=np.array([_elbo(built, v) for v in variances]),
        log_likelihood=np.array([_log_likelihood(built, v) for v in variances]),
        floored_elbo=np.array([_elbo(floored, v) for v in above]),
        floored_log_likelihood=np.array([_log_likelihood(floored, v) for v in above]),
        bound=-0.5 * built.d * (LOG_2PI + 2 * math.log(floor)),
        slope=0.5 * built.d * built.share,
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
        remedy = "Leave it out for the best one."
        outside = check_number("outside_variance", outside, remedy, above=0)
    if scales is not None:
        remedy = "Leave it out to let them follow the variances."
        pair = check_numbers("scales", scales, remedy, n=2, one=False, above=0)
        scales = (float(pair[0]), float(pair[1]))
    others = squares[squares > 0]
    share = (len(squares) - len(others)) / len(squares)
    outside = float(others.mean()) / d if outside is None else outside
    return _Construction(others, share, d, radius, outside, scales)


def _squares(values: np.ndarray, datum: int) -> np.ndarray:
    """Squared distances of all rows to one of them, shape (n,)."""
    n = len(values)
    datum = check_count("datum", datum, "Name a row that exists.", low=-n, most=n - 1)
    squares = ((values - values[datum]) ** 2).sum(axis=1)
    if not (squares > 0).any():
        raise DataError(
            f"Some row must differ from the chosen one; all {n} are equal to it. "
            "Give two distinct rows or more."
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
    missed = 2 * ndtr(-c.radius / own)
    strayed = ndtr(-t) - ndtr(-t - 2 * c.radius / other)
    first = _mixed(c, variance, 1 - missed, missed, 0.0) - _rate(0.0, own)
    rest = _mixed(c, variance, strayed, 1 - strayed, c.others).mean() - _rate(centre, other)
    return float(c.share * first + (1 - c.share) * rest)


def _best_scale(t: float, radius: float) -> float:
    """Solve (1 + t²)s² + rts = 1: the scale of least rate for a mean of r + ts."""
    a, b = 1 + t * t, radius * t
    return 2 / (b + math.sqrt(b * b + 4 * a))


def _mixed(
    c: _Construction, variance: float, inside: float, outside: float, squares: Any
) -> np.ndarray:
    """E_q log p(x | z): the log density is constant inside the ball and constant outside."""
    within, beyond = _log_normal(c, variance, squares), _log_normal(c, c.outside, squares)
    return inside * within + outside * beyond


def _rate(mean: float, scale: float) -> float:
    return 0.5 * (scale**2 + mean**2 - 1) - math.log(scale)
